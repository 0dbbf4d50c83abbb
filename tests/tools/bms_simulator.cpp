// A BMS (or another device) on a pseudo-terminal: for tests, demonstrations and work without hardware.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio.hpp>
#include <iostream>

#include "simulator/capture.hpp"
#include "simulator/control.hpp"
#include "simulator/pty_host.hpp"

namespace {

using namespace serialbattery;
using namespace serialbattery::simulator;

struct Arguments {
  std::string type;
  std::string capture;
  std::string name;
  std::optional<unsigned> baud;
  std::string link;
  std::vector<std::string> addresses;
  std::string control;
  std::vector<std::string> properties;
  std::vector<std::string> faults;
  std::uint32_t seed = 1;
  bool battery = false;
  double speed = 1;
  PtyOptions pty;
  unsigned latency_ms = 4;
  bool any_line = false;
  bool list = false;
};

/// "name=value" -> set(name, value)
template <typename Setter>
void assign_all(const std::vector<std::string>& assignments, Setter set) {
  for (const std::string& one : assignments) {
    const auto equals = one.find('=');
    if (equals == std::string::npos) throw PropertyError("'" + one + "' is not NAME=VALUE");
    set(std::string_view(one).substr(0, equals), std::string_view(one).substr(equals + 1));
  }
}

/// Plays a recording on the line of the type that it, or --type, names.
std::unique_ptr<Bus> make_player_bus(const Arguments& arguments) {
  Recording recording = load_recording(arguments.capture, arguments.name);
  const Model* model = find_model(arguments.type.empty() ? recording.type : arguments.type);
  Line line = model != nullptr ? model->line : Line{};
  line.baud = arguments.baud.value_or(line.baud);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_player(std::move(recording)));
  return std::make_unique<Bus>(line, std::move(devices));
}

std::unique_ptr<Bus> make_bus(const Arguments& arguments) {
  std::vector<std::uint8_t> addresses;
  for (const std::string& text : arguments.addresses) addresses.push_back(static_cast<std::uint8_t>(parse_number(text)));
  auto bus = arguments.capture.empty() ? Bus::of(arguments.type, addresses, arguments.baud) : make_player_bus(arguments);
  bus->seed(arguments.seed);
  if (arguments.battery) {
    bus->set("run", "on");
    bus->set("speed", std::to_string(arguments.speed));
  }
  assign_all(arguments.properties, [&](auto name, auto value) { bus->set(name, value); });
  assign_all(arguments.faults, [&](auto name, auto value) { bus->set_fault(name, value); });
  return bus;
}

void print_models() {
  for (const Model& model : all_models()) std::cout << model.type << "  " << model.text << ", " << model.line.baud << " baud\n";
}

void run(const Arguments& arguments) {
  asio::io_context io(1);
  PtyHost host(io, make_bus(arguments), arguments.pty);
  const auto quit = [&io] { io.stop(); };
  std::optional<ControlServer> control;
  if (!arguments.control.empty()) control.emplace(io, host, arguments.control, quit);
  serve_descriptor(io, host, ::dup(STDIN_FILENO), STDOUT_FILENO, quit);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, auto) { io.stop(); });
  std::cout << "ready " << host.path() << " -> " << host.slave() << std::endl;
  io.run();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Simulates a BMS or another serial device on a pseudo-terminal.");
  app.footer(std::string(command_help));
  app.add_option("--type", arguments.type, "BMS type or other device, see --list");
  app.add_option("--capture", arguments.capture, "play a recorded conversation: a capture file or a file of test vectors");
  app.add_option("--name", arguments.name, "which of the test vectors; default: the first");
  app.add_option("--baud", arguments.baud, "another baud rate than the type's");
  app.add_option("--link", arguments.link, "symbolic link to the pseudo-terminal, e.g. /tmp/x/ttyUSB0");
  app.add_option("--addresses", arguments.addresses, "bus addresses, one unit each, e.g. 1,2,0x0F")->delimiter(',');
  app.add_option("--control", arguments.control, "UNIX-domain socket for commands");
  app.add_option("--set", arguments.properties, "NAME=VALUE, a property at the start; may be repeated");
  app.add_option("--fault", arguments.faults, "NAME=VALUE, a fault at the start; may be repeated");
  app.add_option("--seed", arguments.seed, "for everything random");
  app.add_flag("--battery", arguments.battery, "a battery that charges and discharges slowly in turn");
  app.add_option("--speed", arguments.speed, "seconds of that battery per real second");
  app.add_option("--chunk", arguments.pty.chunk, "most bytes that the adapter delivers at once")->check(CLI::Range(1, 4096));
  app.add_option("--latency", arguments.latency_ms, "longest time that the adapter keeps bytes back, ms");
  app.add_option("--pace", arguments.pty.pace, "1: the line's real speed, 0: no waiting")->check(CLI::Range(0.0, 10.0));
  app.add_flag("--any-line", arguments.any_line, "understand the program at any baud rate");
  app.add_flag("--list", arguments.list, "list all types");
  CLI11_PARSE(app, argc, argv);
  try {
    if (arguments.list) return print_models(), 0;
    arguments.pty.link = arguments.link;
    arguments.pty.latency = std::chrono::milliseconds(arguments.latency_ms);
    arguments.pty.check_line = !arguments.any_line;
    run(arguments);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bms-simulator: " << error.what() << "\n";
    return 1;
  }
}
