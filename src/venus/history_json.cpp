// The setting HistoryValues: a JSON object of positive numbers, shared with the Python driver. Spec settings.md B.5.
#include <boost/json.hpp>
#include <cmath>

#include "venus/stored_entry.hpp"

namespace serialbattery::venus {
namespace {

namespace json = boost::json;

constexpr EnumArray<HistoryValue, std::string_view> make_names() {
  EnumArray<HistoryValue, std::string_view> names;
  names[HistoryValue::deepest_discharge] = "deepest_discharge";
  names[HistoryValue::last_discharge] = "last_discharge";
  names[HistoryValue::average_discharge] = "average_discharge";
  names[HistoryValue::total_ah_drawn] = "total_ah_drawn";
  names[HistoryValue::charge_cycles] = "charge_cycles";
  names[HistoryValue::full_discharges] = "full_discharges";
  names[HistoryValue::timestamp_last_full_charge] = "timestamp_last_full_charge";
  names[HistoryValue::automatic_syncs] = "automatic_syncs";
  names[HistoryValue::low_voltage_alarms] = "low_voltage_alarms";
  names[HistoryValue::high_voltage_alarms] = "high_voltage_alarms";
  names[HistoryValue::minimum_voltage] = "minimum_voltage";
  names[HistoryValue::maximum_voltage] = "maximum_voltage";
  names[HistoryValue::minimum_cell_voltage] = "minimum_cell_voltage";
  names[HistoryValue::maximum_cell_voltage] = "maximum_cell_voltage";
  names[HistoryValue::minimum_temperature] = "minimum_temperature";
  names[HistoryValue::maximum_temperature] = "maximum_temperature";
  names[HistoryValue::discharged_energy] = "discharged_energy";
  names[HistoryValue::charged_energy] = "charged_energy";
  return names;
}
constexpr auto names = make_names();

/// Drawn charge was stored negative by some versions.
bool is_charge(HistoryValue which) {
  return which == HistoryValue::deepest_discharge || which == HistoryValue::last_discharge || which == HistoryValue::average_discharge ||
         which == HistoryValue::total_ah_drawn;
}

std::optional<double> finite_number(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const auto number = value.to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

/// Python writes NaN and Infinity, which are no JSON: null in their place, so that the other values survive.
std::string without_python_numbers(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    bool replaced = false;
    for (const std::string_view word : {"NaN", "-Infinity", "Infinity"}) {
      if (!text.starts_with(word)) continue;
      result += "null";
      text.remove_prefix(word.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    result += text.front();
    text.remove_prefix(1);
  }
  return result;
}

}  // namespace

History history_from_json(std::string_view text, std::vector<std::string>& problems) {
  History history;
  if (text.empty()) return history;
  boost::system::error_code error;
  const auto parsed = json::parse(without_python_numbers(text), error);
  if (error || !parsed.is_object()) {
    problems.push_back(fmt::format("{} is no JSON object", entry::history));
    return history;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto which = static_cast<HistoryValue>(i);
    const auto* value = parsed.get_object().if_contains(names[which]);
    if (value == nullptr || value->is_null()) continue;
    if (const auto number = finite_number(*value)) {
      history[which] = is_charge(which) ? std::abs(*number) : *number;
    } else {
      problems.push_back(fmt::format("{}: {} is no number", entry::history, names[which]));
    }
  }
  return history;
}

std::string history_to_json(const History& history) {
  constexpr int decimals = 6;  // a watt-hour in kWh, a second in Ah; below that is noise
  std::string text = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto which = static_cast<HistoryValue>(i);
    if (!history[which]) continue;
    const auto number = rounded(*history[which], decimals);
    if (number) text += fmt::format("\"{}\": {}, ", names[which], plain_number(*number));
  }
  return text + "\"clear\": 0}";
}

}  // namespace serialbattery::venus
