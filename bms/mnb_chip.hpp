// The conversation with the MAX17853: set-up, one measurement, the balancer.
#pragma once

#include "bms/mnb.hpp"
#include "bms/mnb_board.hpp"
#include "serialbattery/errors.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::mnb {

/// All functions throw LinkError; those that say so FrameError(implausible) too.
class Chip {
 public:
  explicit Chip(ByteLink& link) : link_(link) {}

  asio::awaitable<Reply> transfer(Access access, Duration gap = between_accesses);
  asio::awaitable<std::uint16_t> read(std::uint8_t reg, Duration gap = between_accesses);

  asio::awaitable<void> set_up(CellLimits limits);
  /// Never set up, or measure() saw that the chip had lost its supply since.
  [[nodiscard]] bool needs_set_up() const { return needs_set_up_; }
  void forget() { needs_set_up_ = true; }

  /// Measures everything. Throws FrameError when there is no chip on the bus.
  asio::awaitable<void> measure(Image& image);

  enum class Balancing : std::uint8_t { idle, running, complete, failed };
  asio::awaitable<Balancing> balancing();
  /// False: the chip did not take the timers, nothing was started.
  asio::awaitable<bool> start_balancing(BalancePlan plan);
  asio::awaitable<void> stop_balancing();
  /// Forgets a finished run.
  asio::awaitable<void> clear_balancing();

  /// Answers whose checksum did not fit; its rule is not proven, so they were used.
  [[nodiscard]] unsigned mismatches() const { return mismatches_; }

 private:
  static constexpr Duration between_accesses = 2ms;

  asio::awaitable<unsigned> write(std::uint8_t reg, std::uint16_t value);
  asio::awaitable<void> read_into(Image& image, std::uint8_t reg);
  asio::awaitable<void> read_status(Image& image);
  asio::awaitable<void> scan_finished();

  ByteLink& link_;
  bool needs_set_up_ = true;
  unsigned mismatches_ = 0;
};

}  // namespace serialbattery::mnb
