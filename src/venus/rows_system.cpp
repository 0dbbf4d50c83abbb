// Paths of cell and temperature extremes, of sensors and of single cells. Spec dbus-interface.md 11.5 and 11.6.
#include "venus/path_rows.hpp"

namespace serialbattery::venus {
namespace {

using control::Snapshot;

template <auto member>
constexpr Getter from = [](const Source& s, unsigned) { return maybe(s.snapshot.*member); };
template <auto member>
constexpr Getter text = [](const Source& s, unsigned) { return maybe_text(s.snapshot.*member); };
/// The name of a sensor means nothing while its temperature is unknown.
template <auto member, auto temperature>
constexpr Getter sensor_name =
    [](const Source& s, unsigned) { return s.snapshot.*temperature ? maybe_text(s.snapshot.*member) : ValueView(); };

constexpr PathRow rows[] = {
    {.path = "/System/NrOfCellsPerBattery",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) -> ValueView {
       return s.snapshot.cell_count > 0 ? ValueView(std::int64_t{s.snapshot.cell_count}) : ValueView();
     },
     .content = "cells in series"},
    {.path = "/System/NrOfModulesOnline",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return number(s.snapshot.online ? 1 : 0); },
     .content = "1, or 0 while silent for 10 s or longer"},
    {.path = "/System/NrOfModulesOffline",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return number(s.snapshot.online ? 0 : 1); },
     .content = "the complement"},
    {.path = "/System/NrOfModulesBlockingCharge",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return number(s.snapshot.allow_charge ? 0 : 1); },
     .content = "1 if charging is not allowed"},
    {.path = "/System/NrOfModulesBlockingDischarge",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return number(s.snapshot.allow_discharge ? 0 : 1); },
     .content = "1 if discharging is not allowed"},
    {.path = "/System/MinCellVoltage",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(3, "V"),
     .get = from<&Snapshot::min_cell_voltage>,
     .content = "V, lowest cell"},
    {.path = "/System/MinVoltageCellId", .type = Type::text, .get = text<&Snapshot::min_cell_id>, .content = "its name, e.g. `C7`"},
    {.path = "/System/MaxCellVoltage",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(3, "V"),
     .get = from<&Snapshot::max_cell_voltage>,
     .content = "V, highest cell"},
    {.path = "/System/MaxVoltageCellId", .type = Type::text, .get = text<&Snapshot::max_cell_id>, .content = "its name"},
    {.path = "/System/MinCellTemperature",
     .type = Type::real,
     .decimals = 1,
     .get = from<&Snapshot::min_temperature>,
     .content = "°C, coldest sensor of `TEMPERATURE_SOURCE_BATTERY`"},
    {.path = "/System/MinTemperatureCellId",
     .type = Type::text,
     .get = sensor_name<&Snapshot::min_temperature_id, &Snapshot::min_temperature>,
     .content = "its configured name"},
    {.path = "/System/MaxCellTemperature",
     .type = Type::real,
     .decimals = 1,
     .get = from<&Snapshot::max_temperature>,
     .content = "°C, warmest sensor"},
    {.path = "/System/MaxTemperatureCellId",
     .type = Type::text,
     .get = sensor_name<&Snapshot::max_temperature_id, &Snapshot::max_temperature>,
     .content = "its configured name"},
    {.path = "/System/MOSTemperature",
     .type = Type::real,
     .decimals = 1,
     .get = from<&Snapshot::mos_temperature>,
     .content = "°C, power switches of the BMS"},
    {.path = "/System/Temperature<n>",
     .type = Type::real,
     .decimals = 1,
     .get = [](const Source& s, unsigned n) { return maybe(s.snapshot.temperatures[n]); },
     .content = "°C, sensor 1 to 4 after the configured adjustment",
     .repeat = Repeat::sensor},
    {.path = "/System/Temperature<n>Name",
     .type = Type::text,
     .get = [](const Source& s, unsigned n) -> ValueView {
       const std::string* names[] = {&s.config.temperature_1_name, &s.config.temperature_2_name, &s.config.temperature_3_name,
                                     &s.config.temperature_4_name};
       return std::string_view(*names[n]);
     },
     .content = "configured name of the sensor",
     .repeat = Repeat::sensor},
};

// BATTERY_CELL_DATA_FORMAT: bit 0 balance flags, bit 1 the older path scheme; 0 nothing.
bool new_scheme(const Layout& l) {
  return l.config.battery_cell_data_format == 1;
}
bool old_scheme(const Layout& l) {
  return (l.config.battery_cell_data_format & 2) != 0;
}
bool with_balance(const Layout& l) {
  return (l.config.battery_cell_data_format & 1) != 0;
}
constexpr std::string_view new_scheme_text = "`BATTERY_CELL_DATA_FORMAT` 1";
constexpr std::string_view old_scheme_text = "`BATTERY_CELL_DATA_FORMAT` 2 or 3";

ValueView cell_voltage(const Source& s, unsigned n) {
  return n < s.snapshot.cells.size() ? maybe(s.snapshot.cells[n].voltage) : ValueView();
}

constexpr PathRow cells[] = {
    {.path = "/Voltages/Cell<n>",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(3, "V"),
     .get = cell_voltage,
     .content = "V, one per cell",
     .repeat = Repeat::cell,
     .when = new_scheme,
     .when_text = new_scheme_text},
    {.path = "/Voltages/Sum",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(2, "V"),
     .get = from<&Snapshot::cell_sum>,
     .content = "V, all cells",
     .when = new_scheme,
     .when_text = new_scheme_text},
    {.path = "/Voltages/Diff",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(3, "V"),
     .get = from<&Snapshot::cell_diff>,
     .content = "V, highest less lowest",
     .when = new_scheme,
     .when_text = new_scheme_text},
    {.path = "/Cell/<n>/Volts",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(3, "V"),
     .get = cell_voltage,
     .content = "V, one per cell",
     .repeat = Repeat::cell,
     .when = old_scheme,
     .when_text = old_scheme_text},
    {.path = "/Cell/Sum",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(2, "V"),
     .get = from<&Snapshot::cell_sum>,
     .content = "V, all cells",
     .when = old_scheme,
     .when_text = old_scheme_text},
    {.path = "/Cell/Diff",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(3, "V"),
     .get = from<&Snapshot::cell_diff>,
     .content = "V, highest less lowest",
     .when = old_scheme,
     .when_text = old_scheme_text},
    {.path = "/Balances/Cell<n>",
     .type = Type::integer,
     .get = [](const Source& s, unsigned n) { return n < s.snapshot.cells.size() ? maybe(s.snapshot.cells[n].balancing) : ValueView(); },
     .content = "1 the cell is being balanced, 0 not; invalid: the BMS does not say",
     .repeat = Repeat::cell,
     .when = with_balance,
     .when_text = "`BATTERY_CELL_DATA_FORMAT` 1 or 3"},
};

}  // namespace

std::span<const PathRow> system_rows() {
  return rows;
}
std::span<const PathRow> cell_rows() {
  return cells;
}

}  // namespace serialbattery::venus
