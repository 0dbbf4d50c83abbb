// The frames of JBD UP series boards; see lltjbd_up16s.hpp.
#include "bms/lltjbd_up16s.hpp"
#include "bms/modbus_rtu.hpp"
#include "bms/sightings.hpp"

namespace serialbattery::up16s {

namespace {

constexpr std::size_t header_size = 6;  // address to end, repeated by the reply
constexpr std::size_t overhead = 10;
constexpr std::size_t longest_payload = 600;

bool is_function(std::uint8_t byte) {
  return byte == 0x45 || byte == 0x78 || byte == 0x79;
}

// A whole good frame at the front, of whomever; 0: there is none.
std::size_t frame_at(Bytes rest) {
  if (rest.size() < overhead || !is_function(rest[1])) return 0;
  const std::size_t length = wire::u16be(rest, header_size);
  if (length > longest_payload || rest.size() < length + overhead) return 0;
  return modbus::is_sealed(rest.first(length + overhead)) ? length + overhead : 0;
}

}  // namespace

ByteVector request(std::uint8_t address, const Range& range, Bytes payload) {
  ByteVector frame{address, static_cast<std::uint8_t>(range.function)};
  wire::put_u16be(frame, range.start);
  wire::put_u16be(frame, range.end);
  wire::put_u16be(frame, static_cast<unsigned>(payload.size()));
  frame.insert(frame.end(), payload.begin(), payload.end());
  return modbus::sealed(std::move(frame));
}

ByteVector soc_request(std::uint8_t address, double soc) {
  ByteVector payload{0x11, 0x4A, 0x42, 0x44};
  wire::put_u16be(payload, static_cast<unsigned>(std::lround(soc * 100)));
  return request(address, soc_write, payload);
}

Scan scan_reply(Bytes seen, Bytes request) {
  const bool write = request[1] == static_cast<std::uint8_t>(Function::write);
  Sightings sightings;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    const std::size_t common = std::min(rest.size(), header_size);
    if (std::equal(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(common), request.begin())) {
      if (rest.size() < header_size + 2) {
        // The beginning of a header, unless it is a single byte behind others: that may be anything.
        sightings.incomplete = sightings.incomplete || at == 0 || common >= 2;
        continue;
      }
      const std::size_t length = wire::u16be(rest, header_size);
      const bool echo = write ? length != 0 : length == 0;
      if (length > longest_payload) {
        sightings.wrong_length = true;
      } else if (rest.size() < length + overhead) {
        sightings.incomplete = true;
      } else if (!modbus::is_sealed(rest.first(length + overhead))) {
        sightings.damaged = true;
      } else if (echo) {
        sightings.wrong_length = sightings.wrong_length || !write;
        at += length + overhead - 1;
      } else {
        return Scan::found(at, at + length + overhead);
      }
    } else if (const std::size_t size = frame_at(rest)) {
      sightings.of_others = true;
      at += size - 1;
    }
  }
  return sightings.verdict();
}

Bytes payload_of(Bytes frame) {
  return frame.subspan(header_size + 2, frame.size() - overhead);
}

}  // namespace serialbattery::up16s
