#include "support/expectations.hpp"

#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <map>

namespace serialbattery::test {

namespace json = boost::json;

namespace {

json::value to_json(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}
json::value to_json(const std::optional<bool>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}
json::value to_json(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

using Getter = std::function<json::value(const Battery&)>;

Getter number(std::optional<double> Battery::*member) {
  return [member](const Battery& b) { return to_json(b.*member); };
}
Getter flag(std::optional<bool> Battery::*member) {
  return [member](const Battery& b) { return to_json(b.*member); };
}
Getter history(HistoryValue key) {
  return [key](const Battery& b) { return to_json(b.history[key]); };
}
Getter text(std::string Identity::*member) {
  return [member](const Battery& b) { return to_json(b.identity.*member); };
}

template <typename Pick>
Getter cells(Pick pick) {
  return [pick](const Battery& b) {
    json::array list;
    for (const Cell& cell : b.cells) list.push_back(to_json(pick(cell)));
    return json::value(std::move(list));
  };
}

enum class Extreme { lowest, highest };

// 1-based number of the first cell with the extreme voltage.
std::optional<std::size_t> extreme_cell(const Battery& b, Extreme which) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < b.cells.size(); ++i) {
    const auto& voltage = b.cells[i].voltage;
    if (!voltage) continue;
    if (!best || (which == Extreme::highest ? *voltage > *b.cells[*best - 1].voltage : *voltage < *b.cells[*best - 1].voltage))
      best = i + 1;
  }
  return best;
}

Getter extreme_voltage(Extreme which) {
  return [which](const Battery& b) {
    const auto& stated = which == Extreme::highest ? b.cell_max : b.cell_min;
    if (stated) return to_json(stated);
    const auto cell = extreme_cell(b, which);
    return cell ? to_json(b.cells[*cell - 1].voltage) : json::value(nullptr);
  };
}

Getter temperatures() {
  return [](const Battery& b) {
    json::object all;
    for (std::size_t i = 0; i < b.temperatures.size(); ++i) all["t" + std::to_string(i + 1)] = to_json(b.temperatures[i]);
    all["mos"] = to_json(b.mos_temperature);
    return json::value(std::move(all));
  };
}

Getter limits() {
  return [](const Battery& b) {
    json::object all;
    for (const auto* name : {"ccl", "charge_current", "max_charge_current"}) all[name] = to_json(b.limits.charge_current);
    for (const auto* name : {"dcl", "discharge_current", "max_discharge_current"}) all[name] = to_json(b.limits.discharge_current);
    for (const auto* name : {"cvl", "charge_voltage", "max_battery_voltage"}) all[name] = to_json(b.limits.charge_voltage);
    for (const auto* name : {"dvl", "low_voltage", "min_battery_voltage"}) all[name] = to_json(b.limits.low_voltage);
    return json::value(std::move(all));
  };
}

const std::map<std::string_view, Getter>& getters() {
  static const std::map<std::string_view, Getter> table{
      {"voltage", number(&Battery::voltage)},
      {"current", number(&Battery::current)},
      {"soc", number(&Battery::soc)},
      {"soh", number(&Battery::soh)},
      {"capacity", number(&Battery::capacity)},
      {"capacity_remaining", number(&Battery::capacity_remaining)},
      {"cycles", history(HistoryValue::charge_cycles)},
      {"total_ah_drawn", history(HistoryValue::total_ah_drawn)},
      {"charged_energy_kwh", history(HistoryValue::charged_energy)},
      {"discharged_energy_kwh", history(HistoryValue::discharged_energy)},
      {"cell_count", [](const Battery& b) { return b.cell_count ? json::value(*b.cell_count) : json::value(nullptr); }},
      {"cell_voltages", cells([](const Cell& c) { return c.voltage; })},
      {"cell_balancing", cells([](const Cell& c) { return c.balancing; })},
      {"balancing_active", flag(&Battery::balancing)},
      {"max_cell_voltage", extreme_voltage(Extreme::highest)},
      {"min_cell_voltage", extreme_voltage(Extreme::lowest)},
      {"charge_fet", flag(&Battery::charge_fet)},
      {"discharge_fet", flag(&Battery::discharge_fet)},
      {"balance_fet", flag(&Battery::balance_fet)},
      {"heater_fet", [](const Battery& b) { return to_json(b.heater.allowed); }},
      {"heating", [](const Battery& b) { return to_json(b.heater.active); }},
      {"heater", [](const Battery& b) { return to_json(b.heater.active); }},
      {"heater_current", [](const Battery& b) { return to_json(b.heater.current); }},
      {"heater_power", [](const Battery& b) { return to_json(b.heater.power); }},
      {"heater_temperature_start", [](const Battery& b) { return to_json(b.heater.start); }},
      {"heater_temperature_stop", [](const Battery& b) { return to_json(b.heater.stop); }},
      {"temperatures", temperatures()},
      {"limits", limits()},
      {"bms_limits", limits()},
      {"hardware_version", text(&Identity::hardware_version)},
      {"firmware_version", text(&Identity::firmware_version)},
      {"serial_number", text(&Identity::serial_number)},
      {"unique_identifier", text(&Identity::unique_id)},
      {"custom_field", text(&Identity::custom_field)},
      {"model", text(&Identity::model)},
      {"manufacturer", text(&Identity::manufacturer)},
      {"production", text(&Identity::production_date)},
      {"production_date", text(&Identity::production_date)},
  };
  return table;
}

/// What two numbers may differ by.
struct Allowed {
  double absolute = 0;
  double relative = 0;
};

Allowed allowed_for(const Tolerance& tolerance, std::string_view key) {
  const json::value* own = tolerance.absolute.if_contains(key);
  return own ? Allowed{.absolute = own->to_number<double>()} : Allowed{.relative = tolerance.relative};
}

bool close(double expected, double got, const Allowed& allowed) {
  return std::abs(expected - got) <= std::max(allowed.absolute, allowed.relative * std::max(1.0, std::abs(expected)));
}

// Objects: only the members that are expected are compared. Lists: every element.
bool matches(const json::value& expected, const json::value& got, const Allowed& allowed) {
  if (expected.is_number() && got.is_number()) return close(expected.to_number<double>(), got.to_number<double>(), allowed);
  if (expected.is_object()) {
    if (!got.is_object()) return false;
    return std::ranges::all_of(expected.as_object(), [&](const auto& member) {
      const json::value* other = got.as_object().if_contains(member.key());
      return other ? matches(member.value(), *other, allowed) : member.value().is_null();
    });
  }
  if (expected.is_array() && got.is_array()) {
    const auto& a = expected.as_array();
    const auto& b = got.as_array();
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const auto& x, const auto& y) { return matches(x, y, allowed); });
  }
  if (expected.is_string() && expected.as_string().empty() && got.is_null()) return true;  // the model holds no empty texts
  return expected == got;
}

