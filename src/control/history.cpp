// The history of the battery.
#include "control/history.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kEvery = 60;          // s
constexpr double kLongestTime = 1e15;  // s: keeps the conversion to an integer defined
constexpr double kRearmAbove = 15;     // %: a new full discharge counts only after the battery was above this
using enum HistoryValue;

// Groups of /History/Clear, dbus-interface.md 11.8. Group 1 is everything.
struct Member {
  HistoryGroup group;
  HistoryValue value;
};
constexpr std::array kMembers{
    Member{HistoryGroup::capacity, deepest_discharge},
    Member{HistoryGroup::capacity, last_discharge},
    Member{HistoryGroup::capacity, charge_cycles},
    Member{HistoryGroup::capacity, full_discharges},
    Member{HistoryGroup::capacity, total_ah_drawn},
    Member{HistoryGroup::voltages, minimum_voltage},
    Member{HistoryGroup::voltages, maximum_voltage},
    Member{HistoryGroup::voltages, minimum_cell_voltage},
    Member{HistoryGroup::voltages, maximum_cell_voltage},
    Member{HistoryGroup::time, timestamp_last_full_charge},
    Member{HistoryGroup::time, automatic_syncs},
    Member{HistoryGroup::alarms, low_voltage_alarms},
    Member{HistoryGroup::alarms, high_voltage_alarms},
    Member{HistoryGroup::temperatures, minimum_temperature},
    Member{HistoryGroup::temperatures, maximum_temperature},
    Member{HistoryGroup::energies, discharged_energy},
    Member{HistoryGroup::energies, charged_energy},
};

bool raised(const std::optional<AlarmLevel>& level) {
  return level && *level != AlarmLevel::ok;
}

}  // namespace

HistoryKeeper::HistoryKeeper(const History& restored, const HistoryFlags& delivered) : delivered_(delivered) {
  for (std::size_t i = 0; i < History::size(); ++i) {
    const auto value = static_cast<HistoryValue>(i);
    values_[value] = finite(restored[value]);
  }
  // Written with a sign by some earlier versions.
  for (const auto value : {deepest_discharge, last_discharge, average_discharge, total_ah_drawn}) {
    if (values_[value]) values_[value] = std::fabs(*values_[value]);
  }
  running_discharge_ = values_[last_discharge].value_or(0);
}

void HistoryKeeper::take(const Battery& reading) {
  for (std::size_t i = 0; i < History::size(); ++i) {
    const auto value = static_cast<HistoryValue>(i);
    if (!reading.history[value]) continue;
    delivered_[value] = true;
    values_[value] = reading.history[value];
  }
}

void HistoryKeeper::book_current(double amperes, double seconds) {
  const double charge = amperes * seconds / 3600;
  if (charge >= 0) return;
  flow_.drawn_ah -= charge;
  running_discharge_ -= charge;
}

void HistoryKeeper::book_power(double watts, double seconds) {
  const double energy = watts * seconds / 3600;
  if (energy > 0) {
    flow_.charged_wh += energy;
  } else {
    flow_.discharged_wh -= energy;
  }
}

void HistoryKeeper::follow_average(std::optional<double> average) {
  if (!average) return;
  if (last_average_ && *last_average_ >= 0 && *average < 0) running_discharge_ = 0;
  last_average_ = average;
}

void HistoryKeeper::count_alarms(const Alarms& alarms) {
  const AlarmPair low{raised(alarms[Alarm::low_voltage]), raised(alarms[Alarm::low_cell_voltage])};
  const AlarmPair high{raised(alarms[Alarm::high_voltage]), raised(alarms[Alarm::high_cell_voltage])};
  const auto update = [this](HistoryValue counter, const AlarmPair& before, const AlarmPair& now) {
    if (!calculated(counter)) return;
    const bool new_one = alarms_seen_ && ((now.first && !before.first) || (now.second && !before.second));
    values_[counter] = values_[counter].value_or(0) + (new_one ? 1 : 0);
  };
  update(low_voltage_alarms, low_, low);
  update(high_voltage_alarms, high_, high);
  low_ = low;
  high_ = high;
  alarms_seen_ = true;
}

void HistoryKeeper::full_charge(std::int64_t wall) {
  if (calculated(timestamp_last_full_charge)) values_[timestamp_last_full_charge] = static_cast<double>(wall);
  if (calculated(automatic_syncs)) values_[automatic_syncs] = values_[automatic_syncs].value_or(0) + 1;
}

void HistoryKeeper::evaluate_when_due(const Config& config, const HistoryInputs& in, TimePoint now) {
  if (!config.history_enable || (evaluated_ && seconds_between(*evaluated_, now) < kEvery)) return;
  evaluated_ = now;
  evaluate(config, in);
}

