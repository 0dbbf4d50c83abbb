// The outputs of control under the names of the control vectors.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "control/controller.hpp"

namespace serialbattery::test {

/// The value of one output; throws std::invalid_argument for a name that does not exist. `now`: of the last poll.
[[nodiscard]] boost::json::value control_output(const control::Controller& controller, std::string_view name, const Now& now);

}  // namespace serialbattery::test