void compare_alarms(const json::object& expect, const Alarms& alarms, std::vector<std::string>& differences) {
  for (std::size_t i = 0; i < Alarms::size(); ++i) {
    const auto alarm = static_cast<Alarm>(i);
    const json::value* listed = expect.if_contains(alarm_name(alarm));
    const int got = alarms[alarm] ? static_cast<int>(*alarms[alarm]) : -1;  // -1: this BMS has no such alarm
    const int expected = !listed ? 0 : listed->is_null() ? -1 : listed->to_number<int>();
    const bool same = got == expected || (!listed && got == -1);
    if (!same)
      differences.push_back("alarm " + std::string(alarm_name(alarm)) + ": expected " + std::to_string(expected) + ", got " +
                            std::to_string(got));
  }
  for (const auto& member : expect) {
    bool known = false;
    for (std::size_t i = 0; i < Alarms::size(); ++i) known = known || alarm_name(static_cast<Alarm>(i)) == member.key();
    if (!known) differences.push_back("alarm " + std::string(member.key()) + ": no such alarm in the model");
  }
}

}  // namespace

std::vector<std::string> compare(const json::object& expect, const Battery& battery, const json::object& details,
                                 const Tolerance& tolerance) {
  std::vector<std::string> differences;
  for (const auto& member : expect) {
    const std::string_view key = member.key();
    if (key == "alarms") {
      compare_alarms(member.value().as_object(), battery.alarms, differences);
      continue;
    }
    json::value got;
    const auto getter = getters().find(key);
    if (getter != getters().end()) got = getter->second(battery);
    if (const json::value* detail = details.if_contains(key)) {
      if (got.is_null()) got = *detail;
      if (got.is_object() && detail->is_object()) {  // beyond the model, or not used by this configuration
        for (const auto& more : detail->as_object()) {
          json::value& known = got.as_object()[more.key()];
          if (known.is_null()) known = more.value();
        }
      }
    }
    if (key == "max_cell_no" || key == "min_cell_no") {
      if (got.is_null()) {
        const auto cell = extreme_cell(battery, key == "max_cell_no" ? Extreme::highest : Extreme::lowest);
        if (cell) got = *cell;
      }
    }
    if (!matches(member.value(), got, allowed_for(tolerance, key))) {
      differences.push_back(std::string(key) + ": expected " + json::serialize(member.value()) + ", got " + json::serialize(got));
    }
  }
  return differences;
}

}  // namespace serialbattery::test
