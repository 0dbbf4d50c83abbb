// Physical values to raw counts, as the firmware of a BMS would store them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "serialbattery/wire.hpp"

namespace serialbattery::simulator {

/// value * per_unit + zero, rounded, saturated to the range of T.
template <typename T>
T raw(double value, double per_unit = 1, double zero = 0) {
  const double counts = std::round(value * per_unit + zero);
  return static_cast<T>(std::clamp(counts, static_cast<double>(std::numeric_limits<T>::min()),  //
                                   static_cast<double>(std::numeric_limits<T>::max())));
}

inline std::uint16_t raw_u16(double value, double per_unit = 1, double zero = 0) {
  return raw<std::uint16_t>(value, per_unit, zero);
}
/// Two's complement.
inline std::uint16_t raw_i16(double value, double per_unit = 1, double zero = 0) {
  return static_cast<std::uint16_t>(raw<std::int16_t>(value, per_unit, zero));
}
inline std::uint32_t raw_u32(double value, double per_unit = 1, double zero = 0) {
  return raw<std::uint32_t>(value, per_unit, zero);
}
inline std::uint32_t raw_i32(double value, double per_unit = 1, double zero = 0) {
  return static_cast<std::uint32_t>(raw<std::int32_t>(value, per_unit, zero));
}

/// Exactly `size` bytes: cut, or filled up with `pad`.
void put_text(ByteVector& out, std::string_view text, std::size_t size, char pad = '\0');

void append(ByteVector& out, Bytes data);

}  // namespace serialbattery::simulator
