// What an end-to-end test stands on: a private bus, a settings service, a simulated BMS on a pseudo-terminal, the real program, and a
// client that sees what a GX device would see. Everything but the program runs in the test's own loop.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "simulator/pty_host.hpp"
#include "support/bus_client.hpp"
#include "support/loop.hpp"
#include "support/private_bus.hpp"
#include "support/settings_service.hpp"
#include "support/spawned.hpp"

namespace serialbattery::test {

inline constexpr std::chrono::seconds long_patience{40};  // the machine may be busy

class Rig {
 public:
  enum class Settings { here, elsewhere };
  explicit Rig(Settings where = Settings::here) : settings_(io_) {
    if (where == Settings::here) settings_.start();
  }

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::string port() const { return (folder_.path() / "ttyUSB0").string(); }
  [[nodiscard]] SettingsService& settings() { return settings_; }
  [[nodiscard]] PrivateBus& message_bus() { return bus_; }

  /// Connects a device to the port.
  void connect(std::unique_ptr<simulator::Bus> device) {
    host_ = std::make_unique<simulator::PtyHost>(io_, std::move(device),
                                                 simulator::PtyOptions{.link = port(), .latency = std::chrono::milliseconds(1)});
  }
  void connect(std::string_view type, const std::vector<std::uint8_t>& addresses = {}) { connect(simulator::Bus::of(type, addresses)); }
  [[nodiscard]] simulator::PtyHost& host() { return *host_; }
  void set(std::string_view name, std::string_view value) { host_->bus().set(name, value); }
  void fault(std::string_view name, std::string_view value) { host_->bus().set_fault(name, value); }

  /// Lines below [DEFAULT] of config.ini.
  void configure(const std::string& lines) { std::ofstream(folder() / "config.ini") << "[DEFAULT]\n" << lines; }

  /// The program on the port, or with arguments of its own; `environment` is added to that of the test.
  std::unique_ptr<Spawned> start(std::vector<std::string> arguments = {}, std::map<std::string, std::string> environment = {}) {
    std::vector<std::string> command{SB_BINARY_DIR "/dbus-serialbattery", "--folder", folder().string(), "--lock-folder",
                                     folder().string()};
    if (arguments.empty()) arguments = {port()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    environment["DBUS_SYSTEM_BUS_ADDRESS"] = bus_.address();
    return std::make_unique<Spawned>(command, environment);
  }

  /// A client of one battery service; "" or "__0x02" behind the port's name.
  std::unique_ptr<BusClient> client(const std::string& suffix = {}, const std::string& port = "ttyUSB0") {
    return std::make_unique<BusClient>(io_, "com.victronenergy.battery." + port + suffix);
  }

  bool until(const std::function<bool()>& condition, std::chrono::milliseconds limit = long_patience) {
    return run_until(io_, condition, limit);
  }
  void pass(std::chrono::milliseconds time) { run_for(io_, time); }
  template <typename T>
  T get(boost::asio::awaitable<T> task) {
    return await(io_, std::move(task));
  }

 private:
  boost::asio::io_context io_;
  PrivateBus bus_;
  TemporaryFolder folder_;
  SettingsService settings_;
  std::unique_ptr<simulator::PtyHost> host_;
};

/// A value of the client's picture of the service; monostate when invalid or absent.
inline venus::Value seen(const BusClient& client, const std::string& path) {
  const auto item = client.state().find(path);
  return item == client.state().end() ? venus::Value{} : item->second.value;
}
inline std::optional<double> number(const BusClient& client, const std::string& path) {
  const venus::Value value = seen(client, path);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}
inline std::string text(const BusClient& client, const std::string& path) {
  const venus::Value value = seen(client, path);
  const auto* string = std::get_if<std::string>(&value);
  return string ? *string : std::string();
}

/// The usual case: one battery is on the bus and its client has all items.
class Served : public testing::Test {
 protected:
  void serve(std::string_view type = "LltJbd") {
    rig_.connect(type);
    start();
  }
  void start() {
    client_ = rig_.client();
    program_ = rig_.start();
    ASSERT_TRUE(rig_.until([this] { return !client_->owners().empty() && !client_->owners().back().empty(); })) << program_->output();
    rig_.get(client_->get_items());
  }
  bool becomes(const std::string& path, double value, std::chrono::milliseconds limit = long_patience) {
    return rig_.until([&] { return number(*client_, path) == value; }, limit);
  }
  bool becomes_invalid(const std::string& path) {
    return rig_.until([&] { return !number(*client_, path); });
  }
  bool gone() {
    return rig_.until([this] { return client_->owners().back().empty(); });
  }
  std::optional<int> ended() {
    rig_.until([this] { return !program_->running(); });
    return program_->wait(std::chrono::milliseconds(0));
  }

  Rig rig_;
  std::unique_ptr<BusClient> client_;
  std::unique_ptr<Spawned> program_;
};

}  // namespace serialbattery::test
