// The driver's entries in the settings service: instance, custom name and the state that survives a restart. Spec settings.md B.
//
// One SettingsClient per process, one SettingsEntry per battery. Nothing here ever ends the process: without the service a battery
// runs on a free instance and forgets its state.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "control/persisted.hpp"
#include "serialbattery/clock.hpp"
#include "venus/bus.hpp"
#include "venus/save_cadence.hpp"
#include "venus/stored_entry.hpp"

namespace serialbattery::venus {

struct BatteryIdentity {
  Unit unit;                  // identifier (bms_id()) and where it was found
  std::string legacy_id;      // another identifier under which the data may lie; often empty
  std::string port;           // "ttyUSB0"
  std::string proposed_name;  // default of the custom name
  std::string service_name;   // for the lock file
};

/// Another battery on this device has the same instance, usually because it has the same identifier. The text explains what to do.
class InstanceTaken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SettingsOptions {
  std::chrono::milliseconds wait{60'000};        // for the service to appear, from the first open() on
  std::chrono::milliseconds retry{1'000};        // between attempts while waiting
  std::chrono::milliseconds late_retry{10'000};  // between attempts afterwards, in the background
  std::chrono::milliseconds call_limit{4'000};   // per call; whoever writes the custom name waits 5 s for our answer
  std::chrono::seconds heartbeat{86'400};        // LastSeen, by the wall clock
  std::filesystem::path lock_folder = "/var/tmp";
  std::function<std::int64_t()> wall = [] { return std::int64_t{std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())}; };
};

/// What may happen to an entry from outside. Called from the loop.
struct SettingsEvents {
  std::function<void(int instance)> instance_changed;
  std::function<void(const std::string& name)> custom_name_changed;
  /// The service came after the battery had been started without it: restored() has now what it holds. Until this returns nothing is
  /// written, so start control anew from it, or the first save() replaces the user's history.
  std::function<void()> opened_late;
};

class SettingsEntry {
 public:
  struct Impl;
  explicit SettingsEntry(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  ~SettingsEntry();
  SettingsEntry(const SettingsEntry&) = delete;
  SettingsEntry& operator=(const SettingsEntry&) = delete;

  [[nodiscard]] const std::string& id() const;  // with suffix, if the unit got one; for /Serial
  [[nodiscard]] int instance() const;
  [[nodiscard]] const std::string& custom_name() const;
  [[nodiscard]] const control::Persisted& restored() const;
  [[nodiscard]] bool persistent() const;  // false: the service is absent, nothing is saved

  void on_events(SettingsEvents events);

  /// Once per poll, and after the user set the SoC or cleared the history: writes what is due, never waits.
  void save(const control::Persisted& state, Occasion occasion, TimePoint now);

  /// At shutdown: writes everything that differs and waits for the answers, 0.5 s at most.
  asio::awaitable<void> flush(control::Persisted state, TimePoint now);

  /// The user's name for the battery. False when it could not be stored.
  asio::awaitable<bool> store_custom_name(std::string name);

 private:
  std::shared_ptr<Impl> impl_;
};

class SettingsClient {
 public:
  /// Subscribes to changes (a synchronous call): create it while starting up. `bus` outlives it.
  SettingsClient(std::shared_ptr<Bus> bus, SettingsOptions options = {});
  ~SettingsClient();
  SettingsClient(const SettingsClient&) = delete;
  SettingsClient& operator=(const SettingsClient&) = delete;

  /// Finds or creates the battery's entry, removes stale ones, locks the instance. Waits for the service; without it the entry is not
  /// persistent. Open the batteries of a port one after the other, lowest address first. Throws InstanceTaken, and sdbus::Error when the
  /// bus is gone.
  asio::awaitable<std::unique_ptr<SettingsEntry>> open(BatteryIdentity identity);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace serialbattery::venus
