#include "serialbattery/battery.hpp"

namespace serialbattery {

std::string_view alarm_name(Alarm alarm) {
  static constexpr std::string_view names[] = {
      "low_voltage",      "high_voltage",     "low_cell_voltage",          "high_cell_voltage",
      "low_soc",          "state_of_health",  "high_charge_current",       "high_discharge_current",
      "cell_imbalance",   "internal_failure", "high_charge_temperature",   "low_charge_temperature",
      "high_temperature", "low_temperature",  "high_internal_temperature", "fuse_blown"};
  static_assert(std::size(names) == Alarms::size());
  return names[static_cast<std::size_t>(alarm)];
}

}  // namespace serialbattery
