// The last publication of a service that leaves the bus because its BMS has been silent for too long.
#pragma once

#include "control/snapshot.hpp"

namespace serialbattery::control {

/// Cells and temperatures were measured long ago and must not look like the present: they become unknown (dbus-interface.md 13). Limits,
/// SoC, alarms and counters stay.
[[nodiscard]] Snapshot without_measurements(Snapshot snapshot);

}  // namespace serialbattery::control
