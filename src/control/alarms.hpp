// After-treatment of alarms: control.md 6.4.
#pragma once

#include <cstdint>

#include "serialbattery/battery.hpp"

namespace serialbattery::control {

/// High-voltage alarms are 0 while the pack is charged above its usual maximum on purpose, and for half an hour afterwards.
/// `last_reset` and `wall` in Unix s; a reset in the future does not suppress, nor does 0: never.
[[nodiscard]] bool high_voltage_suppressed(bool reset_requested, std::int64_t last_reset, std::int64_t wall);

/// The alarms to publish.
[[nodiscard]] Alarms published_alarms(const Alarms& alarms, bool high_voltage_is_suppressed);

}  // namespace serialbattery::control
