// The state of charge in use: external sensor, coulomb counting, or the BMS (control.md 3.3, 3.4).
#pragma once

#include <optional>

#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

struct SocInputs {
  std::optional<double> external;  // %, of the external sensor
  std::optional<double> stated;    // %, of the BMS
  std::optional<double> capacity;  // Ah
  std::optional<double> current;   // A, in use
  std::optional<double> lowest;    // V, shown lowest cell
};

class StateOfCharge {
 public:
  /// `restored`: %, of the last run; used with SOC_CALCULATION only.
  StateOfCharge(const Config& config, std::optional<double> restored);

  /// One good poll.
  void evaluate(const Config& config, const SocInputs& in, TimePoint now);

  /// From the GUI: the calculation starts from this value, 0..100 %.
  void set(double percent);

  /// Full-charge event: 100 %, visible with the next good poll. Does nothing while the calculation is not running.
  void set_full(const Config& config, std::optional<double> capacity, TimePoint now);

  /// %; unknown: nobody knows it.
  [[nodiscard]] std::optional<double> value() const { return value_; }
  /// %, to be stored: where the calculation stands, also while another value is shown; value() before it knows any.
  [[nodiscard]] std::optional<double> stored() const { return counted_ ? counted_ : value_; }
  /// Known earlier in this run, not now.
  [[nodiscard]] bool lost() const { return ever_known_ && !value_; }
  [[nodiscard]] std::optional<double> charge() const { return charge_; }  // Ah, of the calculation
  [[nodiscard]] std::optional<TimePoint> zero_timer() const { return zero_timer_; }

 private:
  void count(const Config& config, const SocInputs& in, TimePoint now);
  void apply_zero_rule(const Config& config, const SocInputs& in, TimePoint now);

  std::optional<double> value_;
  std::optional<double> counted_;  // %, where the calculation stands or will start
  std::optional<double> charge_;   // Q, Ah
  TimePoint charge_time_{};        // tQ
  std::optional<TimePoint> zero_timer_;
  bool external_ = false;
  bool ever_known_ = false;
};

}  // namespace serialbattery::control
