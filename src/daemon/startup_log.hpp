// What the log says at start: the machine, the version, and the settings of each battery. Support threads quote these lines.
#pragma once

#include <string>
#include <vector>

#include "daemon/detection.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::daemon {

/// Venus OS version, image type, device model, driver version. Files that are missing give no line.
std::vector<std::string> banner();

/// The settings in use for one battery, after detection.
std::vector<std::string> settings_lines(const Config& config, const Candidate& where, const Battery& battery, const std::string& device,
                                        const std::string& identifier);

}  // namespace serialbattery::daemon
