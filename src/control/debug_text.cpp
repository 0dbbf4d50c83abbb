// The three multi-line texts for humans.
#include "control/debug_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "control/duration_text.hpp"
#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

using State = Controller::State;
constexpr double kSecondsPerDay = 86400;
constexpr std::int64_t kLastDisplayedTime = 253402300799;  // end of the year 9999
constexpr std::size_t kUsualLength = 1200;                 // room for the longest of the three texts

template <typename... Args>
void add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// "name: value unit", unknown as None.
void add_value(std::string& out, std::string_view name, std::optional<double> value, int decimals, std::string_view unit) {
  if (value) {
    add(out, "{}: {:.{}f} {}", name, *value, decimals, unit);
  } else {
    add(out, "{}: None", name);
  }
}

void add_switch(std::string& out, std::string_view name, std::optional<bool> value) {
  add(out, "{}: {}", name, !value ? "None" : *value ? "on" : "off");
}

void add_age(std::string& out, std::string_view name, std::optional<TimePoint> since, TimePoint now) {
  add_value(out, name, since ? std::optional(seconds_between(*since, now)) : std::nullopt, 0, "s");
}

constexpr std::string_view kJoin = " • ";

void add_voltages(std::string& out, const State& s, TimePoint now) {
  const auto& cv = s.charge_voltage;
  const auto& config = s.settings->config;
  add_value(out, "Max pack voltage", cv.maximum(), 2, "V");
  out.append(kJoin);
  add_value(out, "pack voltage", s.voltage, 2, "V");
  out.append("\n");
  add_value(out, "Controller voltage", cv.voltage(), 2, "V");
  add(out, " + drop {:.2f} V = CVL {:.2f} V\n", config.voltage_drop, cv.published(config));
  add_value(out, "Law allows", cv.wish(), 2, "V");
  out.append(kJoin);
  add_age(out, "last limitation", cv.last_limited(), now);
  out.append("\n");
  add_value(out, "Sum of cells", cv.sum(), 2, "V");
  out.append(kJoin);
  add_value(out, "difference", cv.difference(), 3, "V");
  out.append("\n");
  add_value(out, "Highest cell", s.cells.control_highest(), 3, "V");
  if (config.cvl_controller_mode == 1) {
    double penalty = 0;
    for (const auto& cell : s.cells.cells()) penalty += std::max(cell.voltage.value_or(0) - cv.highest_allowed_cell(config), 0.0);
    out.append(kJoin);
    add_value(out, "penalty", penalty, 3, "V");
  }
  out.append("\n");
}

void add_charge(std::string& out, const State& s, TimePoint now) {
  add_value(out, "SoC of BMS", s.reading.soc, 2, "%");
  out.append(kJoin);
  add_value(out, "in use", s.soc.value(), 2, "%");
  out.append(kJoin);
  add_value(out, "SoH", s.reading.soh, 1, "%");
  out.append("\n");
  add_value(out, "Current of BMS", s.reading.current, 2, "A");
  out.append(kJoin);
  add_value(out, "in use", s.current, 2, "A");
  out.append("\n");
  add_value(out, "Remaining charge", s.soc.charge(), 2, "Ah");
  out.append(kJoin);
  add_value(out, "capacity", s.reading.capacity, 2, "Ah");
  out.append(kJoin);
  add_age(out, "zero timer", s.soc.zero_timer(), now);
}

