// The settings service as seen from here: the few calls that the driver makes. Spec settings.md A.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "venus/bus.hpp"
#include "venus/stored_entry.hpp"

namespace serialbattery::venus {

inline constexpr const char* settings_service = "com.victronenergy.settings";
inline constexpr std::string_view devices_path = "/Settings/Devices/";

/// One setting to create, or to find.
struct Definition {
  std::string name;
  Value initial;
  enum class Log : std::uint8_t { normal, silent } log = Log::normal;
};

/// All calls throw sdbus::Error when the service does not answer or refuses the call itself.
class SettingsStore {
 public:
  SettingsStore(std::shared_ptr<Bus> bus, std::chrono::milliseconds limit) : bus_(std::move(bus)), limit_(limit) {}

  /// Everything about serial batteries, in one call (two on a device that has no device settings yet).
  asio::awaitable<StoredEntries> read();
  /// Creates what is missing in a group. Returns the values that the settings have then; those with an error are absent and logged.
  asio::awaitable<std::map<std::string, Value>> add(std::string group, std::vector<Definition> definitions);
  asio::awaitable<void> remove(std::string group, std::vector<std::string> names);
  /// Result of SetValue: 0 is success.
  asio::awaitable<int> set(std::string group, std::string name, Value value);

 private:
  asio::awaitable<std::vector<std::pair<std::string, Value>>> listing(std::string path);
  std::shared_ptr<Bus> bus_;
  std::chrono::milliseconds limit_;
};

/// The lowest instance >= 1 that no other battery service on the bus uses.
asio::awaitable<int> free_instance(std::shared_ptr<Bus> bus, std::string own_name, std::chrono::milliseconds limit);

}  // namespace serialbattery::venus
