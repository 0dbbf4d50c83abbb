// The command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace serialbattery::daemon {

/// What the user asked for.
struct Options {
  enum class Mode { serve, check_config, list_bms, scan, once, status, list_services };
  Mode mode = Mode::serve;
  std::string program;                             // argv[0]
  std::string device;                              // "/dev/ttyUSB0"
  std::filesystem::path replay;                    // recorded conversation in place of the device
  std::filesystem::path folder;                    // holds config.default.ini, config.ini and the detection cache
  std::filesystem::path lock_folder = "/var/tmp";  // one lock file per VRM instance, shared with the Python driver
  bool json = false;                               // --once: as JSON
  int count = 0;                                   // --status: number of pictures, 0 = until stopped
};

/// The options, or the exit code when there is nothing more to do (--help, --version, a mistake; already told on the terminal).
std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace serialbattery::daemon
