// Paths of measurements and charge. Spec dbus-interface.md 11.2 and 14.
#include "venus/path_rows.hpp"

namespace serialbattery::venus {
namespace {

using control::Snapshot;

/// Getter of an optional member of the snapshot.
template <auto member>
constexpr Getter from = [](const Source& s, unsigned) { return maybe(s.snapshot.*member); };

/// The BMS's own figures stand beside the used ones when those come from somewhere else.
bool soc_is_not_the_bms(const Layout& l) {
  return l.config.soc_calculation || (!l.config.external_sensor_dbus_device.empty() && !l.config.external_sensor_dbus_path_soc.empty());
}
constexpr std::string_view soc_is_not_the_bms_text = "`SOC_CALCULATION` or an external SoC source";

constexpr PathRow rows[] = {
    {.path = "/Dc/0/Voltage",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(2, "V"),
     .get = from<&Snapshot::voltage>,
     .content = "V, pack voltage; invalid while the battery is silent"},
    {.path = "/Dc/0/Current",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(2, "A"),
     .get = from<&Snapshot::current>,
     .content = "A, positive while charging; invalid while the battery is silent"},
    {.path = "/Dc/0/Power",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(0, "W"),
     .get = from<&Snapshot::power>,
     .content = "W; invalid while the battery is silent"},
    {.path = "/Dc/0/Temperature",
     .type = Type::real,
     .decimals = 1,
     .get = from<&Snapshot::temperature>,
     .content = "°C, mean of the sensors of `TEMPERATURE_SOURCE_BATTERY`"},
    {.path = "/Dc/0/MidVoltage",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(2, "V"),
     .get = from<&Snapshot::mid_voltage>,
     .content = "V, lower half of the cells; needs `MIDPOINT_ENABLE`"},
    {.path = "/Dc/0/MidVoltageDeviation",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(1, "%"),
     .get = from<&Snapshot::mid_voltage_deviation>,
     .content = "%, difference of the halves; needs `MIDPOINT_ENABLE`"},
    {.path = "/Soc", .type = Type::real, .decimals = 2, .get = from<&Snapshot::soc>, .content = "%, state of charge in use"},
    {.path = "/SocBms",
     .type = Type::real,
     .decimals = 2,
     .get = from<&Snapshot::soc_bms>,
     .content = "%, as the BMS says",
     .when = soc_is_not_the_bms,
     .when_text = soc_is_not_the_bms_text},
    {.path = "/Soh", .type = Type::real, .decimals = 2, .get = from<&Snapshot::soh>, .content = "%, state of health"},
    {.path = "/Capacity",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(2, "Ah"),
     .get = from<&Snapshot::capacity>,
     .content = "Ah, remaining"},
    {.path = "/CapacityBms",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(2, "Ah"),
     .get = from<&Snapshot::capacity_bms>,
     .content = "Ah, remaining as the BMS says",
     .when = soc_is_not_the_bms,
     .when_text = soc_is_not_the_bms_text},
    {.path = "/InstalledCapacity",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(0, "Ah"),
     .get = from<&Snapshot::installed_capacity>,
     .content = "Ah, nominal"},
    {.path = "/ConsumedAmphours",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(0, "Ah"),
     .get = from<&Snapshot::consumed_ah>,
     .content = "Ah, negative or zero"},
    {.path = "/ConsumedAmphoursBms",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(0, "Ah"),
     .get = from<&Snapshot::consumed_ah_bms>,
     .content = "Ah, negative or zero, as the BMS says",
     .when = soc_is_not_the_bms,
     .when_text = soc_is_not_the_bms_text},
    {.path = "/CurrentAvg",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(2, "A"),
     .get = from<&Snapshot::current_avg>,
     .content = "A, mean of the last 300 s"},
    {.path = "/TimeToGo",
     .type = Type::integer,
     .get = from<&Snapshot::time_to_go>,
     .content = "s until full or until the discharge floor; needs `TIME_TO_GO_ENABLE`"},
    {.path = "/TimeToSoC/<n>",
     .type = Type::text,
     .get = [](const Source& s, unsigned n) -> ValueView {
       if (n >= s.snapshot.time_to_soc.size() || !s.snapshot.time_to_soc[n]) return std::monostate{};
       return std::string_view(*s.snapshot.time_to_soc[n]);
     },
     .content = "time until that SoC, written as `TIME_TO_SOC_VALUE_TYPE` says",
     .repeat = Repeat::soc_point,
     .when_text = "each entry of `TIME_TO_SOC_POINTS`"},
    {.path = "/Balancing", .type = Type::integer, .get = from<&Snapshot::balancing>, .content = "1 a cell is being balanced, 0 none"},
    {.path = "/Heating",
     .type = Type::integer,
     .get = [](const Source& s, unsigned) { return maybe(s.snapshot.heater.active); },
     .content = "1 the heater runs, 0 not; invalid: no heater"},
};

}  // namespace

std::span<const PathRow> dc_rows() {
  return rows;
}

}  // namespace serialbattery::venus
