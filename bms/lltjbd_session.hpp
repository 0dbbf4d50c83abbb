// Reading and writing the registers of a JBD board; sessions in its factory mode, where limits and function bits lie.
#pragma once

#include <exception>

#include "bms/lltjbd.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::lltjbd {

enum FetMask : unsigned { charge_lock = 1U, discharge_lock = 2U };  // of fet_lock

class Session {
 public:
  explicit Session(ByteLink& link) : link_(link) {}

  /// Times of a probe; normal ones before and after it.
  void hurry(Effort effort);
  void settle();

  /// Sends any request of this protocol. A refusal of the board is a good reply here.
  asio::awaitable<Reply> exchange(Bytes request);
  /// Data of a register, valid until the next exchange. Throws FrameError(rejected) when the board refuses.
  asio::awaitable<Bytes> read(std::uint8_t reg);
  asio::awaitable<void> write(std::uint8_t reg, std::uint16_t value);

  enum class Leave : std::uint8_t { plain, save };  // saving also clears the protection counters
  /// Carries out `step` in factory mode, which is left on every path: a board left there is a hazard. `step` returns whether it wrote
  /// something; only then `leave` matters. Throws what `step` throws.
  asio::awaitable<bool> in_factory_mode(asio::awaitable<bool> step, Leave leave = Leave::plain);

  /// Locks FETs, `changed` is the one that differs from before. Newest firmware has another register for that.
  asio::awaitable<void> lock_fets(unsigned locks, FetMask changed);
  /// Allows or forbids balancing, and makes sure that the board keeps that. Returns the function bits.
  asio::awaitable<std::uint16_t> switch_balancer(bool enable);

 private:
  asio::awaitable<Bytes> request(std::uint8_t reg, ByteVector bytes);
  asio::awaitable<void> leave_factory_mode(Leave how);
  asio::awaitable<std::uint16_t> read_function_bits();
  asio::awaitable<bool> write_balancer_bit(bool enable);

  ByteLink& link_;
  Timing timing_ = normal_timing;
  std::optional<std::uint8_t> refused_with_;
  std::uint16_t function_bits_ = 0;  // last read or written here

  static constexpr Timing normal_timing{
      .first_byte = 500ms, .between_bytes = 100ms, .expected = 87, .total = 1s, .gap = 50ms, .attempts = 3};
};

}  // namespace serialbattery::lltjbd
