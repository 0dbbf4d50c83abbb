// The battery model as JSON, for captures and --once --json. Key names are those of the test vectors; unknown values are null.
#pragma once

#include <boost/json/object.hpp>

#include "serialbattery/battery.hpp"

namespace serialbattery::daemon {

boost::json::object to_json(const Battery& battery);

}  // namespace serialbattery::daemon
