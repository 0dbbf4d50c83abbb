// The last publication of a service that leaves the bus.
#include "control/farewell.hpp"

#include <algorithm>

namespace serialbattery::control {

Snapshot without_measurements(Snapshot snapshot) {
  std::fill(snapshot.cells.begin(), snapshot.cells.end(), Cell{});
  snapshot.temperatures.fill(std::nullopt);
  for (auto* value : {&snapshot.cell_sum, &snapshot.cell_diff, &snapshot.min_cell_voltage, &snapshot.max_cell_voltage,
                      &snapshot.mid_voltage, &snapshot.mid_voltage_deviation, &snapshot.mos_temperature, &snapshot.temperature,
                      &snapshot.min_temperature, &snapshot.max_temperature}) {
    value->reset();
  }
  snapshot.min_cell_id.clear();
  snapshot.max_cell_id.clear();
  return snapshot;
}

void allow_nothing(Snapshot& snapshot) noexcept {
  snapshot.ccl = 0;
  snapshot.dcl = 0;
  snapshot.allow_charge = false;
  snapshot.allow_discharge = false;
}

}  // namespace serialbattery::control
