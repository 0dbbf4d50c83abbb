// The services that the configuration asks for (--list-services); scripts/device/enable.sh creates them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "serialbattery/config.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::daemon {

/// One line per service: its name below /service, then the arguments of the program; only the last argument may hold blanks.
/// "serial-starter" alone says that serial ports are to be searched. Bluetooth, CAN, MQTT and SPI only as far as there are drivers for
/// them, because a service that can not work would be restarted for ever.
std::vector<std::string> wanted_services(const Config& config, std::span<const DriverEntry> drivers);

}  // namespace serialbattery::daemon
