// What one wants to find in the log the next morning: when the charge mode changed, when charging was forbidden and why, which alarm came
// and went. Everything else is on the bus and in the portal.
#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "control/snapshot.hpp"
#include "serialbattery/clock.hpp"

namespace serialbattery::daemon {

class EventLog {
 public:
  /// A subject that changes all the time is told once in this time, with its latest state.
  static constexpr Duration pause = std::chrono::minutes(1);

  struct Line {
    spdlog::level::level_enum level;
    std::string text;
    bool operator==(const Line&) const = default;
  };

  /// The lines for what differs from what was told before; none in most cycles.
  std::vector<Line> changes(const control::Snapshot& snapshot, TimePoint now);

 private:
  struct Subject {
    std::string told;  // empty: nothing, which stands for the usual state
    std::optional<TimePoint> at;
    bool is_news(std::string_view state, TimePoint now);
  };
  Subject mode_, charge_, discharge_;
  EnumArray<Alarm, Subject> alarms_;
};

}  // namespace serialbattery::daemon
