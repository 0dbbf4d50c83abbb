// Permissions, /State, /DeviceState and /Mode: control.md 5.6, 6.1, 6.2; dbus-interface.md 12.
#pragma once

#include <optional>

#include "serialbattery/battery.hpp"

namespace serialbattery::control {

struct Permissions {
  bool charge = false;
  bool discharge = false;
  [[nodiscard]] bool none() const { return !charge && !discharge; }
};

/// A direction is permitted if its FET is known to be on and its limit is known and not 0.
[[nodiscard]] bool permitted(std::optional<bool> fet, std::optional<double> limit);

/// /State.
enum class ServiceState : int { initialising = 0, running = 9, error = 10, standby = 14 };

/// The state after a good poll.
[[nodiscard]] ServiceState next_state(ServiceState state, const Permissions& permissions);

/// /Mode: 3 on, 4 off, 252 standby.
[[nodiscard]] int mode_of(ServiceState state, const Permissions& permissions);

/// /DeviceState, 0x100..0x105.
[[nodiscard]] int device_state_of(const Alarms& alarms, const Permissions& permissions);

}  // namespace serialbattery::control
