// The frames of the JBD protocol; see lltjbd.hpp.
#include "bms/lltjbd.hpp"
#include "bms/sightings.hpp"

namespace serialbattery::lltjbd {

namespace {

constexpr std::uint8_t start_mark = 0xDD;
constexpr std::uint8_t end_mark = 0x77;
constexpr std::size_t frame_overhead = 7;

std::uint16_t checksum(Bytes covered) {
  return static_cast<std::uint16_t>(0x10000U - wire::sum(covered));
}

ByteVector request(std::uint8_t mark, std::uint8_t reg, Bytes data) {
  ByteVector frame{start_mark, mark, reg, static_cast<std::uint8_t>(data.size())};
  frame.insert(frame.end(), data.begin(), data.end());
  wire::put_u16be(frame, checksum(Bytes(frame).subspan(2)));
  frame.push_back(end_mark);
  return frame;
}

struct Range {
  std::size_t least, most, step = 1;
  [[nodiscard]] bool contains(std::size_t length) const { return length >= least && length <= most && length % step == 0; }
};

// Length of the data that a register can have in a good reply. Lengths differ between firmware, so never one fixed number.
Range data_length(std::uint8_t reg, Access access) {
  if (access == Access::write) return {0, 0};
  switch (reg) {
    case basic_info: return {22, 80};  // 22 is impossible too, but is to be told as a frame that is too short
    case cell_voltages: return {2, 64, 2};
    case product_name: return {0, 64};
    case error_counters: return {22, 32};
    case 0xA0:
    case 0xA1:
    case 0xA2: return {1, 64};
    default: return {2, 2};
  }
}

bool is_status(std::uint8_t byte) {
  return byte == 0x00 || (byte >= 0x80 && byte <= 0x83);
}

enum class Candidate { none, incomplete, bad_length, bad_sum, good };

bool ends_well(Bytes frame) {
  return frame.back() == end_mark && wire::u16be(frame, frame.size() - 3) == checksum(frame.subspan(2, frame.size() - 5));
}

// Looks at a frame that may begin at the first byte, for register `reg`.
Candidate examine(Bytes seen, std::uint8_t reg, Range range) {
  if (seen.size() < 4) {
    const bool fits = (seen.size() < 2 || seen[1] == reg) && (seen.size() < 3 || is_status(seen[2]));
    return fits ? Candidate::incomplete : Candidate::none;
  }
  const std::size_t length = seen[3];
  // Firmware of 2018 repeats the read mark in place of the register. An echo of our own request has the register as "status".
  const bool old_firmware = seen[1] == read_mark && reg != read_mark;
  if (old_firmware) {
    if (seen[2] != 0 || length == 0 || !range.contains(length)) return Candidate::none;
  } else {
    if (seen[1] != reg || !is_status(seen[2])) return Candidate::none;
    const bool length_fits = seen[2] == 0 ? range.contains(length) : length == 0;
    if (!length_fits) return Candidate::bad_length;
  }
  if (seen.size() < length + frame_overhead) return Candidate::incomplete;
  if (ends_well(seen.first(length + frame_overhead))) return Candidate::good;
  return old_firmware ? Candidate::none : Candidate::bad_sum;
}

}  // namespace

ByteVector read_request(std::uint8_t reg) {
  return request(read_mark, reg, {});
}

ByteVector write_request(std::uint8_t reg, std::uint16_t value) {
  ByteVector data;
  wire::put_u16be(data, value);
  return request(write_mark, reg, data);
}

Scan scan_reply(Bytes seen, std::uint8_t reg, Access access) {
  const Range range = data_length(reg, access);
  Sightings sightings;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    if (seen[at] != start_mark) continue;
    const Bytes rest = seen.subspan(at);
    switch (examine(rest, reg, range)) {
      case Candidate::good: return Scan::found(at, at + rest[3] + frame_overhead);
      case Candidate::incomplete: sightings.incomplete = true; break;
      case Candidate::bad_length: sightings.wrong_length = true; break;
      case Candidate::bad_sum: sightings.damaged = true; break;
      case Candidate::none:
        // A whole good frame of another register is a late reply to an earlier request.
        if (rest.size() >= 4 && is_status(rest[2]) && rest.size() >= rest[3] + frame_overhead &&
            ends_well(rest.first(rest[3] + frame_overhead))) {
          sightings.of_others = true;
          at += rest[3] + frame_overhead - 1;
        }
        break;
    }
  }
  return sightings.verdict();
}

Reply parse_reply(Bytes frame) {
  return {frame[2], frame.subspan(4, frame[3])};
}

}  // namespace serialbattery::lltjbd
