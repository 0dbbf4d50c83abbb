// settings-service: a stand-in for the settings service of Venus OS, for end-to-end tests and the demo.
//
// Runs on the bus of DBUS_SYSTEM_BUS_ADDRESS until SIGTERM. Beside the settings it has the object /StandIn, interface
// org.serialbattery.StandIn: FileWrites() -> i, Behave(s normal|mute|refuse), Hide(i ms): drop the name for a while.
#include "support/settings_service.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <iostream>

namespace {

using serialbattery::test::SettingsService;
namespace asio = boost::asio;
namespace venus = serialbattery::venus;

SettingsService::Behaviour behaviour_named(const std::string& name) {
  if (name == "mute") return SettingsService::Behaviour::mute;
  if (name == "refuse") return SettingsService::Behaviour::refuse;
  return SettingsService::Behaviour::normal;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Stand-in for com.victronenergy.settings"};
  std::string file;
  int write_delay_ms = 2000;
  int objects_after_ms = 0;
  app.add_option("--file", file, "JSON file that keeps the settings; read at start");
  app.add_option("--write-delay-ms", write_delay_ms, "changes within this time share one file write");
  app.add_option("--objects-after-ms", objects_after_ms, "own the name this long before the objects exist, as old versions do");
  CLI11_PARSE(app, argc, argv);

  asio::io_context io;
  SettingsService service(io, {std::chrono::milliseconds(write_delay_ms), file});
  if (!file.empty()) service.data.load(file);
  if (service.data.all().empty()) service.data.preset("/Settings/SystemSetup/SystemName", std::string("Test"));
  asio::steady_timer timer(io);
  service.start(objects_after_ms > 0 ? SettingsService::Objects::missing : SettingsService::Objects::present);
  if (objects_after_ms > 0) {
    timer.expires_after(std::chrono::milliseconds(objects_after_ms));
    timer.async_wait([&](const boost::system::error_code& error) {
      if (!error) service.show_objects();
    });
  }

  const auto control = venus::Bus::connect(io, [&] { io.stop(); });
  const auto object = sdbus::createObject(control->connection(), "/StandIn");
  constexpr const char* interface = "org.serialbattery.StandIn";
  object->registerMethod("FileWrites").onInterface(interface).implementedAs([&] { return std::int32_t{service.file_writes()}; });
  object->registerMethod("Behave").onInterface(interface).implementedAs(
      [&](const std::string& how) { service.behave(behaviour_named(how)); });
  object->registerMethod("Hide").onInterface(interface).implementedAs([&](std::int32_t ms) {
    asio::post(io, [&, ms] {
      service.stop();
      timer.expires_after(std::chrono::milliseconds(ms));
      timer.async_wait([&](const boost::system::error_code& error) {
        if (!error) service.start();
      });
    });
  });
  object->finishRegistration();
  control->connection().requestName("org.serialbattery.StandIn");
  control->kick();

  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  std::cout << "ready" << std::endl;
  io.run();
  service.stop();
  return 0;
}
