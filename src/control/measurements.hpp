// Temperatures, current, power, charge and energy counters, averages, capacity, midpoint: control.md 3.1, 3.2, 3.5 to 3.7.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "control/cells.hpp"
#include "control/settings.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/clock.hpp"

namespace serialbattery::control {

/// Sensors after clamping and adjustment, and the battery temperature made of the selected ones.
class Temperatures {
 public:
  void take(const Settings& settings, const Battery& reading);
  void forget();  // a dead BMS: nothing is known any more, but the memory of sensors stays

  [[nodiscard]] const std::array<std::optional<double>, 4>& sensors() const { return sensors_; }  // degrees Celsius
  [[nodiscard]] std::optional<double> mosfet() const { return mosfet_; }
  [[nodiscard]] std::optional<double> battery() const { return battery_; }  // mean, 1 decimal
  [[nodiscard]] std::optional<double> lowest() const;
  [[nodiscard]] std::optional<double> highest() const;
  /// 0-based sensor that has the extreme value.
  [[nodiscard]] std::optional<std::size_t> lowest_sensor() const { return lowest_; }
  [[nodiscard]] std::optional<std::size_t> highest_sensor() const { return highest_; }
  /// A selected sensor / the MOSFET sensor was known earlier in this run and is not now.
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] bool mosfet_lost() const { return mosfet_ever_known_ && !mosfet_; }

 private:
  std::array<std::optional<double>, 4> sensors_;
  std::optional<double> mosfet_, battery_;
  std::optional<std::size_t> lowest_, highest_;
  std::array<bool, 4> ever_known_{};
  bool mosfet_ever_known_ = false;
  bool lost_ = false;
};

/// The current to work with: external sensor, else the corrected current of the BMS; then the FET rule.
[[nodiscard]] std::optional<double> current_in_use(const Settings& settings, const Battery& reading, std::optional<double> external);

/// Charge and energy that flowed and were not taken into the history yet.
struct FlowCounters {
  double drawn_ah = 0;
  double discharged_wh = 0;
  double charged_wh = 0;
};

/// Mean of the currents of the last 300 s.
class AverageCurrent {
 public:
  AverageCurrent() { samples_.reserve(kMostSamples); }

  /// One poll; `current` unknown: the average is unknown, the samples stay.
  void add(std::optional<double> current, TimePoint now);
  [[nodiscard]] std::optional<double> value() const { return value_; }  // A, 2 decimals

 private:
  static constexpr std::size_t kMostSamples = 4096;
  struct Sample {
    TimePoint time;
    double current;
  };
  std::vector<Sample> samples_;
  std::optional<double> value_;
};

/// Remaining charge, Ah.
[[nodiscard]] std::optional<double> remaining_capacity(const Config& config, const Battery& reading, std::optional<double> soc);

/// Charge taken out, Ah: negative or zero.
[[nodiscard]] std::optional<double> consumed(std::optional<double> capacity, std::optional<double> remaining);

struct Midpoint {
  double voltage = 0;    // V
  double deviation = 0;  // %
};
/// Unknown if the option is off or it can not be computed.
[[nodiscard]] std::optional<Midpoint> midpoint(const Config& config, const Cells& cells);

}  // namespace serialbattery::control
