// The inputs of the control vectors as readings.
#include "support/control_inputs.hpp"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>

namespace serialbattery::test {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, Alarms::size()> kAlarms{
    "low_voltage",      "high_voltage",     "low_cell_voltage",          "high_cell_voltage",
    "low_soc",          "state_of_health",  "high_charge_current",       "high_discharge_current",
    "cell_imbalance",   "internal_failure", "high_charge_temperature",   "low_charge_temperature",
    "high_temperature", "low_temperature",  "high_internal_temperature", "fuse_blown"};

constexpr std::array<std::string_view, History::size()> kHistory{"deepest_discharge",
                                                                 "last_discharge",
                                                                 "average_discharge",
                                                                 "total_ah_drawn",
                                                                 "charge_cycles",
                                                                 "full_discharges",
                                                                 "timestamp_last_full_charge",
                                                                 "automatic_syncs",
                                                                 "low_voltage_alarms",
                                                                 "high_voltage_alarms",
                                                                 "minimum_voltage",
                                                                 "maximum_voltage",
                                                                 "minimum_cell_voltage",
                                                                 "maximum_cell_voltage",
                                                                 "minimum_temperature",
                                                                 "maximum_temperature",
                                                                 "discharged_energy",
                                                                 "charged_energy"};

template <typename Key, std::size_t size>
std::optional<Key> named(const std::array<std::string_view, size>& names, std::string_view name) {
  for (std::size_t i = 0; i < size; ++i) {
    if (names[i] == name) return static_cast<Key>(i);
  }
  return std::nullopt;
}

std::optional<double> to_number(const json::value& value, std::string_view name) {
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) throw std::invalid_argument(std::string(name) + " is not a number");
  return value.to_number<double>();
}

constexpr double kMostCells = 1000;

// Every element of a list that may be missing; throws where something else stands.
const json::array& to_list(const json::value& value, std::string_view name) {
  if (!value.is_array()) throw std::invalid_argument(std::string(name) + " is not a list");
  return value.get_array();
}
const json::object& to_object(const json::value& value, std::string_view name) {
  if (!value.is_object()) throw std::invalid_argument(std::string(name) + " is not an object");
  return value.get_object();
}

std::optional<bool> to_flag(const json::value& value, std::string_view name) {
  if (value.is_null()) return std::nullopt;
  if (value.is_bool()) return value.get_bool();
  if (value.is_number()) return value.to_number<double>() != 0;
  throw std::invalid_argument(std::string(name) + " is not true, false or null");
}

std::optional<AlarmLevel> to_level(const json::value& value, std::string_view name) {
  const auto level = to_number(value, name);
  if (!level) return std::nullopt;
  if (*level != 0 && *level != 1 && *level != 2) throw std::invalid_argument(std::string(name) + " is not 0, 1, 2 or null");
  return static_cast<AlarmLevel>(static_cast<int>(*level));
}

// Settings of the ESS are numbers or texts such as "15.0"; the fraction is cut off.
std::optional<int> to_whole(const json::object& ess, std::string_view name) {
  const json::value* value = ess.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  constexpr double most = 1e6;
  double number = most;
  if (value->is_string()) {
    const std::string_view text = value->get_string();
    std::from_chars(text.data(), text.data() + text.size(), number);
  } else if (value->is_number()) {
    number = value->to_number<double>();
  }
  if (!(std::fabs(number) < most)) throw std::invalid_argument(std::string(name) + " is not a number");
  return static_cast<int>(std::trunc(number));
}

}  // namespace

std::optional<Alarm> alarm_named(std::string_view name) {
  return named<Alarm>(kAlarms, name);
}
std::optional<HistoryValue> history_named(std::string_view name) {
  return named<HistoryValue>(kHistory, name);
}

void ControlInputs::set(const json::object& changes) {
  for (const auto& [name, value] : changes) values_[name] = value;
}

void ControlInputs::clear() {
  values_.clear();
  battery_ = {};
}

