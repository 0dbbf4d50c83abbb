// What control makes of the cell voltages of one reading.
#include "control/cells.hpp"

#include <cmath>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

// No pack of this driver's range has a voltage beyond this (control.md 2.2); 0xFFFF in a register is no statement.
constexpr double kHighestPackVoltage = 150.0;

std::optional<double> stated_current(std::optional<double> value) {
  value = finite(value);
  return value ? std::optional(std::max(*value, 0.0)) : std::nullopt;
}

std::optional<double> stated_voltage(std::optional<double> value) {
  value = finite(value);
  if (!value || *value > kHighestPackVoltage) return std::nullopt;
  return std::max(*value, 0.0);
}

std::optional<double> plausible_cell(std::optional<double> value, double plausible) {
  if (value && std::fabs(*value) > plausible) return std::nullopt;
  return value;
}

}  // namespace

void take_cleaned(Battery& into, const Battery& reading) {
  into = reading;
  for (auto* value :
       {&into.voltage, &into.current, &into.soc, &into.soh, &into.capacity, &into.capacity_remaining, &into.cell_min, &into.cell_max,
        &into.mos_temperature, &into.heater.current, &into.heater.power, &into.heater.start, &into.heater.stop}) {
    *value = finite(*value);
  }
  for (auto& temperature : into.temperatures) temperature = finite(temperature);
  for (auto& cell : into.cells) cell.voltage = finite(cell.voltage);
  for (auto& value : into.history) value = finite(value);
  into.limits.charge_current = stated_current(into.limits.charge_current);
  into.limits.discharge_current = stated_current(into.limits.discharge_current);
  into.limits.charge_voltage = stated_voltage(into.limits.charge_voltage);
  into.limits.low_voltage = stated_voltage(into.limits.low_voltage);
}

void Cells::take(const Battery& reading, double plausible) {
  unsigned count = reading.cell_count.value_or(static_cast<unsigned>(reading.cells.size()));
  if (count == 0) count = count_;
  count_changed_ = count != count_ && count_ != 0;
  if (count != count_) {
    count_ = count;
    cells_.assign(count, Cell{});
    ever_known_.assign(count, 0);
  }
  known_before_ = any_ever_known_;
  take_voltages(reading, plausible);
  find_extremes(reading, plausible);
}

void Cells::take_voltages(const Battery& reading, double plausible) {
  known_ = 0;
  given_ = balancing_ = lost_ = false;
  exact_number_ = reading.cells.size() == count_;
  bool positive = true;
  double sum = 0;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    Cell cell = i < reading.cells.size() ? reading.cells[i] : Cell{};
    given_ = given_ || cell.voltage;
    cell.voltage = plausible_cell(cell.voltage, plausible);
    cells_[i] = cell;
    balancing_ = balancing_ || cell.balancing.value_or(false);
    if (cell.voltage) {
      ++known_;
      sum += *cell.voltage;
      positive = positive && *cell.voltage > 0;
      ever_known_[i] = 1;
    } else {
      lost_ = lost_ || ever_known_[i] != 0;
    }
  }
  complete_ = known_ == count_ && count_ > 0 && positive;
  any_ever_known_ = any_ever_known_ || known_ > 0;
  sum_.reset();
  if (known_ > 0) sum_ = round_to(sum * static_cast<double>(count_) / static_cast<double>(known_), 6);
}

void Cells::find_extremes(const Battery& reading, double plausible) {
  lowest_.reset();
  highest_.reset();
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const auto& voltage = cells_[i].voltage;
    if (!voltage) continue;
    if (!lowest_ || *voltage < *cells_[*lowest_].voltage) lowest_ = i;
    if (!highest_ || *voltage > *cells_[*highest_].voltage) highest_ = i;
  }
  const auto cell_lowest = lowest_ ? cells_[*lowest_].voltage : std::nullopt;
  const auto cell_highest = highest_ ? cells_[*highest_].voltage : std::nullopt;
  const auto stated_lowest = plausible_cell(reading.cell_min, plausible);
  const auto stated_highest = plausible_cell(reading.cell_max, plausible);
  extremes_stated_ = stated_lowest && stated_highest;
  shown_lowest_ = stated_lowest ? stated_lowest : cell_lowest;
  shown_highest_ = stated_highest ? stated_highest : cell_highest;
  control_lowest_ = smaller(stated_lowest, cell_lowest);
  control_highest_ = larger(stated_highest, cell_highest);
}

}  // namespace serialbattery::control
