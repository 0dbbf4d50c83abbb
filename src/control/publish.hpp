// State -> Snapshot: what the poll publishes (step 17 of control.md 1.2).
#pragma once

#include "control/state.hpp"

namespace serialbattery::control {

/// Fills s.snapshot, re-using its memory.
void fill_snapshot(Controller::State& s, const Now& now);

/// After a failure of fill_snapshot(): the limits of the snapshot go to the safe side.
void fill_safe_snapshot(Controller::State& s) noexcept;

}  // namespace serialbattery::control