void HistoryKeeper::set(HistoryValue value, double to) {
  if (calculated(value) && std::isfinite(to)) values_[value] = without_minus_zero(to);
}

void HistoryKeeper::keep_smallest(HistoryValue value, std::optional<double> seen) {
  if (seen) set(value, std::min(values_[value].value_or(*seen), *seen));
}

void HistoryKeeper::keep_largest(HistoryValue value, std::optional<double> seen) {
  if (seen) set(value, std::max(values_[value].value_or(*seen), *seen));
}

void HistoryKeeper::evaluate(const Config& config, const HistoryInputs& in) {
  evaluate_charge(in);
  evaluate_extremes(in);
  evaluate_energy(config, in);
}

void HistoryKeeper::evaluate_charge(const HistoryInputs& in) {
  if (in.consumed) keep_largest(deepest_discharge, std::fabs(*in.consumed));

  if (!values_[last_discharge]) {
    set(last_discharge, 0);
  } else if (in.average && *in.average <= 0) {
    set(last_discharge, running_discharge_);
  }

  if (!values_[full_discharges]) {
    set(full_discharges, 0);
  } else if (in.soc) {
    if (*in.soc == 0 && full_discharge_armed_) {
      set(full_discharges, *values_[full_discharges] + 1);
      full_discharge_armed_ = false;
    }
    if (*in.soc > kRearmAbove) full_discharge_armed_ = true;
  }

  const double capacity = in.capacity.value_or(0);
  const auto& total = values_[total_ah_drawn];
  const auto& cycles = values_[charge_cycles];
  if (!total) {
    set(total_ah_drawn, cycles.value_or(0) > 0 && capacity > 0 ? *cycles * capacity : 0);
  } else {
    set(total_ah_drawn, *total + flow_.drawn_ah);
    flow_.drawn_ah = 0;
  }
  if (total.value_or(0) > 0 && capacity > 0) set(charge_cycles, *total / capacity);
  if (total && cycles.value_or(0) > 0) set(average_discharge, *total / *cycles);
}

void HistoryKeeper::evaluate_extremes(const HistoryInputs& in) {
  keep_smallest(minimum_voltage, in.voltage);
  keep_largest(maximum_voltage, in.voltage);
  keep_smallest(minimum_cell_voltage, in.lowest_cell);
  keep_largest(maximum_cell_voltage, in.highest_cell);
  keep_smallest(minimum_temperature, in.coldest);
  keep_largest(maximum_temperature, in.hottest);
}

void HistoryKeeper::add_energy(HistoryValue value, double& booked_wh, std::optional<double> estimate) {
  if (!values_[value]) {
    set(value, estimate.value_or(0));
    return;
  }
  set(value, *values_[value] + booked_wh / 1000);
  booked_wh = 0;
}

void HistoryKeeper::evaluate_energy(const Config& config, const HistoryInputs& in) {
  std::optional<double> estimate;  // kWh, from the cycles of an earlier life
  if (values_[charge_cycles] && in.capacity) {
    estimate = finite(config.float_cell_voltage * static_cast<double>(in.cell_count) * *in.capacity * *values_[charge_cycles] / 1000);
  }
  add_energy(discharged_energy, flow_.discharged_wh, estimate);
  add_energy(charged_energy, flow_.charged_wh, estimate);
}

void HistoryKeeper::clear(const Config& config, int group, const HistoryInputs& in) {
  if (group < static_cast<int>(HistoryGroup::all) || group > static_cast<int>(HistoryGroup::energies)) return;
  const auto forget = [this](HistoryValue value) {
    if (calculated(value)) values_[value].reset();
  };
  for (const auto& member : kMembers) {
    if (group == static_cast<int>(member.group)) forget(member.value);
  }
  for (std::size_t i = 0; group == static_cast<int>(HistoryGroup::all) && i < History::size(); ++i) forget(static_cast<HistoryValue>(i));
  if (config.history_enable) evaluate(config, in);
}

History HistoryKeeper::stored() const {
  History result = values_;
  for (std::size_t i = 0; i < History::size(); ++i) {
    const auto value = static_cast<HistoryValue>(i);
    if (delivered_[value]) result[value].reset();
  }
  return result;
}

std::optional<std::int64_t> HistoryKeeper::time_since_full_charge(const Now& now) {
  const auto& stamp = values_[timestamp_last_full_charge];
  const bool due = !since_time_ || stamp != since_stamp_ || seconds_between(*since_time_, now.mono) >= kEvery;
  if (!due) return since_;
  since_time_ = now.mono;
  since_stamp_ = stamp;
  since_.reset();
  if (stamp) since_ = static_cast<std::int64_t>(std::clamp(static_cast<double>(now.wall) - *stamp, 0.0, kLongestTime));
  return since_;
}

}  // namespace serialbattery::control
