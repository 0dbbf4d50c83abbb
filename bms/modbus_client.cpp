// Modbus RTU: asking, and the registers that were told; see modbus_rtu.hpp.
#include <spdlog/spdlog.h>

#include "bms/modbus_rtu.hpp"

namespace serialbattery::modbus {

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
      if (error.port_gone()) throw;
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
  require(wire::u16be(frame, 4) == value, "the device kept another value than the one written", Fault::rejected);
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

std::optional<double> Registers::scaled(unsigned reg, wire::Type type, double per_unit, unsigned byte) const {
  const auto raw = number(reg, type, byte);
  return raw ? std::optional(static_cast<double>(*raw) / per_unit + 0.0) : std::nullopt;  // + 0.0: never -0
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
    if (raw) battery.*field.target = (static_cast<double>(*raw) - field.zero) / field.per_unit + 0.0;  // never -0
  }
}

}  // namespace serialbattery::modbus
