// The configuration as control needs it.
#include "control/settings.hpp"

namespace serialbattery::control {
namespace {

TemperatureAdjustment adjustment(const std::vector<double>& pair) {
  return pair.size() == 2 ? TemperatureAdjustment{pair[0], pair[1]} : TemperatureAdjustment{};
}

// The eight curves of control.md 5.2 and on which side their steps fall.
LimitRules charge_rules(const Config& c) {
  LimitRules rules;
  rules.maximum = c.max_battery_charge_current;
  rules.maximum_label = "Max Battery Charge Current";
  rules.step_mode = c.charge_mode == 2;
  rules.cell = {c.cccm_cv_enable, {c.cell_voltages_while_charging, c.max_charge_current_cv_fraction, rules.maximum}, Between::lower};
  rules.temperature = {c.cccm_t_enable, {c.temperatures_while_charging, c.max_charge_current_t_fraction, rules.maximum}, Between::lower};
  rules.mosfet = {c.cccm_t_mosfet_enable,
                  {c.mosfet_temperatures_while_charging, c.max_charge_current_t_mosfet_fraction, rules.maximum},
                  Between::lower};
  rules.soc = {c.cccm_soc_enable, {c.soc_while_charging, c.max_charge_current_soc_fraction, rules.maximum}, Between::upper};
  rules.recovery_threshold = c.charge_current_recovery_threshold_percent;
  rules.hold = c.ccl_recovery_hold_sec;
  rules.rate = c.ccl_recovery_rate_a_per_sec;
  rules.blocked = c.blocked.charge;
  return rules;
}

LimitRules discharge_rules(const Config& c) {
  LimitRules rules;
  rules.maximum = c.max_battery_discharge_current;
  rules.maximum_label = "Max Battery Discharge Current";
  rules.step_mode = c.charge_mode == 2;
  rules.cell = {c.dccm_cv_enable, {c.cell_voltages_while_discharging, c.max_discharge_current_cv_fraction, rules.maximum}, Between::upper};
  rules.temperature = {
      c.dccm_t_enable, {c.temperatures_while_discharging, c.max_discharge_current_t_fraction, rules.maximum}, Between::upper};
  rules.mosfet = {c.dccm_t_mosfet_enable,
                  {c.mosfet_temperatures_while_discharging, c.max_discharge_current_t_mosfet_fraction, rules.maximum},
                  Between::lower};
  rules.soc = {c.dccm_soc_enable, {c.soc_while_discharging, c.max_discharge_current_soc_fraction, rules.maximum}, Between::upper};
  rules.recovery_threshold = c.discharge_current_recovery_threshold_percent;
  rules.hold = c.dcl_recovery_hold_sec;
  rules.rate = c.dcl_recovery_rate_a_per_sec;
  rules.blocked = c.blocked.discharge;
  return rules;
}

void add_text_refresh(LimitRules& rules, const Config& c) {
  rules.text_refresh_every = c.cvl_recalculation_on_max_percentage_change == 0 ? 0 : c.cvl_recalculation_every;
}

}  // namespace

Settings::Settings(const Config& configuration, const Traits& facts)
    : config(configuration), traits(facts), charge(charge_rules(config)), discharge(discharge_rules(config)) {
  add_text_refresh(charge, config);
  add_text_refresh(discharge, config);
  if (config.current_reported_by_bms != config.current_measured_by_user) {
    current_correction.emplace(config.current_reported_by_bms, config.current_measured_by_user);
  }
  for (const int sensor : config.temperature_source_battery) {
    if (sensor >= 1 && sensor <= 4) temperature_selected[static_cast<std::size_t>(sensor - 1)] = true;
  }
  temperature_adjustment = {adjustment(config.temperature_1_adjust), adjustment(config.temperature_2_adjust),
                            adjustment(config.temperature_3_adjust), adjustment(config.temperature_4_adjust)};
  mos_adjustment = adjustment(config.temperature_mos_adjust);
  temperature_names = {&config.temperature_1_name, &config.temperature_2_name, &config.temperature_3_name, &config.temperature_4_name};
  plausible_cell = 2 * config.max_cell_voltage;
}

}  // namespace serialbattery::control
