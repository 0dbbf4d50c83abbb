// Keys: mode and pace of the limits, charge voltage control. config.md 4.9 and 4.10.
#include "config/key_table.hpp"

namespace serialbattery::config {

namespace {

constexpr Range one_day_s{0, 86400};
constexpr Range voltage_difference{0, 10};

constexpr Key mode_keys[] = {
    {.name = "CHARGE_MODE",
     .member = &Config::charge_mode,
     .default_text = "1",
     .allowed = Range{1, 2},
     .doc = "How the current limits follow the lists below. 1: linear, values between two points are interpolated. 2: step, each point "
            "is a hard step. The charge voltage is the same in both."},
    {.name = "CVL_RECALCULATION_EVERY",
     .member = &Config::cvl_recalculation_every,
     .default_text = "60",
     .unit = "s",
     .allowed = one_day_s,
     .doc = "How often the text that explains an unchanged current limit is refreshed. A lower limit is always applied in the same poll."},
    {.name = "CVL_RECALCULATION_ON_MAX_PERCENTAGE_CHANGE",
     .member = &Config::cvl_recalculation_on_max_percentage_change,
     .default_text = "33",
     .unit = "%",
     .allowed = Range{0, 100},
     .doc = "Accepted for old configurations: small reductions of a current limit used to wait. Here every reduction is applied in the "
            "same poll."},
    {.name = "CVL_RECOVERY_HOLD_SEC",
     .member = &Config::cvl_recovery_hold_sec,
     .default_text = "60",
     .unit = "s",
     .allowed = one_day_s,
     .doc = "After a cell was above its maximum the lowered charge voltage is kept this long once it could rise again."},
    {.name = "CVL_RECOVERY_RATE_V_PER_SEC",
     .member = &Config::cvl_recovery_rate_v_per_sec,
     .default_text = "0.001",
     .unit = "V/s",
     .allowed = Range{0, 100},
     .doc = "Then the charge voltage of the pack rises at this rate. 0: it jumps."},
};

constexpr Key voltage_keys[] = {
    {.name = "CVCM_ENABLE",
     .member = &Config::cvcm_enable,
     .default_text = "True",
     .doc =
         "True: the charge voltage goes through bulk, absorption and float and falls when a single cell is too high. False: it is always "
         "MAX_CELL_VOLTAGE times the number of cells, without float and without protection of single cells."},
    {.name = "SWITCH_TO_FLOAT_WAIT_FOR_SEC",
     .member = &Config::switch_to_float_wait_for_sec,
     .default_text = "900",
     .unit = "s",
     .allowed = Range{0, 604800},
     .empty = {{"0", "0"}},
     .doc = "How long the charge voltage must be reached and the cells be balanced before float begins."},
    {.name = "SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF",
     .member = &Config::switch_to_float_cell_voltage_diff,
     .default_text = "0.010",
     .unit = "V",
     .allowed = voltage_difference,
     .empty = {{"10", "10, the rule is off"}},
     .doc = "Largest difference between the cells at which that wait may start."},
    {.name = "SWITCH_TO_FLOAT_CELL_VOLTAGE_DEVIATION",
     .member = &Config::switch_to_float_cell_voltage_deviation,
     .default_text = "0.003",
     .unit = "V",
     .allowed = voltage_difference,
     .empty = {{"0", "0"}},
     .doc = "Added to the difference above. A larger difference during the wait starts the wait again."},
    {.name = "SWITCH_TO_BULK_SOC_THRESHOLD",
     .member = &Config::switch_to_bulk_soc_threshold,
     .default_text = "80",
     .unit = "%",
     .allowed = Range{0, 100},
     .empty = {{"0", "0, the rule is off"}},
     .doc = "A state of charge below this value ends float."},
    {.name = "SWITCH_TO_BULK_CELL_VOLTAGE_DIFF",
     .member = &Config::switch_to_bulk_cell_voltage_diff,
     .default_text = "0.080",
     .unit = "V",
     .allowed = voltage_difference,
     .empty = {{"10", "10, the rule is off"}},
     .doc = "A difference between the cells at or above this value ends float."},
    {.name = "CVL_CONTROLLER_MODE",
     .member = &Config::cvl_controller_mode,
     .default_text = "1",
     .allowed = Range{0, 4},
     .doc = "What the charge voltage does when a cell is above its maximum. 0: nothing. 1: it falls by the sum of what the cells are too "
            "high. 2: an integrating controller lowers it until the cell is back. 3: it is the sum of the cells, each counted at most "
            "with its maximum. 4: the highest cell is held at its maximum, see charge-control.md."},
    {.name = "CVL_ICONTROLLER_FACTOR",
     .member = &Config::cvl_icontroller_factor,
     .default_text = "0.2",
     .unit = "V/(V s)",
     .allowed = Range{0, 10},
     .doc = "Gain of the integrating controller (CVL_CONTROLLER_MODE = 2)."},
};

constexpr Section all[] = {
    {"Limit mode and recalculation", "", mode_keys},
    {"Charge voltage control", "", voltage_keys},
};

}  // namespace

std::span<const Section> charging_sections() {
  return all;
}

}  // namespace serialbattery::config
