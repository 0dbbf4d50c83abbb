// The battery behind a simulated BMS: what all models have in common, and a simple one that runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "serialbattery/clock.hpp"
#include "simulator/properties.hpp"

namespace serialbattery::simulator {

/// Units: V, A (positive while charging), %, Ah, degrees Celsius. The defaults are a healthy 16S LFP pack at rest.
struct Pack {
  static constexpr unsigned most_cells = 48;

  std::vector<double> cells = std::vector<double>(16, 3.3);
  std::optional<double> voltage_override;  // the pack voltage is the sum of the cells unless set
  double current = 0;
  double soc = 60;
  double soh = 100;
  double capacity = 100;                     // nominal
  std::optional<double> remaining_override;  // capacity * soc / 100 unless set
  unsigned cycles = 12;
  std::vector<double> temperatures = {24, 25};
  double mos_temperature = 28;
  bool charge_fet = true;
  bool discharge_fet = true;
  std::uint64_t balancing = 0;  // bit 0 = cell 1

  [[nodiscard]] double voltage() const;
  [[nodiscard]] double remaining() const;

  /// Adds voltage, current, soc, soh, capacity, remaining, cycles, cells (their number), cell1.., sensors (their number),
  /// temperature1.., mos_temperature, charge_fet, discharge_fet, balancing.
  void bind(Properties& properties);
};

/// Lets state of charge and cell voltages follow the current, and optionally charges and discharges in turn.
/// Crude on purpose: one open-circuit curve (LFP), one resistance, a small fixed spread of the cells.
class RunningBattery {
 public:
  /// Adds run (on/off), cycle (on: the model chooses the current itself), speed (simulated per real second), cycle_current.
  void bind(Properties& properties);
  /// Moves `pack` to `now`; the first call only sets the clock.
  void advance(Pack& pack, TimePoint now);

 private:
  void step(Pack& pack, double seconds);

  bool run_ = false;
  bool cycle_ = true;
  double speed_ = 1;
  double cycle_current_ = 30;  // A
  bool charging_ = true;       // where the cycle stands
  std::optional<TimePoint> last_;
};

/// Open-circuit voltage of an LFP cell, V; soc in %.
double open_circuit_voltage(double soc);

}  // namespace serialbattery::simulator
