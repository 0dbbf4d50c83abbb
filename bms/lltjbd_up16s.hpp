// The frames of JBD UP series rack boards, and what they hold.
//
//   address  function  start:2  end:2 (exclusive)  L:2  payload[L]  CRC:2 (low byte first)
//
// Function 0x78 reads (L = 0), 0x79 writes, 0x45 asks the directly connected pack. A reply repeats address, function, start and end;
// the length of its payload is its own. Big endian but for the CRC, which is that of Modbus. There are no error replies: what a pack
// doesn't know it doesn't answer.
#pragma once

#include <boost/json/object.hpp>

#include "serialbattery/battery.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::up16s {

enum class Function : std::uint8_t { individual = 0x45, read = 0x78, write = 0x79 };

/// What a request names. Addresses count bytes.
struct Range {
  Function function;
  std::uint16_t start;
  std::uint16_t end;
};

constexpr Range status{Function::read, 0x1000, 0x10A0};
constexpr Range counters{Function::read, 0x2006, 0x2018};  // never from 0x2000 on: a bug of the firmware then shows a DCL of 0
constexpr Range individual{Function::individual, 0x0000, 0x0054};
constexpr Range factory{Function::read, 0x1C00, 0x1CA0};
constexpr Range product{Function::read, 0x2810, 0x283C};
constexpr std::uint16_t counters_and_more = 0x2000, protections = 0x1800;  // only in recordings
constexpr Range soc_write{Function::write, 0x2006, 0x2008};

ByteVector request(std::uint8_t address, const Range& range, Bytes payload = {});
/// Sets the state of charge; 0..100 %.
ByteVector soc_request(std::uint8_t address, double soc);

/// Framing rule of the reply to a request.
Scan scan_reply(Bytes seen, Bytes request);
Bytes payload_of(Bytes frame);

/// Is there an UP board at address 1? Asked by the driver of the older JBD protocol, which these boards speak as well.
asio::awaitable<bool> answers(ByteLink& link);

/// Currents in A.
struct Currents {
  std::optional<double> charge;
  std::optional<double> discharge;
};

/// What is known of a pack beside the model.
struct Pack {
  double status_soc = 0;        // %, whole percent for packs behind the master
  Currents stated;              // of the status; the master's are sums over all packs
  Currents own;                 // of the individual status
  std::optional<double> rated;  // Ah
  std::string serial;           // often the same on all packs
  std::string firmware;         // "12.4"
  std::string board_serial;     // BMS model and serial number
  std::string bms_date, pack_date;
  std::string product;  // long version text
};

/// Decoders of payloads. Throw FrameError(length | implausible); their targets may then be partly changed.
void decode_status(Bytes payload, Pack& pack, Battery& battery, boost::json::object& details);
/// `start`: address of the first byte, 0x2000 or 0x2006.
void decode_counters(Bytes payload, std::uint16_t start, Pack& pack, Battery& battery, boost::json::object& details);
void decode_individual(Bytes payload, Pack& pack, boost::json::object& details);
void decode_factory(Bytes payload, Pack& pack, Battery& battery, boost::json::object& details);
void decode_product(Bytes payload, Pack& pack, boost::json::object& details);
/// Protection settings, 0x1800: only in recordings.
void decode_protections(Bytes payload, boost::json::object& details);

/// Names the battery by what is known of its pack.
void name(const Pack& pack, Battery& battery);

}  // namespace serialbattery::up16s