// "2026-03-01 12:00:00 UTC"; a clock that is nowhere near the present is shown as its number of seconds.
void add_clock(std::string& out, std::string_view name, std::int64_t wall) {
  using namespace std::chrono;
  if (wall < 0 || wall > kLastDisplayedTime) return add(out, "{}: {}", name, wall);
  const sys_seconds time{seconds(wall)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  add(out, "{}: {:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", name, static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

void add_times(std::string& out, const State& s, const Now& now) {
  const auto run_time = static_cast<std::int64_t>(s.started ? seconds_between(*s.started, now.mono) : 0);
  add_clock(out, "Started", now.wall - run_time);
  out.append(kJoin).append("running for: ");
  append_duration(out, run_time, Precision::seconds);
  out.append(kJoin);
  add_clock(out, "clock", now.wall);
  out.append("\n");
}

void add_switches(std::string& out, const State& s, TimePoint now) {
  add_switch(out, "Charge FET", s.reading.charge_fet);
  out.append(kJoin);
  add_switch(out, "discharge FET", s.reading.discharge_fet);
  out.append(kJoin);
  add_switch(out, "charge allowed", s.permissions.charge);
  out.append(kJoin);
  add_switch(out, "discharge allowed", s.permissions.discharge);
  out.append("\n");
  add_age(out, "CCL evaluated", s.charge_limit.evaluated(), now);
  out.append("\n");
}

void add_soc_reset(std::string& out, const State& s, const Now& now) {
  const std::int64_t last = s.charge_voltage.last_reset();
  const auto days = s.settings->config.soc_reset_after_days;
  std::optional<double> age;
  if (last != 0) age = static_cast<double>(now.wall - last) / kSecondsPerDay;
  add_value(out, "Last SoC reset", age, 2, "days ago");
  out.append(kJoin);
  add_value(out, "next in", age && days ? std::optional(*days - *age) : std::nullopt, 2, "days");
  out.append("\n");
}

void write_float_conditions(std::string& out, const State& s, TimePoint now) {
  const auto& cv = s.charge_voltage;
  const auto& config = s.settings->config;
  add(out, "Bulk permitted: {}\n", cv.allow_max() ? "yes" : "no");
  add_value(out, "Max pack voltage", cv.maximum(), 2, "V");
  add_value(out, " <= sum of cells", cv.sum(), 2, "V");
  add_value(out, "\nDifference", cv.difference(), 3, "V");
  add_value(out, " <= limit", config.switch_to_float_cell_voltage_diff, 3, "V");
  add(out, "\nWait: {} s < ", config.switch_to_float_wait_for_sec);
  add_value(out, "elapsed", cv.absorption_elapsed(now), 0, "s");
}

void write_bulk_conditions(std::string& out, const State& s) {
  const auto& cv = s.charge_voltage;
  const auto& config = s.settings->config;
  add_value(out, "SoC", s.soc.value(), 2, "%");
  add(out, " < threshold: {} %\n", config.switch_to_bulk_soc_threshold);
  add_value(out, "Difference", cv.difference(), 3, "V");
  add_value(out, " >= limit", config.switch_to_bulk_cell_voltage_diff, 3, "V");
  add(out, "\nSoC reset requested: {}", cv.reset_requested() ? "yes" : "no");
}

std::string& cleared(std::optional<std::string>& text) {
  if (!text) text.emplace().reserve(kUsualLength);
  text->clear();
  return *text;
}

}  // namespace

void fill_debug_texts(State& s, const Now& now) {
  const auto& config = s.settings->config;
  Snapshot& out = s.snapshot;
  const bool wanted = config.gui_parameters_show_additional_info && config.cvcm_enable && !s.charge_voltage.in_error();
  const bool errors = s.service_state == ServiceState::error && !config.issue_lines.empty();
  if (!wanted) {
    out.debug_float.reset();
    out.debug_bulk.reset();
    if (!errors) out.debug.reset();
    if (!errors) return;
  }
  std::string& text = cleared(out.debug);
  if (errors) {
    for (const auto& line : config.issue_lines) text.append(text.empty() ? "" : "\n").append(line);
  }
  if (!wanted) return;
  if (errors) text.append("\n");
  add_times(text, s, now);
  add_voltages(text, s, now.mono);
  add_switches(text, s, now.mono);
  add_soc_reset(text, s, now);
  add_charge(text, s, now.mono);
  write_float_conditions(cleared(out.debug_float), s, now.mono);
  write_bulk_conditions(cleared(out.debug_bulk), s);
}

}  // namespace serialbattery::control
