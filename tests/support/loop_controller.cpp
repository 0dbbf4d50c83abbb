#include "support/loop_controller.hpp"

#include <chrono>

namespace serialbattery::loop {

Config loop_config(int mode) {
  Config config = default_config();
  config.max_battery_charge_current = 50;
  config.max_battery_discharge_current = 60;
  config.max_cell_voltage = 3.45;
  config.float_cell_voltage = 3.375;
  config.cvl_controller_mode = mode;
  return config;
}

ControllerRegulator::ControllerRegulator(const Config& config, const Reporting& reporting)
    : controller_(config, {.poll_interval = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(reporting.poll))}, {}) {}

Answer ControllerRegulator::poll(const Battery* reading, const Now& now) {
  const control::Snapshot& s = reading ? controller_.good_poll(*reading, {}, now) : controller_.failed_poll({}, now);
  return {{s.cvl, s.ccl, s.dcl}, s.charge_mode};
}

}  // namespace serialbattery::loop
