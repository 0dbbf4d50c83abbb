// The poll interval and its adaptation to a BMS that answers slowly: control.md 1.4. Pure; the daemon measures the times.
#pragma once

#include <optional>

#include "serialbattery/clock.hpp"

namespace serialbattery::control {

class PollInterval {
 public:
  explicit PollInterval(Duration start) : interval_(start) {}

  struct Verdict {
    std::optional<int> polls_left;  // log a warning: after this many more slow polls the interval is raised; 0 = raised now
    bool raised = false;            // interval() is new
  };

  /// One finished poll. `refresh`: time to read the BMS, of all batteries of the port together; `runtime`: the whole poll.
  Verdict finished(Duration refresh, Duration runtime);

  [[nodiscard]] Duration interval() const { return interval_; }
  [[nodiscard]] int slow_polls() const { return slow_; }

 private:
  Duration interval_;
  int slow_ = 0;  // slow polls in a row
};

}  // namespace serialbattery::control
