// Readings of well-behaved packs, as a starting point for tests and benchmarks of control.
#pragma once

#include "control/controller.hpp"
#include "serialbattery/battery.hpp"

namespace serialbattery::test {

/// A pack with everything known: `cells` cells at `cell_voltage` (V), +5 A, 50 %, 100 Ah, all temperatures, both FETs on.
[[nodiscard]] Battery healthy_pack(unsigned cells, double cell_voltage);

/// A moment `seconds` after an arbitrary origin of both clocks.
[[nodiscard]] Now at_second(double seconds);

/// The same moment, the wall clock as if nobody had ever set it.
[[nodiscard]] Now with_steady_wall(const Now& now);

}  // namespace serialbattery::test
