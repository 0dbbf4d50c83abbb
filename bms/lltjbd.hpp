// The frames of JBD / LLT Power / Overkill Solar boards ("DD ... 77"), shared by their serial and Bluetooth drivers.
//
//   request  DD  A5 read | 5A write  register  len  data[len]  checksum  77
//   reply    DD  register            status    len  data[len]  checksum  77
//
// The checksum is 0x10000 minus the sum of register, len, data (request) or status, len, data (reply), high byte first.
// Everything is big endian. Source: vendor's "Communication protocol for Jiabaida software board" V4, V11, V13, and captures.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>

#include "serialbattery/battery.hpp"
#include "serialbattery/config.hpp"
#include "serialbattery/link.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::lltjbd {

enum Register : std::uint8_t {
  factory_enter = 0x00,
  factory_leave = 0x01,
  basic_info = 0x03,
  cell_voltages = 0x04,
  product_name = 0x05,
  cycle_capacity = 0x11,
  charge_overcurrent = 0x28,
  discharge_overcurrent = 0x29,
  function_bits = 0x2D,
  error_counters = 0xAA,
  fet_lock = 0xE1,         // bit 0 charging off, bit 1 discharging off
  fet_lock_newest = 0xFB,  // where 0xE1 is unknown: high byte 1 charging, 0 discharging; low byte 1 off
};

constexpr unsigned balancing_enabled_bit = 1U << 2U;  // of function_bits
constexpr unsigned big_unit_bit = 1U << 12U;          // of function_bits: currents and capacities in 0.1 A, 0.1 Ah

enum class Access : std::uint8_t { read, write };
constexpr std::uint8_t read_mark = 0xA5, write_mark = 0x5A;

ByteVector read_request(std::uint8_t reg);
ByteVector write_request(std::uint8_t reg, std::uint16_t value);

/// Framing rule of the answer to one request. Frames of other registers, echoes and noise are passed over.
Scan scan_reply(Bytes seen, std::uint8_t reg, Access access);

struct Reply {
  std::uint8_t status;  // 0 ok, 0x80 no such register, 0x81 not allowed, 0x82 checksum, 0x83 password
  Bytes data;
};

/// Takes a frame apart that scan_reply() has found.
Reply parse_reply(Bytes frame);

/// What is known of the board beside the battery model; decides how its frames are read.
struct Board {
  std::string product_name;
  std::optional<std::uint16_t> function_bits;  // register 0x2D
  bool big_unit_announced = false;             // FET byte bit 7
  std::size_t sensors = 0;                     // temperature sensors
  [[nodiscard]] double per_ah() const;         // raw counts per Ah and per A
  [[nodiscard]] bool is_up_series() const;     // by its name: the second of six sensors is the ambient one
};

/// Decoders of the data part. Throw FrameError(length | implausible); `battery` may then be partly changed.
void decode_basic_info(Bytes data, const Config& config, Board& board, Battery& battery, boost::json::object& details);
void decode_cell_voltages(Bytes data, Battery& battery);
void decode_error_counters(Bytes data, boost::json::object& details);
/// Trip current of register 0x28 or 0x29 in A; 0 is "not set".
std::optional<double> decode_trip_current(Bytes data, const Board& board);

/// Version byte 0x2A is "2.10".
std::string version_text(std::uint8_t version);
/// Identifier under which earlier drivers stored this battery: version digits as of a decimal number, capacity: "21_302.0Ah".
std::string unique_id(std::uint8_t version, double capacity);

}  // namespace serialbattery::lltjbd
