// Asking a Daly board: retries, and the pace at which it answers.
#pragma once

#include "bms/daly.hpp"

namespace serialbattery::daly {

class Session {
 public:
  Session(ByteLink& link, std::uint8_t address) : link_(link), address_(address) { begin(Effort::thorough); }

  /// Forgets the pace of the board. In a quick probe answers are waited for shorter, until settle().
  void begin(Effort effort);
  void settle();

  /// Data of the answer to any request of this protocol.
  asio::awaitable<ByteVector> exchange(Bytes request, Expected expected);
  /// Data of the answer to a read. `numbered`: as in Expected.
  asio::awaitable<ByteVector> read(Command command, unsigned numbered, int attempts);
  /// False when no acknowledgement came: some boards send none. Throws FrameError(rejected) unless its d0 is `confirmed`.
  asio::awaitable<bool> write(Command command, std::array<std::uint8_t, data_size> data, std::uint8_t confirmed);

 private:
  void watch_pace(Command command, bool missed);

  ByteLink& link_;
  const std::uint8_t address_;
  Duration answer_time_{}, gap_{};
  std::uint32_t misses_ = 0;  // of the last requests, one bit each, newest in bit 0
};

}  // namespace serialbattery::daly
