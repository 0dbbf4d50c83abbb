// The texts of HLP Data BMS4S: what an answer says. No checksum protects them, so what doesn't pass every check is refused.
#pragma once

#include <string_view>

#include "serialbattery/battery.hpp"

namespace serialbattery::hlpdatabms4s {

/// Answer to `pv`: the version. Throws FrameError(implausible).
void decode_version(std::string_view answer, Battery& into);

/// What `ps` says of one cell; nullopt: not given, or no voltage of an LFP cell.
struct Settings {
  double capacity;                  // Ah
  std::optional<double> cell_high;  // V
  std::optional<double> cell_low;   // V
};
/// Answer to `ps`. Throws FrameError(implausible).
Settings parse_settings(std::string_view answer);

inline constexpr std::size_t cell_count = 4;
/// Has the line of `m1` come to its end? Then there is no need to wait for silence.
bool is_whole_state(std::string_view answer);
/// Answer to `m1`: cells, current, charge, outputs, alarm, sensors. Throws FrameError(length, implausible); `into` may then be partly
/// changed.
void decode_state(std::string_view answer, Battery& into);

}  // namespace serialbattery::hlpdatabms4s
