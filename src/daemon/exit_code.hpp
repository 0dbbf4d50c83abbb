// How the process ends; serial-starter evaluates none of them, people and tests do.
#pragma once

namespace serialbattery::daemon {

enum class ExitCode : int {
  stopped = 0,     // SIGTERM or SIGINT, or the port is excluded by configuration
  no_battery = 1,  // nothing found, the port or the battery has gone, the configuration can't be used
  failure = 2,     // an unexpected error
  bus_lost = 3,    // the D-Bus daemon has gone
};

}  // namespace serialbattery::daemon
