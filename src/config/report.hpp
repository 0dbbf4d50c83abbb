// What the user sees of the configuration: the issue block of the log (config.md 3.5), the text of --check-config,
// and the values below /Info/Config (config.md 8).
#pragma once

#include <spdlog/common.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/loader.hpp"

namespace serialbattery::config {

struct LogLine {
  spdlog::level::level_enum level = spdlog::level::info;
  std::string text;
};

/// "config.ini line 3: MAX_CELL_VOLTAGE = 3,45: not a number (bad-number); 3.450 V/cell is used instead; ..."
std::string issue_text(const Issue& issue);

/// The block that is logged after the settings of the battery, and again once a day while an error lasts. Empty without issues.
std::vector<LogLine> issue_block(const Loaded& loaded);

/// Keys that have no effect in this version; to be logged once at start.
std::vector<LogLine> notice_lines(const Loaded& loaded);

/// The lines that are logged before the process waits and leaves. Empty when nothing is fatal.
std::vector<LogLine> fatal_lines(const Loaded& loaded);

/// Every key with its value and origin, secrets masked: for the log at debug level, one line per key.
std::vector<std::string> effective_lines(const Loaded& loaded);

struct CheckReport {
  std::string text;     // effective configuration, then every problem, then a verdict
  int exit_status = 0;  // 0: no error; 1: errors, or the driver would not run
};

/// The answer to --check-config.
CheckReport check_report(const Loaded& loaded);

/// One item of /Info/Config; std::monostate: invalid on D-Bus.
struct PublishedValue {
  std::string_view key;
  std::variant<std::monostate, int, double, std::string> value;
};

/// Every key that may be seen on D-Bus. Booleans are 0 or 1, lists are comma-separated text.
std::vector<PublishedValue> published_values(const Config& config);

}  // namespace serialbattery::config
