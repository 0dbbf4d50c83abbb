// The history of the battery: control.md 8.
#pragma once

#include <cstdint>
#include <optional>

#include "control/controller.hpp"
#include "control/measurements.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

/// What the evaluation of the history looks at. Stale values are given as unknown.
struct HistoryInputs {
  unsigned cell_count = 0;
  std::optional<double> capacity{}, consumed{};         // Ah
  std::optional<double> soc{};                          // %, in use
  std::optional<double> average{};                      // A
  std::optional<double> voltage{};                      // V, pack
  std::optional<double> lowest_cell{}, highest_cell{};  // V
  std::optional<double> coldest{}, hottest{};           // degrees Celsius
};

class HistoryKeeper {
 public:
  /// `delivered`: values that the BMS itself counts; more become so when a reading has them.
  HistoryKeeper(const History& restored, const HistoryFlags& delivered);

  /// A good poll: takes over what the BMS delivers.
  void take(const Battery& reading);

  /// Charge and energy of the interval that ends with this good poll.
  void book_current(double amperes, double seconds);
  void book_power(double watts, double seconds);

  /// Every poll: the average current, for the start of a new discharge.
  void follow_average(std::optional<double> average);

  /// Every poll with HISTORY_ENABLE: counts voltage alarms as the BMS reports them.
  void count_alarms(const Alarms& alarms);

  /// Every poll: evaluates once a minute, with HISTORY_ENABLE.
  void evaluate_when_due(const Config& config, const HistoryInputs& in, TimePoint now);

  /// The full-charge event.
  void full_charge(std::int64_t wall);

  /// /History/Clear: the values of the group become unknown and are evaluated anew. Other numbers do nothing.
  void clear(const Config& config, int group, const HistoryInputs& in);

  [[nodiscard]] const History& values() const { return values_; }
  /// What is to be stored: without the values that the BMS delivers.
  [[nodiscard]] History stored() const;
  /// s; kept for a minute so that it does not change every poll.
  [[nodiscard]] std::optional<std::int64_t> time_since_full_charge(const Now& now);
  [[nodiscard]] double running_discharge() const { return running_discharge_; }  // Ah

 private:
  [[nodiscard]] bool calculated(HistoryValue value) const { return !delivered_[value]; }
  void evaluate(const Config& config, const HistoryInputs& in);
  void evaluate_charge(const HistoryInputs& in);
  void evaluate_extremes(const HistoryInputs& in);
  void evaluate_energy(const Config& config, const HistoryInputs& in);
  void set(HistoryValue value, double to);
  void keep_smallest(HistoryValue value, std::optional<double> seen);
  void keep_largest(HistoryValue value, std::optional<double> seen);
  void add_energy(HistoryValue value, double& booked_wh, std::optional<double> estimate);

  History values_;
  HistoryFlags delivered_;
  FlowCounters flow_;             // not taken over yet
  double running_discharge_ = 0;  // Ah since the average current turned negative
  std::optional<double> last_average_;
  bool full_discharge_armed_ = true;
  std::optional<TimePoint> evaluated_;

  struct AlarmPair {
    bool first = false, second = false;
  };
  bool alarms_seen_ = false;
  AlarmPair low_, high_;

  std::optional<double> since_stamp_;
  std::optional<TimePoint> since_time_;
  std::optional<std::int64_t> since_;
};

}  // namespace serialbattery::control
