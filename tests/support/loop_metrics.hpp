// What a simulated case is judged by.
#pragma once

#include <string_view>

#include "support/loop_charger.hpp"
#include "support/loop_pack.hpp"

namespace serialbattery::loop {

/// Counts turns of a value: one each time it has come back by more than `threshold` from its latest extreme.
class TurnCounter {
 public:
  explicit TurnCounter(double threshold) : threshold_(threshold) {}
  void add(double value);
  [[nodiscard]] int turns() const { return turns_; }

 private:
  enum class Direction { none, up, down };
  double threshold_;
  Direction direction_ = Direction::none;
  bool started_ = false;
  double low_ = 0, high_ = 0;  // extremes since the last turn
  int turns_ = 0;
};

/// Sum and number of something that does not happen in every case or on every day.
struct Tally {
  double sum = 0;
  int count = 0;
  void add(double value) { sum += value, ++count; }
  void add(const Tally& other) { sum += other.sum, count += other.count; }
  [[nodiscard]] double mean() const { return count ? sum / count : 0; }
};

struct Metrics {
  double highest_cell = 0;  // V, true
  int trips = 0;            // over-voltage protection of the BMS
  double seconds_above_3_50 = 0, seconds_above_3_55 = 0;
  int days = 0;
  int float_days = 0;      // days on which float began
  Tally minutes_to_float;  // from 95 % mean state of charge
  Tally minutes_to_98_5;   // from 95 % to 98.5 % mean state of charge
  int cvl_turns = 0, ccl_turns = 0;
  double charging_hours = 0;
  double energy = 0;             // Wh: sum over the days of the most that stood on the net account of the day
  double spread = 0;             // % of the capacity between the fullest and the emptiest cell, at the end
  Tally balanced_after;          // days until the spread fell below 0.5 %, if it did
  double low_voltage_hours = 0;  // discharge FET open

  [[nodiscard]] double cvl_turns_per_hour() const { return charging_hours > 0 ? cvl_turns / charging_hours : 0; }
  [[nodiscard]] double ccl_turns_per_hour() const { return charging_hours > 0 ? ccl_turns / charging_hours : 0; }
};

/// Collects the metrics of one case.
class Scorer {
 public:
  explicit Scorer(double max_charge_current) : ccl_(max_charge_current / 10) {}

  /// A new day begins (06:00).
  void begin_day();
  /// After each step.
  void step(const Pack& pack, double current, double dt);
  /// After each poll. `mode`: text of the charge mode.
  void poll(const Limits& limits, std::string_view mode);
  /// Closes the books.
  [[nodiscard]] Metrics finish(const Pack& pack, int trips);

 private:
  Metrics metrics_;
  TurnCounter cvl_{0.010};
  TurnCounter ccl_;
  bool in_float_ = false, float_today_ = false;
  double elapsed_ = 0;              // s
  double next_look_at_spread_ = 0;  // s
  double reached_95_ = -1;          // s, today; negative: not yet
  bool reached_98_5_ = false;
  double day_best_ = 0;  // Wh
};

}  // namespace serialbattery::loop