const json::value* ControlInputs::find(std::string_view name) const {
  const json::value* value = values_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<double> ControlInputs::number(std::string_view name) const {
  const json::value* value = find(name);
  return value == nullptr ? std::nullopt : to_number(*value, name);
}

std::optional<bool> ControlInputs::flag(std::string_view name) const {
  const json::value* value = find(name);
  return value == nullptr ? std::nullopt : to_flag(*value, name);
}

bool ControlInputs::ok() const {
  return flag("ok").value_or(true);
}
std::int64_t ControlInputs::wall_offset() const {
  return static_cast<std::int64_t>(number("wall_offset").value_or(0));
}

void ControlInputs::read_cells() {
  battery_.cells.clear();
  if (const json::value* cells = find("cells")) {
    for (const auto& voltage : to_list(*cells, "cells")) battery_.cells.push_back(Cell{to_number(voltage, "a cell"), std::nullopt});
    if (static_cast<double>(battery_.cells.size()) > kMostCells) throw std::invalid_argument("cells: too many");
  }
  if (const json::value* balance = find("balance")) {
    const auto& flags = to_list(*balance, "balance");
    for (std::size_t i = 0; i < flags.size() && i < battery_.cells.size(); ++i) {
      battery_.cells[i].balancing = to_flag(flags[i], "a flag of balance");
    }
  }
  battery_.balancing = flag("balancing");
  battery_.cell_count.reset();
  if (const auto count = number("cell_count")) {
    if (!(*count >= 0 && *count <= kMostCells)) throw std::invalid_argument("cell_count is out of range");
    battery_.cell_count = static_cast<unsigned>(*count);
  } else if (!battery_.cells.empty()) {
    battery_.cell_count = static_cast<unsigned>(battery_.cells.size());
  }
}

void ControlInputs::read_temperatures() {
  if (flag("temps_stale").value_or(false)) return;
  static constexpr std::array<std::string_view, 4> kNames{"t1", "t2", "t3", "t4"};
  for (std::size_t i = 0; i < kNames.size(); ++i) battery_.temperatures[i] = number(kNames[i]);
  battery_.mos_temperature = number("tmos");
}

// Values that stay once they were given, because the BMS sends them seldom.
void ControlInputs::read_standing_values() {
  const auto keep = [this](std::optional<double>& member, std::string_view name) {
    if (const auto value = number(name)) member = value;
  };
  keep(battery_.limits.charge_current, "bms_ccl");
  keep(battery_.limits.discharge_current, "bms_dcl");
  keep(battery_.limits.charge_voltage, "bms_cvl");
  keep(battery_.limits.low_voltage, "bms_dvl");
  if (const json::value* alarms = find("protection")) {
    for (const auto& [name, level] : to_object(*alarms, "protection")) {
      const auto alarm = alarm_named(name);
      if (!alarm) throw std::invalid_argument("unknown alarm " + std::string(name));
      battery_.alarms[*alarm] = to_level(level, name);
    }
  }
  if (const json::value* history = find("bms_history")) {
    for (const auto& [name, value] : to_object(*history, "bms_history")) {
      const auto entry = history_named(name);
      if (!entry) throw std::invalid_argument("unknown history value " + std::string(name));
      battery_.history[*entry] = to_number(value, name);
    }
  }
}

const Battery& ControlInputs::reading() {
  read_cells();
  read_temperatures();
  read_standing_values();
  battery_.voltage = number("voltage");
  battery_.current = number("current");
  battery_.soc = number("soc");
  battery_.capacity = number("capacity");
  battery_.capacity_remaining = number("capacity_remain");
  battery_.cell_min = number("cell_min");
  battery_.cell_max = number("cell_max");
  battery_.charge_fet = flag("charge_fet");
  battery_.discharge_fet = flag("discharge_fet");
  battery_.heater.active = flag("heating");
  return battery_;
}

control::Environment ControlInputs::environment() const {
  control::Environment environment;
  if (flag("ext_present").value_or(false)) environment.sensor = {number("ext_current"), number("ext_soc")};
  if (const json::value* ess = find("ess")) {
    const auto& members = to_object(*ess, "ess");
    environment.ess = {to_whole(members, "Hub4Mode"), to_whole(members, "State"), to_whole(members, "MinimumSocLimit"),
                       to_whole(members, "SocLimit")};
  }
  return environment;
}

}  // namespace serialbattery::test
