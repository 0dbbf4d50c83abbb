// Everything that one poll cycle publishes: the result of control, ready for the path table (src/venus/path_table.cpp).
//
// Values are not rounded here unless a member says so; the path table rounds. nullopt becomes D-Bus "invalid".
// Texts are empty when there is none, except where optional.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serialbattery/battery.hpp"

namespace serialbattery::control {

struct Snapshot {
  // identification that may change while running
  std::string hardware_version;
  std::string device_name;  // text stored in the BMS

  // link
  std::string connection_information;
  bool online = false;  // /System/NrOfModulesOnline
  int cable_alarm = 0;  // /Alarms/BmsCable

  // state: spec dbus-interface.md 12
  int state = 0;
  int mode = 0;
  std::optional<int> device_state;
  std::optional<int> error_code;

  // measurements in use
  std::optional<double> voltage, current, power;
  std::optional<double> current_avg;
  std::optional<double> soc, soc_bms, soh;
  std::optional<double> capacity, capacity_bms, installed_capacity;  // Ah
  std::optional<double> consumed_ah, consumed_ah_bms;                // Ah, negative or zero
  std::optional<double> mid_voltage, mid_voltage_deviation;

  // cells and temperatures
  unsigned cell_count = 0;
  std::vector<Cell> cells;  // cell_count entries; implausible voltages are unknown
  std::optional<double> cell_sum, cell_diff;
  std::optional<double> min_cell_voltage, max_cell_voltage;
  std::string min_cell_id, max_cell_id;  // "C7", empty = unknown
  std::optional<bool> balancing;
  std::array<std::optional<double>, 4> temperatures;  // adjusted
  std::optional<double> mos_temperature;
  std::optional<double> temperature, min_temperature, max_temperature;
  std::string min_temperature_id, max_temperature_id;  // configured sensor name; meaningless while the temperature is unknown
  Heater heater;

  // limits
  double cvl = 0;                      // V, controller voltage + VOLTAGE_DROP, rounded to 2 decimals
  double max_cell_charge_voltage = 0;  // V
  double low_voltage = 0;              // V, /Info/BatteryLowVoltage
  double ccl = 0, dcl = 0;             // A, rounded to 3 decimals
  std::string charge_mode;
  std::string charge_limitation, discharge_limitation;
  std::optional<std::string> debug, debug_float, debug_bulk;
  bool allow_charge = false, allow_discharge = false;
  std::optional<bool> allow_balance, allow_heat;

  Alarms alarms;                                            // after the suppression rules
  History history;                                          // as stored, positive; the path table applies the signs
  std::optional<std::int64_t> time_since_last_full_charge;  // s, changes at most once a minute

  std::optional<std::int64_t> time_to_go;               // s
  std::vector<std::optional<std::string>> time_to_soc;  // one per TIME_TO_SOC_POINTS entry

  bool operator==(const Snapshot&) const = default;
};

}  // namespace serialbattery::control
