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
bool is_new_scheme(const Layout& l) {
  return l.config.battery_cell_data_format == 1;
}
bool is_old_scheme(const Layout& l) {
  return (l.config.battery_cell_data_format & 2) != 0;
}
bool with_balance(const Layout& l) {
  return (l.config.battery_cell_data_format & 1) != 0;
}

ValueView cell_voltage(const Source& s, unsigned n) {
  return n < s.snapshot.cells.size() ? maybe(s.snapshot.cells[n].voltage) : ValueView();
}

// The same three rows under both schemes.
struct Scheme {
  Condition when;
  std::string_view when_text;

  [[nodiscard]] constexpr PathRow volts(std::string_view path, std::uint8_t decimals, Getter get, std::string_view content,
                                        Repeat repeat = Repeat::once) const {
    return {.path = path,
            .type = Type::real,
            .decimals = decimals,
            .format = fixed_text(decimals, "V"),
            .get = get,
            .content = content,
            .repeat = repeat,
            .when = when,
            .when_text = when_text};
  }
  [[nodiscard]] constexpr PathRow each(std::string_view path) const {
    return volts(path, 3, cell_voltage, "V, one per cell", Repeat::cell);
  }
  [[nodiscard]] constexpr PathRow sum(std::string_view path) const { return volts(path, 2, from<&Snapshot::cell_sum>, "V, all cells"); }
  [[nodiscard]] constexpr PathRow difference(std::string_view path) const {
    return volts(path, 3, from<&Snapshot::cell_diff>, "V, highest less lowest");
  }
};
constexpr Scheme new_scheme{is_new_scheme, "`BATTERY_CELL_DATA_FORMAT` 1"};
constexpr Scheme old_scheme{is_old_scheme, "`BATTERY_CELL_DATA_FORMAT` 2 or 3"};

constexpr PathRow cells[] = {
    new_scheme.each("/Voltages/Cell<n>"),
    new_scheme.sum("/Voltages/Sum"),
    new_scheme.difference("/Voltages/Diff"),
    old_scheme.each("/Cell/<n>/Volts"),
    old_scheme.sum("/Cell/Sum"),
    old_scheme.difference("/Cell/Diff"),
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
