// Modbus RTU: the frames; see modbus_rtu.hpp.
#include "bms/modbus_rtu.hpp"

namespace serialbattery::modbus {

namespace {

constexpr std::size_t request_size = 8;
constexpr std::size_t exception_size = 5;
constexpr std::uint8_t refusal = 0x80;

bool is_read(std::uint8_t function) {
  return function >= 0x01 && function <= 0x04;
}

std::size_t bytes_for(const Block& block) {
  if (block.byte_count != 0) return block.byte_count;
  return counts_bits(block.function) ? (block.quantity + 7U) / 8U : 2U * block.quantity;
}

// What the answer to one request must look like.
struct Wanted {
  std::uint8_t address;
  std::uint8_t function;
  Bytes request;
  std::size_t count = 0;  // reads: data bytes

  [[nodiscard]] bool from_right_device(std::uint8_t sender) const { return address == anyone || sender == address; }
  [[nodiscard]] bool bits() const { return counts_bits(static_cast<Function>(function)); }
  [[nodiscard]] std::size_t size() const { return is_read(function) ? 5 + count : request_size; }
  // The bytes behind the function that every right answer repeats.
  [[nodiscard]] bool header_fits(Bytes rest) const {
    if (is_read(function)) return rest.size() < 3 || rest[2] == count;
    const std::size_t common = std::min<std::size_t>(rest.size(), 4);
    return std::equal(rest.begin() + 2, rest.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(common, 2)), request.begin() + 2);
  }
};

enum class Candidate { none, incomplete, damaged, wrong_length, refused, good };

Candidate examine(Bytes rest, const Wanted& wanted) {
  if (rest.size() < 2 || !wanted.from_right_device(rest[0])) return Candidate::none;
  if (rest[1] == (wanted.function | refusal)) {
    if (rest.size() < exception_size) return Candidate::incomplete;
    return is_sealed(rest.first(exception_size)) ? Candidate::refused : Candidate::damaged;
  }
  if (rest[1] != wanted.function) return Candidate::none;
  if (wanted.header_fits(rest)) {
    if (rest.size() < wanted.size()) return Candidate::incomplete;
    return is_sealed(rest.first(wanted.size())) ? Candidate::good : Candidate::damaged;
  }
  const std::size_t told = is_read(wanted.function) ? 5U + rest[2] : request_size;
  const bool possible = is_read(wanted.function) && rest[2] != 0 && (wanted.bits() || rest[2] % 2 == 0);
  return possible && rest.size() >= told && is_sealed(rest.first(told)) ? Candidate::wrong_length : Candidate::none;
}

// Length of a whole frame of somebody else at the front; 0: there is none.
std::size_t frame_of_others(Bytes rest) {
  if (rest.size() < exception_size) return 0;
  const std::uint8_t function = rest[1];
  const auto fits = [&](std::size_t size) { return rest.size() >= size && is_sealed(rest.first(size)) ? size : 0; };
  if ((function & refusal) != 0 && is_read(function & ~refusal)) return fits(exception_size);
  if (!is_read(function) && function != 0x05 && function != 0x06 && function != 0x0F && function != 0x10) return 0;
  if (const std::size_t request = fits(request_size)) return request;
  return is_read(function) ? fits(5U + rest[2]) : 0;
}

}  // namespace

bool is_sealed(Bytes frame) {
  return frame.size() >= 4 && wire::crc_modbus(frame.first(frame.size() - 2)) == wire::u16le(frame, frame.size() - 2);
}

ByteVector sealed(ByteVector frame) {
  wire::put_u16le(frame, wire::crc_modbus(frame));
  return frame;
}

ByteVector read_request(std::uint8_t address, const Block& block) {
  ByteVector frame{address, static_cast<std::uint8_t>(block.function)};
  wire::put_u16be(frame, block.start);
  wire::put_u16be(frame, block.quantity);
  return sealed(std::move(frame));
}

ByteVector write_request(std::uint8_t address, std::uint16_t reg, std::uint16_t value) {
  ByteVector frame{address, static_cast<std::uint8_t>(Function::write_register)};
  wire::put_u16be(frame, reg);
  wire::put_u16be(frame, value);
  return sealed(std::move(frame));
}

std::optional<Block> asked_block(Bytes request) {
  if (request.size() != request_size || !is_read(request[1]) || !is_sealed(request)) return std::nullopt;
  const Block block{static_cast<Function>(request[1]), wire::u16be(request, 2), wire::u16be(request, 4)};
  return block.quantity == 0 ? std::nullopt : std::optional(block);
}

Search search_answer(Bytes seen, Bytes request, std::uint8_t byte_count) {
  Wanted wanted{request[0], request[1], request};
  if (is_read(wanted.function)) {
    wanted.count = bytes_for({static_cast<Function>(wanted.function), 0, wire::u16be(request, 4), byte_count});
  }
  Search search;
  bool damaged = false, wrong_length = false, incomplete = false;
  std::size_t at = 0;
  // Echo of a read request in front. Echoes of writes look like their acknowledgement; the link removes them.
  const std::size_t common = std::min(seen.size(), request.size());
  if (is_read(wanted.function) && std::equal(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(common), seen.begin()))
    at = common;
  for (; at < seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    switch (examine(rest, wanted)) {
      case Candidate::good: search.scan = Scan::found(at, at + wanted.size()); return search;
      case Candidate::refused:
        search.code = static_cast<Code>(rest[2]);
        search.scan = Scan::refuse(Fault::exception, "the device refused the request");
        return search;
      case Candidate::incomplete: incomplete = true; break;
      case Candidate::damaged: damaged = true; break;
      case Candidate::wrong_length: wrong_length = true; break;
      case Candidate::none:
        if (const std::size_t size = frame_of_others(rest)) {
          ++search.other_frames;
          at += size - 1;
        }
        break;
    }
  }
  const Fault fault = damaged ? Fault::checksum : wrong_length ? Fault::length : Fault::timeout;
  search.scan = incomplete ? Scan::started(fault) : Scan::searching(fault);
  return search;
}

}  // namespace serialbattery::modbus
