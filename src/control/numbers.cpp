// Decimal rounding without printing, except close to a tie.
#include "control/numbers.hpp"

#include <array>
#include <charconv>

namespace serialbattery::control {
namespace {

// Text and back: the definition of the rounding. Locale-independent, unlike printf.
double round_by_text(double value, int digits) {
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  const auto printed = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
  double result = value;
  std::from_chars(text.data(), printed.ptr, result);
  return without_minus_zero(result);
}

}  // namespace

double round_to(double value, int digits) {
  static constexpr std::array<double, 7> kPowers{1, 10, 100, 1e3, 1e4, 1e5, 1e6};
  if (!std::isfinite(value)) return value;
  const double power = kPowers[static_cast<std::size_t>(digits)];
  const double scaled = value * power;
  // A quotient of two exactly represented numbers is the double nearest to the decimal, just as if it had been read from text. Only
  // where the product's own error could have moved it over a tie the text decides.
  if (std::fabs(scaled) < 1e15) {
    const double nearest = std::nearbyint(scaled);
    const double from_tie = std::fabs(std::fabs(scaled - nearest) - 0.5);
    if (from_tie > 1e-9 + std::fabs(scaled) * 1e-15) return without_minus_zero(nearest / power);
  }
  return round_by_text(value, digits);
}

}  // namespace serialbattery::control
