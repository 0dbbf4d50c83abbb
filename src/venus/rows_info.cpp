// Paths of limits, charge controller, permissions and configuration. Spec dbus-interface.md 11.3, 11.4, 11.10 and 11.12.
#include "venus/path_rows.hpp"

namespace serialbattery::venus {
namespace {

using control::Snapshot;

template <auto member>
constexpr Getter real = [](const Source& s, unsigned) -> ValueView { return s.snapshot.*member; };
template <auto member>
constexpr Getter text = [](const Source& s, unsigned) { return maybe_text(s.snapshot.*member); };
template <auto member>
constexpr Getter from = [](const Source& s, unsigned) { return maybe(s.snapshot.*member); };
template <auto member>
constexpr Getter flag = [](const Source& s, unsigned) { return number(s.snapshot.*member ? 1 : 0); };
template <auto member>
constexpr Getter heater = [](const Source& s, unsigned) { return maybe(s.snapshot.heater.*member); };
template <auto member>
constexpr Getter debug = [](const Source& s, unsigned) -> ValueView {
  const std::optional<std::string>& lines = s.snapshot.*member;
  return lines ? ValueView(std::string_view(*lines)) : ValueView();
};

constexpr std::string_view debug_text = "explanation in several lines; needs `GUI_PARAMETERS_SHOW_ADDITIONAL_INFO`";

constexpr PathRow rows[] = {
    {.path = "/Info/MaxChargeVoltage",
     .type = Type::real,
     .decimals = 2,
     .format = fixed_text(2, "V"),
     .get = real<&Snapshot::cvl>,
     .content = "V, charge voltage limit (CVL); makes the service a BMS for DVCC"},
    {.path = "/Info/MaxChargeCellVoltage",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(2, "V"),
     .get = real<&Snapshot::max_cell_charge_voltage>,
     .content = "V, configured maximum pack voltage per cell"},
    {.path = "/Info/MaxChargeCurrent",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(2, "A"),
     .get = real<&Snapshot::ccl>,
     .content = "A, charge current limit (CCL), never invalid"},
    {.path = "/Info/MaxDischargeCurrent",
     .type = Type::real,
     .decimals = 3,
     .format = fixed_text(2, "A"),
     .get = real<&Snapshot::dcl>,
     .content = "A, discharge current limit (DCL), positive, never invalid"},
    {.path = "/Info/BatteryLowVoltage",
     .type = Type::real,
     .decimals = 2,
     .get = real<&Snapshot::low_voltage>,
     .content = "V, lowest allowed pack voltage"},
    {.path = "/Info/ChargeMode", .type = Type::text, .get = text<&Snapshot::charge_mode>, .content = "stage of charging in words"},
    {.path = "/Info/ChargeLimitation",
     .type = Type::text,
     .get = text<&Snapshot::charge_limitation>,
     .content = "what limits the charge current now; ` *` at the end: held back by hold time or ramp"},
    {.path = "/Info/DischargeLimitation",
     .type = Type::text,
     .get = text<&Snapshot::discharge_limitation>,
     .content = "what limits the discharge current now"},
    {.path = "/Info/ChargeModeDebug", .type = Type::text, .get = debug<&Snapshot::debug>, .content = debug_text},
    {.path = "/Info/ChargeModeDebugFloat", .type = Type::text, .get = debug<&Snapshot::debug_float>, .content = debug_text},
    {.path = "/Info/ChargeModeDebugBulk", .type = Type::text, .get = debug<&Snapshot::debug_bulk>, .content = debug_text},
    {.path = "/Info/HeatingCurrent", .type = Type::real, .decimals = 3, .get = heater<&Heater::current>, .content = "A"},
    {.path = "/Info/HeatingPower", .type = Type::real, .decimals = 2, .get = heater<&Heater::power>, .content = "W"},
    {.path = "/Info/HeatingTemperatureStart",
     .type = Type::real,
     .decimals = 1,
     .get = heater<&Heater::start>,
     .content = "°C, the heater starts below"},
    {.path = "/Info/HeatingTemperatureStop",
     .type = Type::real,
     .decimals = 1,
     .get = heater<&Heater::stop>,
     .content = "°C, the heater stops above"},
    {.path = "/Info/Config/<KEY>",
     .type = Type::text,
     .get = [](const Source& s, unsigned n) { return view(s.info.config_values[n].value); },
     .content = "value in use of every key of `config.ini` (number, or text; no credentials)",
     .repeat = Repeat::config_key,
     .when_text = "`PUBLISH_CONFIG_VALUES`"},
    {.path = "/Io/AllowToCharge",
     .type = Type::integer,
     .get = flag<&Snapshot::allow_charge>,
     .content = "1 if BMS and control allow charging, else 0"},
    {.path = "/Io/AllowToDischarge",
     .type = Type::integer,
     .get = flag<&Snapshot::allow_discharge>,
     .content = "1 if BMS and control allow discharging, else 0"},
    {.path = "/Io/AllowToBalance",
     .type = Type::integer,
     .get = from<&Snapshot::allow_balance>,
     .content = "1 balancing allowed, 0 not; invalid: the BMS does not say"},
    {.path = "/Io/AllowToHeat",
     .type = Type::integer,
     .get = from<&Snapshot::allow_heat>,
     .content = "1 heating allowed, 0 not; invalid: the BMS does not say"},
    {.path = json_path,
     .type = Type::text,
     .content = "all items but `/Settings` as one JSON object; needs `PUBLISH_BATTERY_DATA_AS_JSON`"},
};

}  // namespace

std::span<const PathRow> info_rows() {
  return rows;
}

}  // namespace serialbattery::venus
