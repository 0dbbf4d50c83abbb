// See daly_session.hpp.
#include "bms/daly_session.hpp"

#include <spdlog/spdlog.h>

#include <bit>

namespace serialbattery::daly {

namespace {

constexpr Duration answer_time = 500ms;        // of each frame
constexpr Duration quick_answer_time = 250ms;  // a board that is awake answers after 20..80 ms
constexpr Duration short_gap = 20ms;
constexpr Duration long_gap = 120ms;  // for boards that drop requests after the short one
constexpr unsigned watched_requests = 20;
constexpr int misses_for_long_gap = 2;

// Firmware that doesn't know these is silent.
bool is_optional(Command command) {
  return command < pack || command == temperatures;
}

}  // namespace

void Session::begin(Effort effort) {
  answer_time_ = effort == Effort::quick ? quick_answer_time : answer_time;
  gap_ = short_gap;
  misses_ = 0;
}

void Session::settle() {
  answer_time_ = answer_time;
}

// Newer boards answer all requests after the long gap only. It stays until the board is found anew.
void Session::watch_pace(Command command, bool missed) {
  if (is_optional(command)) return;
  misses_ = ((misses_ << 1U) | (missed ? 1U : 0U)) & ((1U << watched_requests) - 1);
  if (std::popcount(misses_) < misses_for_long_gap || gap_ == long_gap) return;
  gap_ = long_gap;
  spdlog::debug("{}: Daly leaves requests unanswered, asking it more slowly", link_.stream().name());
}

asio::awaitable<ByteVector> Session::exchange(Bytes request, Expected expected) {
  const Timing timing{
      .first_byte = answer_time_, .between_bytes = answer_time_, .expected = 13U * std::max(1U, expected.numbered), .gap = gap_};
  const Bytes answer = co_await link_.transact(
      request, [expected](Bytes seen) { return scan_answer(seen, expected); }, timing);
  co_return data_of(answer, expected);
}

asio::awaitable<ByteVector> Session::read(Command command, unsigned numbered, int attempts) {
  const ByteVector request = read_request(address_, command);
  const Expected expected{board_number(address_), command, numbered};
  for (;; --attempts) {
    try {
      ByteVector data = co_await exchange(request, expected);
      watch_pace(command, false);
      // More frames than needed may follow; a request would run into them.
      if (command == temperatures || (command == cell_voltages && address_ == 0x80)) co_await link_.drain(40ms, 500ms);
      co_return data;
    } catch (const BmsError& error) {
      if (error.port_gone()) throw;
      watch_pace(command, error.fault() == Fault::timeout);
      if (attempts <= 1) throw;
    }
  }
}

asio::awaitable<bool> Session::write(Command command, std::array<std::uint8_t, data_size> data, std::uint8_t confirmed) {
  const ByteVector request = write_request(address_, command, data);
  try {
    const ByteVector answer = co_await exchange(request, {board_number(address_), command, 0});
    require(answer[0] == confirmed, "Daly did not accept the command", Fault::rejected);
    co_return true;
  } catch (const BmsError& error) {
    if (error.port_gone() || error.fault() == Fault::rejected) throw;
    spdlog::warn("{}: Daly did not acknowledge a command ({})", link_.stream().name(), error.what());
  }
  co_return false;
}

}  // namespace serialbattery::daly
