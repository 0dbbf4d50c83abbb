// The texts of HLP Data BMS4S; their layout stands in hlpdatabms4s.cpp.
#include "bms/hlpdatabms4s.hpp"

#include <fmt/format.h>

#include <charconv>

#include "serialbattery/errors.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::hlpdatabms4s {

namespace {

enum FieldOfState : std::size_t { current = 4, soc, charge_allowed, load_allowed, beeper = 11, led, first_sensor };

struct BeeperCode {
  std::string_view code;
  Alarm alarm;
  AlarmLevel level;
};
constexpr BeeperCode beeper_codes[] = {
    {"2", Alarm::low_charge_temperature, AlarmLevel::warning},
    {"3", Alarm::high_charge_temperature, AlarmLevel::warning},
    {"4", Alarm::low_voltage, AlarmLevel::alarm},
    {"5", Alarm::high_voltage, AlarmLevel::alarm},
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view line_at(std::string_view text, std::size_t begin) {
  return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// The whole text as a number; nullopt: it is none. Exponents, "inf" and "nan" are no numbers here.
std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
  return whole ? std::optional(value) : std::nullopt;
}

double number_within(std::string_view text, double low, double high, const char* what) {
  const auto value = number(text);
  require(value && *value >= low && *value <= high, what);
  return *value;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// "VoltHigh= 3,600 V" -> 3.6. The name may stand anywhere but inside a longer one: in front of the first there may be an echo, a prompt,
/// or nothing.
std::optional<double> setting(std::string_view text, std::string_view name) {
  const std::string key = fmt::format("{}=", name);
  auto found = text.find(key);
  while (found != std::string_view::npos && found > 0 && is_letter(text[found - 1])) found = text.find(key, found + 1);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view rest = trimmed(line_at(text, found + key.size()));
  std::string value(rest.substr(0, rest.find(' ')));
  std::ranges::replace(value, ',', '.');
  return number(value);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  }
  return fields;
}

// Cells are separated from the echo by a line end, a blank or nothing: the digit before the point is the first of them.
double first_cell(std::string_view field) {
  const auto point = field.find('.');
  require(field.size() >= 7 && point != std::string_view::npos, "m1: first cell is no voltage");
  return number_within(field.substr(point - 1), 0.5, 4.5, "m1: cell outside 0.5..4.5 V");
}

void decode_sensors(std::span<const std::string_view> fields, Battery& into) {
  std::vector<double> battery;
  for (const std::string_view field : fields) {
    const auto blank = field.find(' ');
    if (!field.starts_with('b') || blank == std::string_view::npos) continue;
    const auto celsius = number(field.substr(blank));
    if (celsius && *celsius > -60 && *celsius < 150) battery.push_back(*celsius);
  }
  into.temperatures = {};
  if (battery.empty()) return;
  into.temperatures[0] = std::ranges::max(battery);
  if (battery.size() > 1) into.temperatures[1] = std::ranges::min(battery);
}

}  // namespace

void decode_version(std::string_view text, Battery& into) {
  const auto found = text.find("BMS4S");
  require(found != std::string_view::npos, "pv: not the answer of a BMS4S");
  const std::string_view line = line_at(text, found);
  into.identity.hardware_version = into.identity.firmware_version =
      wire::text({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
}

Settings parse_settings(std::string_view answer) {
  const auto capacity = setting(answer, "BatterySize");
  require(capacity && *capacity >= 1 && *capacity <= 5000, "ps: no BatterySize");
  const auto cell_voltage = [answer](std::string_view name) {
    const auto volts = setting(answer, name);
    return volts && *volts >= 1.5 && *volts <= 4.5 ? volts : std::nullopt;
  };
  return {*capacity, cell_voltage("VoltHigh"), cell_voltage("VoltLow")};
}

bool is_whole_state(std::string_view answer) {
  const auto begin = answer.find("m1");
  if (begin == std::string_view::npos || !answer.ends_with('\n')) return false;
  return std::ranges::count(answer.substr(begin), ',') >= static_cast<std::ptrdiff_t>(first_sensor) - 1;
}

void decode_state(std::string_view text, Battery& into) {
  const auto begin = text.find("m1");
  require(begin != std::string_view::npos, "m1: the answer doesn't repeat the command");
  const auto first_comma = std::min(text.find(',', begin), text.size());
  const std::size_t end = first_comma + line_at(text, first_comma).size();
  const std::vector<std::string_view> fields = split(text.substr(begin, end - begin));
  require(fields.size() >= first_sensor, "m1: fewer than 13 fields", Fault::length);
  require(fields[cell_count - 1].find('.') != std::string_view::npos, "m1: last cell is no voltage");
  const auto allowed = [&](std::size_t field) {
    const std::string_view value = trimmed(fields[field]);
    require(value == "0" || value == "1", "m1: output is neither 0 nor 1");
    return value == "1";
  };
  const std::string_view code = trimmed(fields[beeper]);
  require(is_digits(code), "m1: beeper code is no number");

  into.cell_count = static_cast<unsigned>(cell_count);
  into.cells.resize(cell_count);
  double sum = 0;
  for (std::size_t i = 0; i < cell_count; ++i) {
    const double volts = i == 0 ? first_cell(fields[0]) : number_within(fields[i], 0.5, 4.5, "m1: cell outside 0.5..4.5 V");
    into.cells[i].voltage = volts;
    sum += volts;
  }
  into.voltage = sum;
  into.current = number_within(fields[current], -1000, 1000, "m1: current outside -1000..1000 A");
  into.soc = number_within(fields[soc], 0, 100, "m1: SoC outside 0..100 %");
  into.charge_fet = allowed(charge_allowed);
  into.discharge_fet = allowed(load_allowed);
  for (const BeeperCode& entry : beeper_codes) into.alarms[entry.alarm] = entry.code == code ? entry.level : AlarmLevel::ok;
  decode_sensors(std::span(fields).subspan(first_sensor), into);
}

}  // namespace serialbattery::hlpdatabms4s
