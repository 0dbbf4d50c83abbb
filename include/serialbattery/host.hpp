// What a board without a microcontroller needs from this computer, because its driver is the BMS: pins that switch, and a memory.
#pragma once

#include <optional>

namespace serialbattery {

/// Calls are short and do not wait for the board.
class Host {
 public:
  Host() = default;
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Makes a GPIO pin of the first controller an output that keeps its level, which is returned. Throws LinkError(io) when it can't be had.
  virtual bool take_pin(unsigned pin) = 0;
  /// A pin that was taken. Throws LinkError(io).
  virtual void set_pin(unsigned pin, bool high) = 0;

  /// The number that was stored last, in this run or an earlier one; unknown at the first start.
  [[nodiscard]] virtual std::optional<double> remembered() const = 0;
  /// Failure costs only the memory. Wears flash: call it seldom.
  virtual void remember(double value) noexcept = 0;
};

}  // namespace serialbattery
