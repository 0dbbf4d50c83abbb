// Durations for humans.
#include "control/duration_text.hpp"

#include <array>
#include <charconv>

namespace serialbattery::control {
namespace {

struct Unit {
  std::uint64_t seconds;
  char letter;
};
constexpr std::array<Unit, 4> kUnits{{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 24> text{};
  const auto printed = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), printed.ptr);
}

}  // namespace

void append_duration(std::string& out, std::int64_t seconds, Precision precision) {
  if (seconds < 0) out += '-';
  std::uint64_t rest = seconds < 0 ? 0 - static_cast<std::uint64_t>(seconds) : static_cast<std::uint64_t>(seconds);
  std::size_t parts = precision == Precision::two_largest ? kUnits.size() : static_cast<std::size_t>(precision) + 1;
  if (precision == Precision::two_largest && rest >= kUnits[0].seconds) {
    parts = 2;  // days and hours
  } else if (precision == Precision::two_largest && rest >= kUnits[1].seconds) {
    parts = 3;  // hours and minutes
  }
  bool first = true;
  for (std::size_t i = 0; i < parts; ++i) {
    const std::uint64_t count = rest / kUnits[i].seconds;
    rest %= kUnits[i].seconds;
    if (count == 0) continue;
    if (!first) out += ' ';
    first = false;
    append_number(out, count);
    out += kUnits[i].letter;
  }
}

std::string duration_text(std::int64_t seconds, Precision precision) {
  std::string out;
  append_duration(out, seconds, precision);
  return out;
}

}  // namespace serialbattery::control
