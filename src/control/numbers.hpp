// Small helpers for numbers and time: decimal rounding, "-0", non-finite values, durations in seconds.
#pragma once

#include <cmath>
#include <optional>

#include "serialbattery/clock.hpp"

namespace serialbattery::control {

/// Correct decimal rounding of the exact binary value to 0..6 decimals, exact ties to even (control.md 1.1). Never gives -0.
[[nodiscard]] double round_to(double value, int digits);

/// -0 becomes 0; everything else stays.
[[nodiscard]] inline double without_minus_zero(double value) {
  return value + 0.0;
}

/// The value if it is known and finite, without -0; otherwise unknown.
[[nodiscard]] inline std::optional<double> finite(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return without_minus_zero(*value);
}

/// Smallest / largest of two values of which each may be unknown.
[[nodiscard]] inline std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return *b < *a ? b : a;
}
[[nodiscard]] inline std::optional<double> larger(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return *b > *a ? b : a;
}

/// Seconds from one moment to a later one, as a fraction: never truncated.
[[nodiscard]] inline double seconds_between(TimePoint from, TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace serialbattery::control
