#include "support/config_invariants.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "config/key_table.hpp"

namespace serialbattery::config {

namespace {

using List = std::vector<double>;

// Written down once more on purpose: the loader's own table must not vouch for itself.
constexpr std::pair<List Config::*, List Config::*> curves[] = {
    {&Config::cell_voltages_while_charging, &Config::max_charge_current_cv_fraction},
    {&Config::cell_voltages_while_discharging, &Config::max_discharge_current_cv_fraction},
    {&Config::temperatures_while_charging, &Config::max_charge_current_t_fraction},
    {&Config::temperatures_while_discharging, &Config::max_discharge_current_t_fraction},
    {&Config::mosfet_temperatures_while_charging, &Config::max_charge_current_t_mosfet_fraction},
    {&Config::mosfet_temperatures_while_discharging, &Config::max_discharge_current_t_mosfet_fraction},
    {&Config::soc_while_charging, &Config::max_charge_current_soc_fraction},
    {&Config::soc_while_discharging, &Config::max_discharge_current_soc_fraction},
};

struct InRange {
  const Key& key;

  bool operator()(bool) const { return true; }
  bool operator()(const std::string&) const { return true; }
  bool operator()(double value) const {
    const auto* range = std::get_if<Range>(&key.allowed);
    return std::isfinite(value) && (range == nullptr || (value >= range->low && value <= range->high));
  }
  bool operator()(int value) const {
    const auto* either = std::get_if<Either>(&key.allowed);
    return either == nullptr ? (*this)(static_cast<double>(value)) : value == either->first || value == either->second;
  }
  template <typename T>
  bool operator()(const std::optional<T>& value) const {
    return !value || (*this)(*value);
  }
  template <typename T>
  bool operator()(const std::vector<T>& list) const {
    return (key.empty || !list.empty()) && std::ranges::all_of(list, [this](const T& item) { return (*this)(item); });
  }
};

bool is_curve(const List& points, const List& values) {
  const bool ordered = std::ranges::is_sorted(points) || std::ranges::is_sorted(points, std::greater<>());
  return !points.empty() && points.size() == values.size() && ordered;
}

std::string broken_value(const Config& config) {
  for (const Key* key : all_keys()) {
    if (!std::visit(InRange{*key}, get(config, *key))) return std::string(key->name) + " is outside of its range";
  }
  for (const auto& [points, values] : curves) {
    if (!is_curve(config.*points, config.*values)) return std::string(key_of(points).name) + " is no curve";
  }
  if (!is_curve(config.current_reported_by_bms, config.current_measured_by_user)) return "the current correction is no curve";
  if (config.temperature_source_battery.empty()) return "no temperature source";
  if (config.time_to_soc_recalculate_every < 5) return "TIME_TO_SOC_RECALCULATE_EVERY is below 5";
  if (config.lipro_end_address < config.lipro_start_address) return "the LiPro addresses are reversed";
  if (config.soc_reset_after_days && !config.cvcm_enable) return "a SoC reset without CVCM_ENABLE";
  if (config.float_cell_voltage > config.max_cell_voltage && !config.blocked.charge) return "float above the maximum";
  return {};
}

}  // namespace

std::string broken_invariant(const Loaded& loaded) {
  const Config& config = loaded.config;
  const bool error_listed =
      std::ranges::any_of(loaded.issues, [](const Issue& issue) { return severity_of(issue.code) == Severity::error; });
  if (config.has_errors != error_listed) return "has_errors is not what the issues say";
  if (config.blocked != Blocked() && !config.has_errors) return "blocked without an error";
  if (config.issue_lines.empty() == config.has_errors) return "an error without a line for the bus";
  if (loaded.origins.size() != all_keys().size()) return "a key without origin";
  return broken_value(config);
}

}  // namespace serialbattery::config
