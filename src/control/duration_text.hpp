// Durations for humans: "1d 2h 3m 4s", control.md 7.
#pragma once

#include <cstdint>
#include <string>

namespace serialbattery::control {

/// Which parts are shown. Parts that are zero are always left out.
enum class Precision : int { days = 0, hours = 1, minutes = 2, seconds = 3, two_largest = 4 };

/// Appends the text to `out`. Zero appends nothing; a negative duration whose parts are all cut off appends "-".
/// two_largest: with days no minutes and seconds, with hours no seconds.
void append_duration(std::string& out, std::int64_t seconds, Precision precision);

[[nodiscard]] std::string duration_text(std::int64_t seconds, Precision precision);

}  // namespace serialbattery::control
