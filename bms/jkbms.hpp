// The 4E 57 frames of JK (Jikong) B, BD and B-A/V series boards.
//
//   4E 57  length(2)  terminal(4)  command  source  type  information  record(4)  68  00 00  sum(2)        all big endian
//
// length: bytes that follow the start mark. type: 0 request, 1 reply, 2 unasked upload. sum: of all bytes from 4E to 68.
// The information field of a reply is a sequence of registers, each a tag byte and a value whose size the tag fixes. Old firmware
// lacks some tags at the end, so the tags are walked; fixed offsets would fail.
// Sources: JK "Communication protocol between monitoring platform and BMS" V2.0 and V2.5, captures of firmware 6.1 to 11.54.
#pragma once

#include <boost/json/object.hpp>
#include <optional>

#include "bms/jk_cells.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::jkbms {

/// Commands that a request can carry.
enum Operation : std::uint8_t { write_register = 0x02, read_register = 0x03, read_all = 0x06 };

enum Tag : std::uint8_t {
  cell_voltages = 0x79,
  mos_temperature = 0x80,
  temperature_1 = 0x81,
  temperature_2 = 0x82,
  pack_voltage = 0x83,
  current = 0x84,
  soc = 0x85,
  cycles = 0x87,
  throughput = 0x89,
  cell_count = 0x8A,
  alarms = 0x8B,
  state = 0x8C,
  cell_undervoltage = 0x93,
  discharge_limit = 0x97,
  charge_limit = 0x99,
  balance_switch = 0x9D,
  capacity = 0xAA,
  charge_switch = 0xAB,
  discharge_switch = 0xAC,
  user_text = 0xB4,
  production = 0xB5,
  operating_time = 0xB6,
  software = 0xB7,
  manufacturer_id = 0xBA,
  protocol_version = 0xC0,
};

/// The information field of a reply, taken apart. A view: valid as long as the frame that scan_reply() found.
class Registers {
 public:
  explicit Registers(Bytes frame);
  /// Empty: not in the frame.
  [[nodiscard]] Bytes operator[](Tag tag) const { return values_[tag]; }
  [[nodiscard]] std::optional<unsigned> number(Tag tag) const;

 private:
  std::array<Bytes, 256> values_;
};

constexpr std::size_t largest_frame = 514;     // bytes
constexpr std::size_t smallest_reading = 178;  // bytes of an answer to read_all that is accepted at detection

ByteVector read_all_request();
ByteVector write_request(Tag tag, std::uint8_t value);
/// The operation of a request, nullopt if it is none of this protocol.
std::optional<Operation> operation_of(Bytes request);

/// Framing rule: the newest complete reply counts; echoes and unasked uploads are passed over.
Scan scan_reply(Bytes seen, Operation asked);

/// The register that the reply to a write names; 0 if none.
std::uint8_t acknowledged_tag(Bytes frame);

/// `next` holds the last reading. Throws FrameError(implausible), then `next` is partly changed.
void decode_reading(const Registers& registers, jk::CellReader& cells, Battery& next, boost::json::object& details);
void decode_identity(const Registers& registers, unsigned cells, Identity& identity);

}  // namespace serialbattery::jkbms
