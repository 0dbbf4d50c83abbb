// After-treatment of alarms.
#include "control/alarms.hpp"

namespace serialbattery::control {
namespace {

constexpr std::int64_t kSuppressedFor = 1800;  // s

}  // namespace

bool high_voltage_suppressed(bool reset_requested, std::int64_t last_reset, std::int64_t wall) {
  if (reset_requested || last_reset == 0) return reset_requested;  // 0: there was none, whatever the clock says
  const std::int64_t age = wall - last_reset;
  return age >= 0 && age <= kSuppressedFor;
}

Alarms published_alarms(const Alarms& alarms, bool high_voltage_is_suppressed) {
  Alarms result = alarms;
  if (high_voltage_is_suppressed) {
    for (const auto alarm : {Alarm::high_voltage, Alarm::high_cell_voltage}) result[alarm] = AlarmLevel::ok;
  }
  return result;
}

}  // namespace serialbattery::control
