// Arguments -> what was asked for; nothing else.
#include <sys/prctl.h>

#include <unistd.h>
#include <fstream>
#include <iostream>

#include "config/loader.hpp"
#include "config/report.hpp"
#include "daemon/daemon.hpp"
#include "daemon/log.hpp"
#include "daemon/memory.hpp"
#include "daemon/options.hpp"
#include "daemon/tools.hpp"
#include "serialbattery/registry.hpp"

using namespace serialbattery;

namespace {

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const DriverEntry& entry : all_drivers()) names.push_back(entry.type);
  return names;
}

// The service script sends its signals to this process, whoever its parent is (service/run).
void leave_pid() {
  if (const char* file = std::getenv("SERIALBATTERY_PID_FILE")) std::ofstream(file) << getpid() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_NAME, "dbus-serialbatt");  // under the bundled loader the kernel would show the loader's name
  const auto parsed = daemon::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const auto& options = std::get<daemon::Options>(parsed);
  daemon::release_startup_memory();  // the libraries' own start and the command line
  const config::Loaded loaded = config::load_folder(options.folder, type_names());
  using Mode = daemon::Options::Mode;
  switch (options.mode) {
    case Mode::check_config: {
      const config::CheckReport report = config::check_report(loaded);
      std::cout << report.text;
      return report.exit_status;
    }
    case Mode::list_bms: return daemon::list_bms(std::cout);
    case Mode::list_services: return daemon::list_services(loaded, std::cout);
    case Mode::scan: return daemon::scan(options, loaded, std::cout);
    case Mode::once: return daemon::once(options, loaded, std::cout);
    case Mode::status: return daemon::status(options);
    case Mode::serve: break;
  }
  leave_pid();
  daemon::set_up_log(loaded.config.logging);
  return daemon::serve(options, loaded);
}
