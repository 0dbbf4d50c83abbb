#include "daemon/options.hpp"

#include <CLI/CLI.hpp>

namespace serialbattery::daemon {

namespace {

namespace fs = std::filesystem;

constexpr const char* description =
    "Battery driver for Victron Venus OS: finds the BMS on a serial port and publishes the battery on D-Bus.";

constexpr const char* footer =
    "Examples:\n"
    "  dbus-serialbattery --status                     all batteries of the device, live\n"
    "  dbus-serialbattery --scan /dev/ttyUSB0          which BMS is there, and what answered nearly right?\n"
    "  dbus-serialbattery --check-config               the configuration in use and everything that is wrong with it\n"
    "  dbus-serialbattery --once --json /dev/ttyUSB0   one reading as JSON\n"
    "  dbus-serialbattery /dev/ttyUSB0                 serve the battery on this port (serial-starter does this)\n"
    "A port that the driver serves is busy: before --scan and --once on the device, take it away from serial-starter\n"
    "(stop-tty.sh, see docs/troubleshooting.md).\n\n"
    "Exit codes:\n"
    "  0  stopped on request; --scan, --once: a battery was found; --check-config: no errors\n"
    "  1  no battery found, battery or port lost, configuration or arguments unusable\n"
    "  2  unexpected error\n"
    "  3  the D-Bus daemon has gone";

// The program lies in <folder>/ or in <folder>/bin/.
fs::path default_folder(const fs::path& program) {
  std::error_code error;
  const fs::path here = fs::weakly_canonical(program, error).parent_path();
  for (const fs::path& folder :
       {here, here.parent_path(), fs::path("/data/etc/dbus-serialbattery"), fs::path("/data/apps/dbus-serialbattery")}) {
    if (fs::exists(folder / "config.default.ini", error) || fs::exists(folder / "config.ini", error)) return folder;
  }
  return here;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  options.program = argc > 0 ? argv[0] : "dbus-serialbattery";
  CLI::App app(description, "dbus-serialbattery");
  app.footer(footer);
  app.set_version_flag("--version", "dbus-serialbattery v" SB_VERSION);
  bool check = false, list = false, scan = false, once = false, status = false, services = false;
  app.add_option("device", options.device, "port, e.g. /dev/ttyUSB0 or /dev/spidev0.0");
  app.add_option("--replay", options.replay, "serve a recorded conversation (capture file) in place of a port")->check(CLI::ExistingFile);
  app.add_option("--folder", options.folder, "folder of config.default.ini and config.ini; default: where the program lies");
  app.add_option("--lock-folder", options.lock_folder, "folder of the files that keep two batteries from one instance; default: /var/tmp");
  auto* group = app.add_option_group("instead of serving");
  group->add_flag("--check-config", check, "print the configuration in use and every problem; exit code 1 if there are errors");
  group->add_flag("--list-bms", list, "print the supported BMS types");
  group->add_flag("--scan", scan, "look for a BMS on the port and print what answered; nothing is written to the BMS's settings");
  group->add_flag("--once", once, "print one reading and leave");
  group->add_flag("--status", status, "show all battery services on the bus, live");
  group->add_flag("--list-services", services, "print the services that the configuration asks for besides serial ports, one a line");
  group->require_option(0, 1);
  app.add_flag("--json", options.json, "with --once: as JSON");
  app.add_option("--count", options.count, "with --status: leave after this many pictures")->check(CLI::NonNegativeNumber);
  try {
    app.parse(argc, argv);
    if (check) options.mode = Options::Mode::check_config;
    if (list) options.mode = Options::Mode::list_bms;
    if (scan) options.mode = Options::Mode::scan;
    if (once) options.mode = Options::Mode::once;
    if (status) options.mode = Options::Mode::status;
    if (services) options.mode = Options::Mode::list_services;
    const bool needs_device = options.mode == Options::Mode::serve || scan || once;
    if (needs_device && options.device.empty() && options.replay.empty()) throw CLI::RequiredError("a device such as /dev/ttyUSB0");
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 1;
  }
  if (options.folder.empty()) options.folder = default_folder(options.program);
  return options;
}

}  // namespace serialbattery::daemon
