// The last publication of a service that leaves the bus.
#pragma once

#include "control/snapshot.hpp"

namespace serialbattery::control {

/// When the BMS has been silent for too long. Cells and temperatures were measured long ago and must not look like the present: they become
/// unknown (dbus-interface.md 13). Limits, SoC, alarms and counters stay.
[[nodiscard]] Snapshot without_measurements(Snapshot snapshot);

/// When the program fails: no current either way.
void allow_nothing(Snapshot& snapshot) noexcept;

}  // namespace serialbattery::control
