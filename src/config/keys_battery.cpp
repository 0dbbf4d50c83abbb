// Keys: log, current limits and cell voltages, SoC reset, SoC calculation and current correction. config.md 4.1 to 4.4.
#include "config/key_table.hpp"

namespace serialbattery::config {

namespace {

constexpr Range battery_current{0, 5000};
constexpr Range cell_voltage{0.5, 5};

constexpr std::string_view severities[] = {"ERROR", "WARNING", "INFO", "DEBUG"};

constexpr Key log_keys[] = {
    {.name = "LOGGING",
     .member = &Config::logging,
     .default_text = "INFO",
     .allowed = Words{severities},
     .doc = "Lowest severity that is written to the log."},
};

constexpr Key limit_keys[] = {
    {.name = "MAX_BATTERY_CHARGE_CURRENT",
     .member = &Config::max_battery_charge_current,
     .default_text = "50.0",
     .unit = "A",
     .allowed = battery_current,
     .block = Block::charge,
     .doc = "Highest charge current of this battery. Every fraction of the charge current lists below is a part of it. With 0 the "
            "battery is never charged."},
    {.name = "MAX_BATTERY_DISCHARGE_CURRENT",
     .member = &Config::max_battery_discharge_current,
     .default_text = "60.0",
     .unit = "A",
     .allowed = battery_current,
     .block = Block::discharge,
     .doc = "Highest discharge current of this battery. Every fraction of the discharge current lists below is a part of it. With 0 the "
            "battery is never discharged."},
    {.name = "MIN_CELL_VOLTAGE",
     .member = &Config::min_cell_voltage,
     .default_text = "2.900",
     .unit = "V/cell",
     .allowed = cell_voltage,
     .block = Block::charge,
     .doc = "Lowest cell voltage. Multiplied by the number of cells it is the lowest charge voltage that is ever asked for and the "
            "battery's lower voltage limit on the bus; with SOC_CALCULATION it marks the empty battery. It does not switch the discharge "
            "off: the list CELL_VOLTAGES_WHILE_DISCHARGING does that."},
    {.name = "MAX_CELL_VOLTAGE",
     .member = &Config::max_cell_voltage,
     .default_text = "3.450",
     .unit = "V/cell",
     .allowed = cell_voltage,
     .block = Block::charge,
     .doc = "Charge voltage per cell while the battery is filled (bulk and absorption). Multiplied by the number of cells it is the "
            "charge voltage limit (CVL)."},
    {.name = "FLOAT_CELL_VOLTAGE",
     .member = &Config::float_cell_voltage,
     .default_text = "3.375",
     .unit = "V/cell",
     .allowed = cell_voltage,
     .block = Block::charge,
     .doc = "Charge voltage per cell while the full battery is kept (float). It must lie between MIN_CELL_VOLTAGE and MAX_CELL_VOLTAGE."},
};

constexpr Key soc_reset_keys[] = {
    {.name = "SOC_RESET_CELL_VOLTAGE",
     .member = &Config::soc_reset_cell_voltage,
     .default_text = "3.650",
     .unit = "V/cell",
     .allowed = cell_voltage,
     .doc = "Charge voltage per cell that replaces MAX_CELL_VOLTAGE while a reset is due. Choose it about 0.03 V below the over-voltage "
            "protection of the BMS, and not below MAX_CELL_VOLTAGE."},
    {.name = "SOC_RESET_AFTER_DAYS",
     .member = &Config::soc_reset_after_days,
     .unit = "days",
     .allowed = Range{1, 3650},
     .empty = {{"", "no periodic reset"}},
     .doc = "Charge to SOC_RESET_CELL_VOLTAGE when the last such charge was more than this many days ago, or never happened. Needs "
            "CVCM_ENABLE."},
};

constexpr Key soc_keys[] = {
    {.name = "SOC_CALCULATION",
     .member = &Config::soc_calculation,
     .default_text = "False",
     .doc = "True: the driver counts the state of charge itself, sets it to 100 % on the change to float and to 0 % when a cell stays at "
            "or below MIN_CELL_VOLTAGE for 60 s of discharge. False: the state of charge of the BMS is used."},
    {.name = "CURRENT_REPORTED_BY_BMS",
     .member = &Config::current_reported_by_bms,
     .default_text = "-300, 300",
     .unit = "A",
     .rule = Rule::curve,
     .doc = "Current correction, first list: currents as the BMS reports them, positive while charging, at least two, in rising or "
            "falling order."},
    {.name = "CURRENT_MEASURED_BY_USER",
     .member = &Config::current_measured_by_user,
     .default_text = "-300, 300",
     .unit = "A",
     .rule = Rule::curve,
     .doc = "Current correction, second list: what really flows at these points, one entry for each of the first list. Two equal lists: "
            "no correction. Otherwise values in between are interpolated and values outside are held at the ends."},
};

constexpr Section all[] = {
    {"Log", "", log_keys},
    {"Current limits and cell voltages", "These numbers are for one battery (one BMS), never for a bank of several.", limit_keys},
    {"SoC reset voltage",
     "A periodic charge to a higher voltage, at which a BMS recognises the full battery and corrects its state of charge.", soc_reset_keys},
    {"SoC calculation and current correction", "", soc_keys},
};

}  // namespace

std::span<const Section> battery_sections() {
  return all;
}

}  // namespace serialbattery::config
