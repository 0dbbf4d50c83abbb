// Time to go and time to SoC: control.md 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/controller.hpp"
#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

struct TimeToGoInputs {
  std::optional<double> capacity;  // Ah
  std::optional<double> average;   // A
  std::optional<double> current;   // A, in use
  std::optional<double> soc;       // %, in use
  const EssSettings& ess;
};

class TimeToGo {
 public:
  explicit TimeToGo(const Config& config) : points_(config.time_to_soc_points.size()) {}

  /// Once a poll; calculates when due.
  void evaluate(const Config& config, const TimeToGoInputs& in, TimePoint now);

  /// Everything invalid, as after a failed calculation.
  void forget();

  [[nodiscard]] std::optional<std::int64_t> time_to_go() const { return go_; }  // s
  /// One text per entry of TIME_TO_SOC_POINTS.
  [[nodiscard]] const std::vector<std::optional<std::string>>& time_to_soc() const { return points_; }

 private:
  void calculate(const Config& config, const TimeToGoInputs& in);

  std::optional<TimePoint> calculated_;
  std::optional<std::int64_t> go_;
  std::vector<std::optional<std::string>> points_;
};

}  // namespace serialbattery::control
