#include "venus/save_cadence.hpp"

#include <cmath>

#include "venus/stored_entry.hpp"

namespace serialbattery::venus {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::minutes restart_period{1};  // of an absorption that keeps beginning anew
constexpr auto slow_period = 10min;                // SoC and history
constexpr auto retry_period = 60s;
constexpr double soc_step = 0.5;  // %

/// Counters that must not be lost.
bool event_counted(const History& before, const History& now) {
  for (const auto which : {HistoryValue::low_voltage_alarms, HistoryValue::high_voltage_alarms, HistoryValue::timestamp_last_full_charge,
                           HistoryValue::automatic_syncs}) {
    if (now[which].value_or(0) != before[which].value_or(0)) return true;
  }
  return false;
}

}  // namespace

SaveCadence::SaveCadence(const control::Persisted& stored, TimePoint now)
    : stored_(stored), history_text_(history_to_json(stored.history)) {
  for (auto& record : records_) record = {now, std::nullopt};
}

bool SaveCadence::differs(Saved which, const control::Persisted& current) const {
  switch (which) {
    case Saved::allow_max_voltage: return current.allow_max_voltage != stored_.allow_max_voltage;
    case Saved::max_voltage_start_time: return current.max_voltage_start_time != stored_.max_voltage_start_time;
    case Saved::soc_calc: return current.soc_calc && current.soc_calc != stored_.soc_calc;  // "no longer known" is nothing to write
    case Saved::soc_reset_last_reached: return current.soc_reset_last_reached != stored_.soc_reset_last_reached;
    case Saved::history: return !(current.history == stored_.history) && history_to_json(current.history) != history_text_;
    case Saved::count: break;
  }
  return false;
}

bool SaveCadence::is_due(Saved which, const control::Persisted& current, Occasion occasion, TimePoint now) const {
  const auto& record = records_[which];
  if (occasion != Occasion::all && record.retry) return now >= *record.retry;
  const bool waited = now - record.written >= slow_period;
  if (which == Saved::soc_calc) {
    const bool moved = !stored_.soc_calc || std::abs(current.soc_calc.value_or(0) - *stored_.soc_calc) >= soc_step;
    return occasion == Occasion::all || occasion == Occasion::soc_set || moved || waited;
  }
  if (which == Saved::history) {
    return occasion == Occasion::all || occasion == Occasion::history_clear || waited || event_counted(stored_.history, current.history);
  }
  if (which == Saved::max_voltage_start_time && occasion == Occasion::poll && stored_.max_voltage_start_time &&
      current.max_voltage_start_time) {
    // While the cells drift apart the wait begins anew with every poll; each write would rewrite the settings file.
    return now - record.written >= restart_period;
  }
  return true;
}

void SaveCadence::take_over(Saved which, const control::Persisted& current) {
  switch (which) {
    case Saved::allow_max_voltage: stored_.allow_max_voltage = current.allow_max_voltage; break;
    case Saved::max_voltage_start_time: stored_.max_voltage_start_time = current.max_voltage_start_time; break;
    case Saved::soc_calc: stored_.soc_calc = current.soc_calc; break;
    case Saved::soc_reset_last_reached: stored_.soc_reset_last_reached = current.soc_reset_last_reached; break;
    case Saved::history:
      stored_.history = current.history;
      history_text_ = history_to_json(current.history);
      break;
    case Saved::count: break;
  }
}

std::vector<Saved> SaveCadence::due(const control::Persisted& current, Occasion occasion, TimePoint now) {
  std::vector<Saved> result;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto which = static_cast<Saved>(i);
    // The cheap question first: this runs every poll, and comparing histories makes a text.
    if (!is_due(which, current, occasion, now)) continue;
    if (!records_[which].retry && !differs(which, current)) continue;
    take_over(which, current);
    records_[which] = {now, std::nullopt};
    result.push_back(which);
  }
  return result;
}

void SaveCadence::failed(Saved which, TimePoint now) {
  records_[which].retry = now + retry_period;
}

}  // namespace serialbattery::venus
