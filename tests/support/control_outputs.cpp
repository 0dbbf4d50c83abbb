// The outputs of control under the names of the control vectors.
#include "support/control_outputs.hpp"

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <stdexcept>

#include "control/numbers.hpp"
#include "control/state.hpp"
#include "support/control_inputs.hpp"

namespace serialbattery::test {
namespace {

namespace json = boost::json;
using control::Controller;

struct View {
  const control::Snapshot& out;
  const Controller::State& state;
  const Controller& controller;
  const Now& now;
};

template <typename T>
json::value optional(const std::optional<T>& value) {
  return value ? json::value(*value) : nullptr;
}

json::value text(const std::string& value) {
  return json::string(value);
}
json::value text_or_null(const std::string& value) {
  return value.empty() ? json::value(nullptr) : text(value);
}
json::value bit(bool value) {
  return value ? 1 : 0;
}

json::value rounded(const std::optional<double>& value, int digits) {
  return value ? json::value(control::round_to(*value, digits)) : nullptr;
}

json::value level(const std::optional<AlarmLevel>& value) {
  return value ? json::value(static_cast<int>(*value)) : nullptr;
}

using Getter = std::function<json::value(const View&)>;

const std::map<std::string_view, Getter>& getters() {
  static const std::map<std::string_view, Getter> kGetters{
      {"control_voltage", [](const View& v) { return optional(v.state.charge_voltage.voltage()); }},
      {"cvl", [](const View& v) { return json::value(v.out.cvl); }},
      {"cvl_cell", [](const View& v) { return json::value(v.out.max_cell_charge_voltage); }},
      {"blv", [](const View& v) { return json::value(v.out.low_voltage); }},
      {"charge_mode", [](const View& v) { return text(v.out.charge_mode); }},
      {"allow_max_voltage", [](const View& v) { return json::value(v.state.charge_voltage.allow_max()); }},
      {"absorption_elapsed", [](const View& v) { return optional(v.state.charge_voltage.absorption_elapsed(v.now.mono)); }},
      {"soc_reset_requested", [](const View& v) { return json::value(v.state.charge_voltage.reset_requested()); }},
      {"soc_reset_last_reached", [](const View& v) { return json::value(v.state.charge_voltage.last_reset()); }},
      {"soc_reset_events", [](const View& v) { return json::value(v.state.charge_voltage.full_charges()); }},
      {"ccl", [](const View& v) { return json::value(v.out.ccl); }},
      {"dcl", [](const View& v) { return json::value(v.out.dcl); }},
      {"ccl_text", [](const View& v) { return text(v.out.charge_limitation); }},
      {"dcl_text", [](const View& v) { return text(v.out.discharge_limitation); }},
      {"io_charge", [](const View& v) { return bit(v.out.allow_charge); }},
      {"io_discharge", [](const View& v) { return bit(v.out.allow_discharge); }},
      {"soc", [](const View& v) { return rounded(v.out.soc, 2); }},
      {"soc_calc", [](const View& v) { return optional(v.out.soc); }},
      {"voltage", [](const View& v) { return rounded(v.out.voltage, 2); }},
      {"current", [](const View& v) { return rounded(v.out.current, 2); }},
      {"power", [](const View& v) { return rounded(v.out.power, 2); }},
      {"current_calc", [](const View& v) { return optional(v.out.current); }},
      {"current_avg", [](const View& v) { return optional(v.out.current_avg); }},
      {"capacity_remain", [](const View& v) { return optional(v.out.capacity); }},
      {"consumed", [](const View& v) { return optional(v.out.consumed_ah); }},
      {"mid", [](const View& v) { return optional(v.out.mid_voltage); }},
      {"mid_dev", [](const View& v) { return optional(v.out.mid_voltage_deviation); }},
      {"t1", [](const View& v) { return optional(v.out.temperatures[0]); }},
      {"t2", [](const View& v) { return optional(v.out.temperatures[1]); }},
      {"t3", [](const View& v) { return optional(v.out.temperatures[2]); }},
      {"t4", [](const View& v) { return optional(v.out.temperatures[3]); }},
      {"tmos", [](const View& v) { return optional(v.out.mos_temperature); }},
      {"temperature", [](const View& v) { return optional(v.out.temperature); }},
      {"tmin", [](const View& v) { return optional(v.out.min_temperature); }},
      {"tmax", [](const View& v) { return optional(v.out.max_temperature); }},
      {"tmin_id", [](const View& v) { return text_or_null(v.out.min_temperature_id); }},
      {"tmax_id", [](const View& v) { return text_or_null(v.out.max_temperature_id); }},
      {"vmin", [](const View& v) { return optional(v.out.min_cell_voltage); }},
      {"vmax", [](const View& v) { return optional(v.out.max_cell_voltage); }},
      {"vmin_id", [](const View& v) { return text_or_null(v.out.min_cell_id); }},
      {"vmax_id", [](const View& v) { return text_or_null(v.out.max_cell_id); }},
      {"state", [](const View& v) { return json::value(v.out.state); }},
      {"error_code", [](const View& v) { return optional(v.out.error_code); }},
      {"device_state", [](const View& v) { return optional(v.out.device_state); }},
      {"mode", [](const View& v) { return json::value(v.out.mode); }},
      {"online", [](const View& v) { return json::value(v.out.online); }},
      {"connection_info", [](const View& v) { return text(v.out.connection_information); }},
      {"cable_alarm", [](const View& v) { return json::value(v.out.cable_alarm); }},
      {"alarm_high_voltage", [](const View& v) { return level(v.out.alarms[Alarm::high_voltage]); }},
      {"alarm_high_cell_voltage", [](const View& v) { return level(v.out.alarms[Alarm::high_cell_voltage]); }},
      {"alarm_low_soc", [](const View& v) { return level(v.out.alarms[Alarm::low_soc]); }},
      {"time_to_go", [](const View& v) { return optional(v.out.time_to_go); }},
      {"exit", [](const View& v) { return json::value(v.controller.must_leave()); }},
  };
  return kGetters;
}

json::value time_to_soc(const View& view, std::string_view point) {
  const auto& points = view.state.settings->config.time_to_soc_points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (std::to_string(points[i]) == point) return view.out.time_to_soc[i] ? text(*view.out.time_to_soc[i]) : nullptr;
  }
  throw std::invalid_argument("TIME_TO_SOC_POINTS has no " + std::string(point));
}

}  // namespace

json::value control_output(const Controller& controller, std::string_view name, const Now& now) {
  const View view{controller.snapshot(), controller.state(), controller, now};
  constexpr std::string_view kHistory = "history.";
  constexpr std::string_view kTimeToSoc = "time_to_soc.";
  if (name.starts_with(kHistory)) {
    const auto value = history_named(name.substr(kHistory.size()));
    if (value) return optional(view.out.history[*value]);
  } else if (name.starts_with(kTimeToSoc)) {
    return time_to_soc(view, name.substr(kTimeToSoc.size()));
  } else if (const auto getter = getters().find(name); getter != getters().end()) {
    return getter->second(view);
  }
  throw std::invalid_argument("unknown output " + std::string(name));
}

}  // namespace serialbattery::test
