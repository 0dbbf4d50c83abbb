// Modbus RTU; see modbus_rtu.hpp.
#include "bms/modbus_rtu.hpp"

#include <spdlog/spdlog.h>

namespace serialbattery::modbus {

namespace {

constexpr std::size_t request_size = 8;
constexpr std::size_t exception_size = 5;
constexpr std::uint8_t refusal = 0x80;

bool is_read(std::uint8_t function) {
  return function >= 0x01 && function <= 0x04;
}

bool counts_bits(Function function) {
  return function == Function::read_coils || function == Function::read_inputs;
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

namespace {

bool is_temporary(Code code) {
  return code == Code::in_progress || code == Code::busy;
}

// How often a request is sent when it fails like this.
int attempts_for(Fault fault, Code code, int wanted) {
  if (fault != Fault::exception || is_temporary(code)) return wanted;
  return code == Code::device_failure || code == Code::gateway_silent ? std::min(wanted, 2) : 1;
}

}  // namespace

asio::awaitable<Bytes> Client::transact(Bytes request, std::uint8_t byte_count, const Timing& timing) {
  Timing once = timing;
  once.attempts = 1;
  for (int attempt = 1;; ++attempt) {
    // A late answer to this request must not be taken for the answer to the next: equal quantities give equal headers.
    if (std::exchange(unsettled_, false)) co_await link_.drain(50ms, 500ms);
    Search search;
    try {
      const Bytes frame = co_await link_.transact(
          request,
          [&](Bytes seen) {
            search = search_answer(seen, request, byte_count);
            return search.scan;
          },
          once);
      count_others(search.other_frames);
      co_return frame;
    } catch (const BmsError& error) {
      if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
      count_others(search.other_frames);
      unsettled_ = error.fault() != Fault::exception;
      if (attempt >= attempts_for(error.fault(), search.code, timing.attempts)) {
        if (error.fault() != Fault::exception) throw;
        throw Exception(search.code, std::string(error.what()) + ", exception " + std::to_string(static_cast<int>(search.code)));
      }
    }
    once.gap = std::max(timing.gap, is_temporary(search.code) ? 100ms : timing.retry_gap);
  }
}

asio::awaitable<Bytes> Client::read(std::uint8_t address, const Block& block, const Timing& timing) {
  const ByteVector request = read_request(address, block);
  const Bytes frame = co_await transact(request, block.byte_count, timing);
  co_return frame.subspan(3, frame[2]);
}

asio::awaitable<void> Client::write(std::uint8_t address, std::uint16_t reg, std::uint16_t value, const Timing& timing) {
  Timing once = timing;
  once.attempts = 1;  // a second write after a lost acknowledgement would be a blind one
  const ByteVector request = write_request(address, reg, value);
  const Bytes frame = co_await transact(request, 0, once);
  if (wire::u16be(frame, 4) != value) throw FrameError(Fault::rejected, "the device kept another value than the one written");
}

void Client::count_others(unsigned frames) {
  constexpr std::uint64_t suspicious = 10;
  if (frames == 0) return;
  const std::uint64_t before = std::exchange(other_frames_, other_frames_ + frames);
  if (before < suspicious && other_frames_ >= suspicious) {
    spdlog::warn("{}: other devices talk on this line; a second master (monitor, display, inverter, master BMS) disturbs: unplug it",
                 link_.stream().name());
  }
}

void Registers::store(const Block& block, Bytes data) {
  if (counts_bits(block.function)) {
    for (std::size_t i = 0; i < data.size(); ++i) words_[static_cast<std::uint16_t>(block.start + 8 * i)] = data[i];
    return;
  }
  for (std::size_t i = 0; 2 * i + 2 <= data.size(); ++i) words_[static_cast<std::uint16_t>(block.start + i)] = wire::u16be(data, 2 * i);
}

void Registers::forget(const Block& block) {
  for (unsigned i = 0; i < block.quantity; ++i) words_.erase(static_cast<std::uint16_t>(block.start + i));
}

bool Registers::has(unsigned first, unsigned count) const {
  for (unsigned reg = first; reg < first + count; ++reg) {
    if (!word(reg)) return false;
  }
  return true;
}

bool Registers::has(const Block& block) const {
  if (!counts_bits(block.function)) return has(block.start, block.quantity);
  for (unsigned coil = 0; coil < block.quantity; coil += 8) {
    if (!word(block.start + coil)) return false;
  }
  return true;
}

std::optional<unsigned> Registers::word(unsigned reg) const {
  const auto found = words_.find(static_cast<std::uint16_t>(reg));
  if (found == words_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::int64_t> Registers::number(unsigned reg, wire::Type type, unsigned byte) const {
  const std::size_t words = (byte + wire::size_of(type) + 1) / 2;
  std::array<std::uint8_t, 6> raw{};
  for (unsigned i = 0; i < words; ++i) {
    const auto value = word(reg + i);
    if (!value) return std::nullopt;
    raw[2 * i] = static_cast<std::uint8_t>(*value >> 8U);
    raw[2 * i + 1] = static_cast<std::uint8_t>(*value);
  }
  return wire::read(raw, byte, type);
}

std::optional<std::uint32_t> Registers::low_word_first(unsigned reg) const {
  const auto low = word(reg), high = word(reg + 1);
  if (!low || !high) return std::nullopt;
  return (*high << 16U) | *low;
}

ByteVector Registers::bytes(unsigned first, unsigned count) const {
  ByteVector result;
  for (unsigned reg = first; reg < first + count; ++reg) wire::put_u16be(result, word(reg).value_or(0));
  return result;
}

void decode(std::span<const Field> table, const Registers& registers, Battery& battery) {
  for (const Field& field : table) {
    const auto raw = registers.number(field.reg, field.type);
    if (raw) battery.*field.target = (static_cast<double>(*raw) - field.zero) / field.per_unit;
  }
}

}  // namespace serialbattery::modbus
