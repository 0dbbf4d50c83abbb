// first-soc: measures the real program from its start to the first state of charge on D-Bus, and how much memory it takes, against
// simulated boards at the pace of their serial line. Exit code 1 when a figure is beyond its limit.
//
//   first-soc                     a table
//   first-soc --slack 5           on a busy machine: times may be five times their limit, memory may not
//   first-soc --program PATH      another program than the one of this build, for instance the start script of an unpacked package
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "simulator/pty_host.hpp"
#include "support/bus_client.hpp"
#include "support/private_bus.hpp"
#include "support/settings_service.hpp"
#include "support/spawned.hpp"

namespace {

using namespace serialbattery;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using namespace serialbattery::test;
using Seconds = std::chrono::duration<double>;

constexpr double memory_limit_mb = 8;

enum class Before { nothing, same_battery };

struct Case {
  const char* what;
  const char* bms;
  const char* configuration;
  Before before;
  std::optional<Seconds> limit;
};

constexpr const char* four_types = "BMS_TYPE = LltJbd, Jkbms, Jkbms_pb, Daly\n";

const Case cases[] = {
    {"JBD, found here before", "LltJbd", "", Before::same_battery, 1.5s},
    {"JBD, unknown, four types to try", "LltJbd", four_types, Before::nothing, 4s},
    {"JBD, unknown, all types to try", "LltJbd", "", Before::nothing, std::nullopt},
    {"JK, found here before", "Jkbms", "", Before::same_battery, 1.5s},
    {"JK, unknown, four types to try", "Jkbms", four_types, Before::nothing, 4s},
    {"JK PB, found here before", "Jkbms_pb", "", Before::same_battery, 1.5s},
    {"Daly, found here before", "Daly", "", Before::same_battery, 1.5s},
};

struct Figures {
  std::optional<Seconds> first_soc;
  double peak_mb = 0;
  double resident_mb = 0;
};

// A line of /proc/PID/status in kB, as MB.
double memory_mb(pid_t pid, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

bool has_soc(const SeenItems& items) {
  const auto soc = items.find("/Soc");
  return soc != items.end() && std::holds_alternative<double>(soc->second.value);
}

class Bench {
 public:
  Bench(std::string program, const Case& what) : program_(std::move(program)) {
    settings_.start();
    host_ =
        std::make_unique<simulator::PtyHost>(io_, simulator::Bus::of(what.bms), simulator::PtyOptions{.link = folder_.path() / "ttyUSB0"});
    std::ofstream(folder_.path() / "config.ini") << "[DEFAULT]\n" << what.configuration;
  }

  // Serves the battery until it has an SoC, and for `then` longer.
  Figures run(std::chrono::milliseconds then) {
    BusClient client(io_, "com.victronenergy.battery.ttyUSB0");
    const auto start = std::chrono::steady_clock::now();
    Spawned program({program_, "--folder", folder_.path().string(), "--lock-folder", folder_.path().string(), host_->path()},
                    {{"DBUS_SYSTEM_BUS_ADDRESS", bus_.address()}});
    Figures figures;
    const bool there = run_until(
        io_, [&] { return !client.owners().empty() && !client.owners().back().empty(); }, std::chrono::minutes(1));
    if (!there || !has_soc(await(io_, client.get_items()))) {
      std::cerr << program.output();
      return figures;
    }
    figures.first_soc = std::chrono::steady_clock::now() - start;
    run_for(io_, then);
    figures.peak_mb = memory_mb(program.pid(), "VmHWM");
    figures.resident_mb = memory_mb(program.pid(), "VmRSS");
    program.signal(SIGTERM);
    run_until(io_, [&] { return !program.running(); });
    return figures;
  }

 private:
  std::string program_;
  asio::io_context io_;
  PrivateBus bus_;
  TemporaryFolder folder_;
  SettingsService settings_{io_};
  std::unique_ptr<simulator::PtyHost> host_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("From the start of the program to the first state of charge on D-Bus, and the memory it takes.", "first-soc");
  std::string program = SB_BINARY_DIR "/dbus-serialbattery";
  double slack = 1;
  app.add_option("--program", program, "the program to measure")->check(CLI::ExistingFile);
  app.add_option("--slack", slack, "how many times its limit a time may be")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  bool passed = true;
  fmt::print("{:34} {:>10} {:>8} {:>14} {:>10} {:>8}\n", "", "first SoC", "limit", "peak memory", "resident", "limit");
  for (const Case& what : cases) {
    Bench bench(program, what);
    if (what.before == Before::same_battery) bench.run(std::chrono::milliseconds(0));
    const Figures figures = bench.run(std::chrono::seconds(3));
    const bool in_time = figures.first_soc && (!what.limit || *figures.first_soc <= *what.limit * slack);
    const bool small = figures.peak_mb <= memory_limit_mb;
    passed = passed && in_time && small;
    fmt::print("{:34} {:>10} {:>8} {:>11.1f} MB {:>7.1f} MB {:>5.0f} MB{}\n", what.what,
               figures.first_soc ? fmt::format("{:.2f} s", figures.first_soc->count()) : "never",
               what.limit ? fmt::format("{:.1f} s", what.limit->count()) : "", figures.peak_mb, figures.resident_mb, memory_limit_mb,
               in_time && small ? "" : "  MISSED");
    std::cout.flush();
  }
  return passed ? 0 : 1;
}
