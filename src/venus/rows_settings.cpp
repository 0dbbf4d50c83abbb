// Paths of controls. Spec dbus-interface.md 11.9. These items keep the last accepted value.
#include "venus/path_rows.hpp"

namespace serialbattery::venus {
namespace {

bool can_set_soc(const Layout& l) {
  return l.controls.soc || l.config.soc_calculation;
}

bool has_controls(const Layout& l) {
  return l.controls.charge_switch || l.controls.discharge_switch || l.controls.balancer_switch || l.controls.heater_switch ||
         can_set_soc(l);
}

constexpr Limits off_switch{0, 1, 0};
constexpr Getter one = [](const Source&, unsigned) { return number(1); };
constexpr std::string_view soc_text = "the BMS takes a new SoC, or `SOC_CALCULATION`";

constexpr PathRow rows[] = {
    {.path = "/Settings/HasTemperature", .type = Type::integer, .get = one, .content = "1: the GUI shows temperatures in the history"},
    {.path = "/Settings/HasSettings",
     .type = Type::integer,
     .get = one,
     .content = "1: there are controls",
     .when = has_controls,
     .when_text = "any of the following exists"},
    {.path = "/Settings/ForceChargingOff",
     .type = Type::integer,
     .content = "1 switches charging off in the BMS, 0 on again",
     .write = Write::charge_off,
     .when = [](const Layout& l) { return l.controls.charge_switch; },
     .when_text = "the BMS can switch charging",
     .limits = off_switch},
    {.path = "/Settings/ForceDischargingOff",
     .type = Type::integer,
     .content = "1 switches discharging off in the BMS, 0 on again",
     .write = Write::discharge_off,
     .when = [](const Layout& l) { return l.controls.discharge_switch; },
     .when_text = "the BMS can switch discharging",
     .limits = off_switch},
    {.path = "/Settings/TurnBalancingOff",
     .type = Type::integer,
     .content = "1 switches the balancer off, 0 on again",
     .write = Write::balance_off,
     .when = [](const Layout& l) { return l.controls.balancer_switch; },
     .when_text = "the BMS can switch its balancer",
     .limits = off_switch},
    {.path = "/Settings/TurnHeatingOff",
     .type = Type::integer,
     .content = "1 switches the heater off, 0 on again",
     .write = Write::heat_off,
     .when = [](const Layout& l) { return l.controls.heater_switch; },
     .when_text = "the BMS can switch its heater",
     .limits = off_switch},
    {.path = "/Settings/ResetSocTo",
     .type = Type::integer,
     .content = "%, target for the next path; kept within 0 to 100",
     .write = Write::soc_target,
     .when = can_set_soc,
     .when_text = soc_text,
     .limits = Limits{0, 100, 100}},
    {.path = "/Settings/ResetSocToApply",
     .type = Type::integer,
     .content = "anything but 0 sets the SoC to the target; stays 0",
     .write = Write::soc_apply,
     .when = can_set_soc,
     .when_text = soc_text,
     .limits = Limits{0, 1, 0}},
};

}  // namespace

std::span<const PathRow> settings_rows() {
  return rows;
}

}  // namespace serialbattery::venus
