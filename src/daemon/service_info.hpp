// Names under which a battery appears on D-Bus.
#pragma once

#include <string>

#include "daemon/detection.hpp"
#include "serialbattery/battery.hpp"

namespace serialbattery::daemon {

/// "com.victronenergy.battery.ttyUSB0", with "__0x01" where the battery was found at a configured address.
std::string service_name(const std::string& port_name, const std::string& address_text);

/// /Mgmt/Connection: "Serial /dev/ttyUSB0", with the address for types that have one.
std::string connection_text(const std::string& device, const Candidate& where);

/// Type text on D-Bus: that of the registry unless the device has its own.
std::string type_text(const Candidate& where, const Battery& battery);

/// /ProductName: contains the word SerialBattery, by which other programs find us.
std::string product_name(const std::string& unique_id, const std::string& port_name, const std::string& type_text);

}  // namespace serialbattery::daemon
