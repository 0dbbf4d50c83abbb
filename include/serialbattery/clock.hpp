// Time as the program sees it. Durations come from the monotonic clock, stored times from the wall clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace serialbattery {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

/// One moment on both clocks. Passed into everything that depends on time; nothing pure reads a clock itself.
struct Now {
  TimePoint mono;         // monotonic
  std::int64_t wall = 0;  // Unix time, whole seconds
};

}  // namespace serialbattery
