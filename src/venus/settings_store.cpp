#include "venus/settings_store.hpp"

#include <set>

namespace serialbattery::venus {
namespace {

constexpr const char* settings_interface = "com.victronenergy.Settings";
constexpr std::string_view battery_names = "com.victronenergy.battery.";

void append_entry(sdbus::Message& message, const char* key, const Value& value) {
  message.openDictEntry("sv");
  message << key;
  write_variant(message, value);
  message.closeDictEntry();
}

}  // namespace

asio::awaitable<std::vector<std::pair<std::string, Value>>> SettingsStore::listing(std::string path) {
  auto reply = co_await bus_->call(Method(settings_service, path, bus_item_interface, "GetValue"), limit_);
  std::string type;
  std::string contents;
  reply.message.peekType(type, contents);
  if (contents != "a{sv}") co_return std::vector<std::pair<std::string, Value>>{};
  reply.message.enterVariant(contents);
  co_return read_dict(reply.message);
}

asio::awaitable<StoredEntries> SettingsStore::read() {
  bool no_group = false;
  try {
    auto values = co_await listing("/Settings/Devices");
    co_return collect_entries(values);
  } catch (const sdbus::Error& error) {
    if (!is_unknown_object(error)) throw;
    no_group = true;
  }
  // Either no device has settings yet, or the service has its name but no objects: the root tells.
  StoredEntries entries;
  if (no_group) {
    const std::string prefix(devices_path.substr(1));
    auto values = co_await listing("/");
    std::vector<std::pair<std::string, Value>> below;
    for (auto& [key, value] : values) {
      if (key.starts_with(prefix)) below.emplace_back(key.substr(prefix.size()), std::move(value));
    }
    entries = collect_entries(below);
  }
  co_return entries;
}

asio::awaitable<std::map<std::string, Value>> SettingsStore::add(std::string group, std::vector<Definition> definitions) {
  const std::string folder = std::string(devices_path) + group + "/";
  auto fill = [&](sdbus::Message& message) {
    message.openContainer("a{sv}");
    for (const auto& definition : definitions) {
      message.openContainer("{sv}");
      append_entry(message, "path", folder + definition.name);
      append_entry(message, "default", definition.initial);
      if (definition.log == Definition::Log::silent) append_entry(message, "silent", std::int64_t{1});
      message.closeContainer();
    }
    message.closeContainer();
  };
  auto reply = co_await bus_->call_with(Method(settings_service, "/", settings_interface, "AddSettings"), fill, limit_);
  std::map<std::string, Value> values;
  auto& message = reply.message;
  message.enterContainer("a{sv}");
  while (true) {
    std::string type;
    std::string contents;
    message.peekType(type, contents);
    if (type != "a") break;
    std::string path;
    std::int64_t error = 0;
    Value value;
    for (auto& [key, content] : read_dict(message)) {
      if (key == "path" && std::holds_alternative<std::string>(content)) path = std::get<std::string>(content);
      if (key == "error" && std::holds_alternative<std::int64_t>(content)) error = std::get<std::int64_t>(content);
      if (key == "value") value = std::move(content);
    }
    if (error != 0) spdlog::warn("Settings: {} can not be created, error {}", path, error);
    if (path.starts_with(folder) && is_valid(value)) values[path.substr(folder.size())] = std::move(value);
  }
  co_return values;
}

asio::awaitable<void> SettingsStore::remove(std::string group, std::vector<std::string> names) {
  co_await bus_->call(Method(settings_service, std::string(devices_path) + group, settings_interface, "RemoveSettings"), limit_, names);
}

asio::awaitable<int> SettingsStore::set(std::string group, std::string name, Value value) {
  auto fill = [&](sdbus::Message& message) { write_variant(message, value); };
  const auto path = std::string(devices_path) + group + "/" + name;
  auto reply = co_await bus_->call_with(Method(settings_service, path, bus_item_interface, "SetValue"), fill, limit_);
  std::int32_t code = -1;
  reply.message >> code;
  co_return code;
}

asio::awaitable<int> free_instance(std::shared_ptr<Bus> bus, std::string own_name, std::chrono::milliseconds limit) {
  std::vector<std::string> names;
  auto list = co_await bus->call(Method("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames"), limit);
  list.message >> names;
  std::set<std::int64_t> used;
  for (const auto& name : names) {
    if (!name.starts_with(battery_names) || name == own_name) continue;
    try {
      auto reply = co_await bus->call(Method(name, "/DeviceInstance", bus_item_interface, "GetValue"), limit);
      const auto value = read_variant(reply.message);
      if (const auto* number = std::get_if<std::int64_t>(&value)) used.insert(*number);
    } catch (const sdbus::Error& error) {
      spdlog::debug("D-Bus: {} does not tell its instance: {}", name, error.what());
    }
  }
  int instance = 1;
  while (used.contains(instance)) ++instance;
  co_return instance;
}

}  // namespace serialbattery::venus
