// Files that are generated from the key table. A test keeps the committed ones equal.
#pragma once

#include <string>

namespace serialbattery::config {

/// config/config.default.ini
std::string default_ini();

/// docs/configuration.md
std::string config_reference();

}  // namespace serialbattery::config
