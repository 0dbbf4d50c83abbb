#include "daemon/event_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serialbattery::daemon {

namespace {

using spdlog::level::info;
using spdlog::level::warn;

// "Bulk" of "Bulk (Cell OVP) + Balancing │ Linear Mode": what comes behind changes too often to be an event.
std::string_view phase_of(std::string_view charge_mode) {
  for (const std::string_view behind : {" (", " & ", " + ", " \u2502"}) charge_mode = charge_mode.substr(0, charge_mode.find(behind));
  return charge_mode;
}

std::string reading_text(const control::Snapshot& s) {
  std::string text;
  const auto add = [&text](std::string piece) { text += (text.empty() ? "" : ", ") + std::move(piece); };
  if (s.voltage) add(fmt::format("{:.2f} V", *s.voltage));
  if (s.current) add(fmt::format("{:.1f} A", *s.current));
  if (s.soc) add(fmt::format("SoC {:.0f} %", *s.soc));
  if (s.min_cell_voltage && s.max_cell_voltage) add(fmt::format("cells {:.3f} to {:.3f} V", *s.min_cell_voltage, *s.max_cell_voltage));
  return text.empty() ? "" : fmt::format(" ({})", text);
}

}  // namespace

bool EventLog::Subject::is_news(std::string_view state, TimePoint now) {
  if (told == state || (at && now - *at < pause)) return false;
  told = state;
  at = now;
  return true;
}

std::vector<EventLog::Line> EventLog::changes(const control::Snapshot& snapshot, TimePoint now) {
  std::vector<Line> lines;
  const auto permission = [&](Subject& subject, const char* what, bool allowed, const std::string& reason) {
    if (!subject.is_news(allowed ? "" : "not allowed", now)) return;
    std::string text = fmt::format("{} is {}", what, allowed ? "allowed again" : "not allowed");
    if (!allowed && !reason.empty()) text += fmt::format(": {}", reason);
    lines.push_back({allowed ? info : warn, text + reading_text(snapshot)});
  };
  const std::string_view phase = phase_of(snapshot.charge_mode);
  if (mode_.is_news(phase, now)) lines.push_back({info, fmt::format("charge mode {}{}", phase, reading_text(snapshot))});
  permission(charge_, "charging", snapshot.allow_charge, snapshot.charge_limitation);
  permission(discharge_, "discharging", snapshot.allow_discharge, snapshot.discharge_limitation);
  for (unsigned i = 0; i < static_cast<unsigned>(Alarm::count); ++i) {
    const auto alarm = static_cast<Alarm>(i);
    const auto level = snapshot.alarms[alarm];
    if (!level) continue;  // unknown is neither there nor over
    const std::string_view state = *level == AlarmLevel::ok ? "" : *level == AlarmLevel::warning ? "warning" : "alarm";
    if (!alarms_[alarm].is_news(state, now)) continue;
    std::string name(alarm_name(alarm));
    std::ranges::replace(name, '_', ' ');
    lines.push_back({state.empty() ? info : warn, fmt::format("{}: {}{}", name, state.empty() ? "over" : state, reading_text(snapshot))});
  }
  return lines;
}

}  // namespace serialbattery::daemon
