// Paths of alarms and history. Spec dbus-interface.md 11.7 and 11.8.
#include "venus/path_rows.hpp"

namespace serialbattery::venus {
namespace {

template <Alarm which>
constexpr Getter alarm = [](const Source& s, unsigned) { return maybe(s.snapshot.alarms[which]); };

constexpr PathRow alarms[] = {
    {.path = "/Alarms/LowVoltage", .type = Type::integer, .get = alarm<Alarm::low_voltage>, .content = "pack voltage"},
    {.path = "/Alarms/HighVoltage",
     .type = Type::integer,
     .get = alarm<Alarm::high_voltage>,
     .content = "pack voltage; kept 0 during a SoC-reset charge"},
    {.path = "/Alarms/LowCellVoltage", .type = Type::integer, .get = alarm<Alarm::low_cell_voltage>, .content = "a cell"},
    {.path = "/Alarms/HighCellVoltage",
     .type = Type::integer,
     .get = alarm<Alarm::high_cell_voltage>,
     .content = "a cell; kept 0 during a SoC-reset charge"},
    {.path = "/Alarms/LowSoc", .type = Type::integer, .get = alarm<Alarm::low_soc>, .content = "state of charge"},
    {.path = "/Alarms/StateOfHealth", .type = Type::integer, .get = alarm<Alarm::state_of_health>, .content = "state of health"},
    {.path = "/Alarms/HighChargeCurrent", .type = Type::integer, .get = alarm<Alarm::high_charge_current>, .content = "charge current"},
    {.path = "/Alarms/HighDischargeCurrent",
     .type = Type::integer,
     .get = alarm<Alarm::high_discharge_current>,
     .content = "discharge current"},
    {.path = "/Alarms/CellImbalance", .type = Type::integer, .get = alarm<Alarm::cell_imbalance>, .content = "difference of the cells"},
    {.path = "/Alarms/InternalFailure", .type = Type::integer, .get = alarm<Alarm::internal_failure>, .content = "fault of the BMS"},
    {.path = "/Alarms/HighChargeTemperature",
     .type = Type::integer,
     .get = alarm<Alarm::high_charge_temperature>,
     .content = "too warm to charge"},
    {.path = "/Alarms/LowChargeTemperature",
     .type = Type::integer,
     .get = alarm<Alarm::low_charge_temperature>,
     .content = "too cold to charge"},
    {.path = "/Alarms/HighTemperature", .type = Type::integer, .get = alarm<Alarm::high_temperature>, .content = "too warm"},
    {.path = "/Alarms/LowTemperature", .type = Type::integer, .get = alarm<Alarm::low_temperature>, .content = "too cold"},
    {.path = "/Alarms/HighInternalTemperature",
     .type = Type::integer,
     .get = alarm<Alarm::high_internal_temperature>,
     .content = "power switches too warm"},
    {.path = "/Alarms/FuseBlown", .type = Type::integer, .get = alarm<Alarm::fuse_blown>, .content = "fuse"},
    {.path = "/Alarms/BmsCable",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return number(s.snapshot.cable_alarm); },
     .content = "link lost; always 0 with `BMS_CABLE_ALARM = False`"},
};

template <HistoryValue which>
constexpr Getter value = [](const Source& s, unsigned) { return maybe(s.snapshot.history[which]); };

/// Discharge figures are negative on the bus: Modbus registers of GX devices have a negative scale for them.
template <HistoryValue which>
constexpr Getter negative = [](const Source& s, unsigned) -> ValueView {
  const auto& amount = s.snapshot.history[which];
  return amount ? ValueView(-std::abs(*amount)) : ValueView();
};

/// Counts are whole numbers on the bus, whatever the BMS or the settings delivered.
template <HistoryValue which>
constexpr Getter count = [](const Source& s, unsigned) -> ValueView {
  const auto& amount = s.snapshot.history[which];
  constexpr double largest = 2147483647;
  if (!amount || !std::isfinite(*amount)) return std::monostate{};
  return static_cast<std::int64_t>(std::llround(std::clamp(*amount, 0.0, largest)));
};

constexpr PathRow rows[] = {
    {.path = "/History/DeepestDischarge",
     .type = Type::real,
     .decimals = 2,
     .get = negative<HistoryValue::deepest_discharge>,
     .content = "Ah, negative or zero"},
    {.path = "/History/LastDischarge",
     .type = Type::real,
     .decimals = 2,
     .get = negative<HistoryValue::last_discharge>,
     .content = "Ah, negative or zero"},
    {.path = "/History/AverageDischarge",
     .type = Type::real,
     .decimals = 2,
     .get = negative<HistoryValue::average_discharge>,
     .content = "Ah, negative or zero"},
    {.path = "/History/TotalAhDrawn",
     .type = Type::real,
     .decimals = 2,
     .get = negative<HistoryValue::total_ah_drawn>,
     .content = "Ah, negative or zero"},
    {.path = "/History/ChargeCycles",
     .type = Type::real,
     .decimals = 2,
     .get = value<HistoryValue::charge_cycles>,
     .content = "drawn charge divided by capacity, or the count of the BMS"},
    {.path = "/History/FullDischarges", .type = Type::integer, .get = count<HistoryValue::full_discharges>, .content = "count"},
    {.path = "/History/MinimumVoltage", .type = Type::real, .decimals = 2, .get = value<HistoryValue::minimum_voltage>, .content = "V"},
    {.path = "/History/MaximumVoltage", .type = Type::real, .decimals = 2, .get = value<HistoryValue::maximum_voltage>, .content = "V"},
    {.path = "/History/MinimumCellVoltage",
     .type = Type::real,
     .decimals = 3,
     .get = value<HistoryValue::minimum_cell_voltage>,
     .content = "V"},
    {.path = "/History/MaximumCellVoltage",
     .type = Type::real,
     .decimals = 3,
     .get = value<HistoryValue::maximum_cell_voltage>,
     .content = "V"},
    {.path = "/History/TimeSinceLastFullCharge",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return maybe(s.snapshot.time_since_last_full_charge); },
     .content = "s, renewed at most once a minute"},
    {.path = "/History/AutomaticSyncs", .type = Type::integer, .get = count<HistoryValue::automatic_syncs>, .content = "count"},
    {.path = "/History/LowVoltageAlarms", .type = Type::integer, .get = count<HistoryValue::low_voltage_alarms>, .content = "count"},
    {.path = "/History/HighVoltageAlarms", .type = Type::integer, .get = count<HistoryValue::high_voltage_alarms>, .content = "count"},
    {.path = "/History/MinimumTemperature",
     .type = Type::real,
     .decimals = 1,
     .get = value<HistoryValue::minimum_temperature>,
     .content = "°C"},
    {.path = "/History/MaximumTemperature",
     .type = Type::real,
     .decimals = 1,
     .get = value<HistoryValue::maximum_temperature>,
     .content = "°C"},
    {.path = "/History/DischargedEnergy",
     .type = Type::real,
     .decimals = 3,
     .get = value<HistoryValue::discharged_energy>,
     .content = "kWh"},
    {.path = "/History/ChargedEnergy", .type = Type::real, .decimals = 3, .get = value<HistoryValue::charged_energy>, .content = "kWh"},
    {.path = "/History/Clear",
     .type = Type::integer,
     .get = [](const Source&, unsigned) { return number(0); },
     .content = "clears: 1 all, 2 capacity, 3 voltages, 4 time, 5 alarm counters, 6 temperatures, 7 energies; stays 0",
     .write = Write::clear_history},
    {.path = "/History/CanBeCleared",
     .type = Type::integer,
     .get = [](const Source&, unsigned) { return number(1); },
     .content = "1: the GUI shows its button"},
};

}  // namespace

std::span<const PathRow> alarm_rows() {
  return alarms;
}
std::span<const PathRow> history_rows() {
  return rows;
}

}  // namespace serialbattery::venus
