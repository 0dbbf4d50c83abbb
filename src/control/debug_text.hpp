// The three multi-line texts for humans: GUI_PARAMETERS_SHOW_ADDITIONAL_INFO (control.md 4.9) and the configuration errors.
#pragma once

#include "control/state.hpp"

namespace serialbattery::control {

/// Fills snapshot.debug, debug_float and debug_bulk. Costs nothing while the option is off and the configuration is right.
void fill_debug_texts(Controller::State& s, const Now& now);

}  // namespace serialbattery::control
