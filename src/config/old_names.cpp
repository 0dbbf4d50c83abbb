#include "config/old_names.hpp"

#include <algorithm>
#include <iterator>

#include "config/text.hpp"

namespace serialbattery::config {

namespace {

constexpr std::string_view curves_now = "single steps became curves";
constexpr std::string_view removed = "the feature was removed";

constexpr OldName old_names[] = {
    {"LINEAR_LIMITATION_ENABLE", "CHARGE_MODE", "the meaning differs: True is mode 1"},
    {"LINEAR_RECALCULATION_EVERY", "CVL_RECALCULATION_EVERY", ""},
    {"LINEAR_RECALCULATION_ON_PERC_CHANGE", "CVL_RECALCULATION_ON_MAX_PERCENTAGE_CHANGE", ""},
    {"MAX_VOLTAGE_TIME_SEC", "SWITCH_TO_FLOAT_WAIT_FOR_SEC", ""},
    {"SOC_LEVEL_TO_RESET_VOLTAGE_LIMIT", "SWITCH_TO_BULK_SOC_THRESHOLD", ""},
    {"CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_UNTIL", "SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF", ""},
    {"CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_TIME_RESTART", "SWITCH_TO_FLOAT_CELL_VOLTAGE_DEVIATION",
     "do not copy the value: it is now added to SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF"},
    {"CELL_VOLTAGE_DIFF_TO_RESET_VOLTAGE_LIMIT", "SWITCH_TO_BULK_CELL_VOLTAGE_DIFF", ""},
    {"CVL_ICONTROLLER_MODE", "CVL_CONTROLLER_MODE", "the meaning differs: it was on or off, now it is a mode"},
    {"SOC_RESET_VOLTAGE", "SOC_RESET_CELL_VOLTAGE", ""},
    {"BULK_CELL_VOLTAGE", "SOC_RESET_CELL_VOLTAGE", ""},
    {"BULK_AFTER_DAYS", "SOC_RESET_AFTER_DAYS", ""},
    {"MODBUS_ADDRESSES", "BATTERY_ADDRESSES", ""},
    {"HELTEC_MODBUS_ADDR", "BATTERY_ADDRESSES", ""},
    {"SEPLOS_USE_BMS_VALUES", "USE_BMS_DVCC_VALUES", ""},
    {"FELICITY_USE_BMS_VALUES", "USE_BMS_DVCC_VALUES", ""},
    {"SOC_CALC_CURRENT_REPORTED_BY_BMS", "CURRENT_REPORTED_BY_BMS", ""},
    {"SOC_CALC_CURRENT_MEASURED_BY_USER", "CURRENT_MEASURED_BY_USER", ""},
    {"SOC_CALC_CURRENT_MEASURED", "CURRENT_REPORTED_BY_BMS, CURRENT_MEASURED_BY_USER", ""},
    {"SOC_CALC_CURRENT_REAL", "CURRENT_REPORTED_BY_BMS, CURRENT_MEASURED_BY_USER", ""},
    {"EXTERNAL_CURRENT_SENSOR_DBUS_DEVICE", "EXTERNAL_SENSOR_DBUS_DEVICE", ""},
    {"EXTERNAL_CURRENT_SENSOR_DBUS_PATH", "EXTERNAL_SENSOR_DBUS_PATH_CURRENT", ""},
    {"TEMP_BATTERY", "TEMPERATURE_SOURCE_BATTERY", "it is now a list of sensors; 0 for all of them is written 1, 2, 3, 4"},
    {"TEMP_1_NAME", "TEMPERATURE_1_NAME", ""},
    {"TEMP_2_NAME", "TEMPERATURE_2_NAME", ""},
    {"TEMP_3_NAME", "TEMPERATURE_3_NAME", ""},
    {"TEMP_4_NAME", "TEMPERATURE_4_NAME", ""},
    {"TEMPERATURE_LIMITS_WHILE_CHARGING", "TEMPERATURES_WHILE_CHARGING", ""},
    {"TEMPERATURE_LIMITS_WHILE_DISCHARGING", "TEMPERATURES_WHILE_DISCHARGING", ""},
    {"CC_SOC_LIMIT1", "SOC_WHILE_CHARGING", curves_now},
    {"CC_SOC_LIMIT2", "SOC_WHILE_CHARGING", curves_now},
    {"CC_SOC_LIMIT3", "SOC_WHILE_CHARGING", curves_now},
    {"DC_SOC_LIMIT1", "SOC_WHILE_DISCHARGING", curves_now},
    {"DC_SOC_LIMIT2", "SOC_WHILE_DISCHARGING", curves_now},
    {"DC_SOC_LIMIT3", "SOC_WHILE_DISCHARGING", curves_now},
    {"CC_CURRENT_LIMIT1_FRACTION", "MAX_CHARGE_CURRENT_SOC_FRACTION", curves_now},
    {"CC_CURRENT_LIMIT2_FRACTION", "MAX_CHARGE_CURRENT_SOC_FRACTION", curves_now},
    {"CC_CURRENT_LIMIT3_FRACTION", "MAX_CHARGE_CURRENT_SOC_FRACTION", curves_now},
    {"DC_CURRENT_LIMIT1_FRACTION", "MAX_DISCHARGE_CURRENT_SOC_FRACTION", curves_now},
    {"DC_CURRENT_LIMIT2_FRACTION", "MAX_DISCHARGE_CURRENT_SOC_FRACTION", curves_now},
    {"DC_CURRENT_LIMIT3_FRACTION", "MAX_DISCHARGE_CURRENT_SOC_FRACTION", curves_now},
    {"TIME_TO_SOC_LOOP_CYCLES", "TIME_TO_SOC_RECALCULATE_EVERY", "do not copy the value: polls became seconds"},
    {"SOC_RESET_CURRENT", "", removed},
    {"SOC_RESET_TIME", "", removed},
    {"PENALTY_AT_CELL_VOLTAGE", "", "CVL_CONTROLLER_MODE does this now"},
    {"PENALTY_BATTERY_VOLTAGE", "", "CVL_CONTROLLER_MODE does this now"},
    {"PENALTY_RECALCULATE_EVERY", "", "CVL_CONTROLLER_MODE does this now"},
    {"BLUETOOTH_ENABLED", "", removed},
    {"CUSTOM_BATTERY_NAMES", "", "set the name in the GUI"},
    {"JKBMS_CAN_CELL_COUNT", "", removed},
    {"CAN_SPEED", "", "set the bit rate in the GUI (CAN profile)"},
};

}  // namespace

std::span<const OldName> all_old_names() {
  return old_names;
}

const OldName* find_old_name(std::string_view name) {
  const auto* found = std::ranges::find_if(old_names, [name](const OldName& old) { return equal_without_case(old.name, name); });
  return found == std::end(old_names) ? nullptr : found;
}

}  // namespace serialbattery::config
