// A battery service as text for the terminal.
#pragma once

#include <map>
#include <string>

#include "venus/value.hpp"

namespace serialbattery::daemon {

/// All items of one service: path -> value; monostate is invalid.
using StatusItems = std::map<std::string, venus::Value>;

/// Lines that fit `width` columns (at least 40), with the cells as bars. `service` is the name on the bus.
std::string render_status(const std::string& service, const StatusItems& items, std::size_t width);

}  // namespace serialbattery::daemon
