// Names under which a battery appears on D-Bus.
#pragma once

#include <string>

#include "config/report.hpp"
#include "daemon/detection.hpp"
#include "serialbattery/battery.hpp"
#include "venus/path_rows.hpp"

namespace serialbattery::daemon {

/// /Mgmt/Connection: "Serial /dev/ttyUSB0", with the address for types that have one.
std::string connection_text(const std::string& device, const Candidate& where);

/// The identifier that settings and names hang on, before characters are replaced: that of the BMS, else its fallback, or the port with
/// USE_PORT_AS_UNIQUE_ID.
std::string unique_identifier(const Config& config, const std::string& port_name, const Candidate& where, const Battery& battery);

/// Type text on D-Bus: that of the registry unless the device has its own.
std::string type_text(const Candidate& where, const Battery& battery);

/// /ProductName: contains the word SerialBattery, by which other programs find us.
std::string product_name(const std::string& unique_id, const std::string& port_name, const std::string& type_text);

/// One item below /Info/Config.
venus::ConfigItem config_item(const config::PublishedValue& published);

}  // namespace serialbattery::daemon
