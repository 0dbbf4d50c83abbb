// The real control of the program inside the closed loop.
#pragma once

#include "control/controller.hpp"
#include "serialbattery/config.hpp"
#include "support/loop_simulation.hpp"

namespace serialbattery::loop {

/// The built-in defaults with the limits that the simulation is described with and the given CVL_CONTROLLER_MODE.
Config loop_config(int mode);

class ControllerRegulator : public Regulator {
 public:
  ControllerRegulator(const Config& config, const Reporting& reporting);
  Answer poll(const Battery* reading, const Now& now) override;
  [[nodiscard]] const control::Controller& controller() const { return controller_; }

 private:
  control::Controller controller_;
};

}  // namespace serialbattery::loop
