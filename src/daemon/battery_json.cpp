#include "daemon/battery_json.hpp"

#include <boost/json.hpp>
#include <string_view>

namespace serialbattery::daemon {

namespace json = boost::json;

namespace {

template <typename T>
json::value maybe(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value maybe(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object alarms_to_json(const Alarms& alarms) {
  json::object object;
  for (std::size_t i = 0; i < Alarms::size(); ++i) {
    const auto alarm = static_cast<Alarm>(i);
    const auto& level = alarms[alarm];
    object[alarm_name(alarm)] = level ? json::value(static_cast<int>(*level)) : json::value(nullptr);
  }
  return object;
}

json::object identity_to_json(const Identity& identity) {
  return {{"hardware_version", maybe(identity.hardware_version)}, {"firmware_version", maybe(identity.firmware_version)},
          {"serial_number", maybe(identity.serial_number)},       {"unique_identifier", maybe(identity.unique_id)},
          {"custom_field", maybe(identity.custom_field)},         {"model", maybe(identity.model)},
          {"manufacturer", maybe(identity.manufacturer)},         {"production_date", maybe(identity.production_date)}};
}

}  // namespace

json::object to_json(const Battery& battery) {
  json::object object{{"voltage", maybe(battery.voltage)},
                      {"current", maybe(battery.current)},
                      {"soc", maybe(battery.soc)},
                      {"soh", maybe(battery.soh)},
                      {"capacity", maybe(battery.capacity)},
                      {"capacity_remaining", maybe(battery.capacity_remaining)},
                      {"cycles", maybe(battery.history[HistoryValue::charge_cycles])},
                      {"cell_count", maybe(battery.cell_count)},
                      {"cell_min", maybe(battery.cell_min)},
                      {"cell_max", maybe(battery.cell_max)},
                      {"balancing_active", maybe(battery.balancing)},
                      {"charge_fet", maybe(battery.charge_fet)},
                      {"discharge_fet", maybe(battery.discharge_fet)},
                      {"balance_fet", maybe(battery.balance_fet)}};
  json::array voltages, balancing;
  for (const Cell& cell : battery.cells) {
    voltages.push_back(maybe(cell.voltage));
    balancing.push_back(maybe(cell.balancing));
  }
  object["cell_voltages"] = std::move(voltages);
  object["cell_balancing"] = std::move(balancing);
  object["temperatures"] = {{"t1", maybe(battery.temperatures[0])},
                            {"t2", maybe(battery.temperatures[1])},
                            {"t3", maybe(battery.temperatures[2])},
                            {"t4", maybe(battery.temperatures[3])},
                            {"mos", maybe(battery.mos_temperature)}};
  object["heater"] = {{"allowed", maybe(battery.heater.allowed)}, {"active", maybe(battery.heater.active)},
                      {"current", maybe(battery.heater.current)}, {"power", maybe(battery.heater.power)},
                      {"start", maybe(battery.heater.start)},     {"stop", maybe(battery.heater.stop)}};
  object["limits"] = {{"ccl", maybe(battery.limits.charge_current)},
                      {"dcl", maybe(battery.limits.discharge_current)},
                      {"cvl", maybe(battery.limits.charge_voltage)},
                      {"dvl", maybe(battery.limits.low_voltage)}};
  object["alarms"] = alarms_to_json(battery.alarms);
  object["identity"] = identity_to_json(battery.identity);
  return object;
}

}  // namespace serialbattery::daemon
