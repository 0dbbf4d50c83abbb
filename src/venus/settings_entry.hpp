// Inside of the settings client: the life of one battery's entry. Not for other layers.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <vector>

#include "venus/instance_lock.hpp"
#include "venus/settings_client.hpp"
#include "venus/settings_store.hpp"

namespace serialbattery::venus {

struct SettingsClient::Impl : std::enable_shared_from_this<SettingsClient::Impl> {
  Impl(std::shared_ptr<Bus> connection, SettingsOptions configuration);
  void start();
  void changed(sdbus::Message& message);
  void owner_changed(const std::string& owner);
  asio::awaitable<std::unique_ptr<SettingsEntry>> open(BatteryIdentity identity);
  asio::awaitable<bool> attach_in_time(std::shared_ptr<SettingsEntry::Impl> entry);
  [[nodiscard]] std::vector<std::shared_ptr<SettingsEntry::Impl>> open_entries();
  [[nodiscard]] bool is_alive(const std::string& group, std::optional<int> instance);

  std::shared_ptr<Bus> bus;
  SettingsOptions options;
  SettingsStore store;
  std::optional<NameWatch> watch;
  sdbus::Slot slot;
  std::vector<std::weak_ptr<SettingsEntry::Impl>> entries;
  std::optional<TimePoint> deadline;  // for the service to appear
  bool owner_seen = false;
};

struct SettingsEntry::Impl : std::enable_shared_from_this<SettingsEntry::Impl> {
  Impl(std::shared_ptr<SettingsClient::Impl> owner, BatteryIdentity who);

  /// Reads, matches, cleans up, creates, locks: spec B.3. Throws sdbus::Error while the service is not ready, and InstanceTaken.
  asio::awaitable<void> attach();
  asio::awaitable<void> start_without_store();
  /// The service came back with new objects: create what is missing there, then send what differs.
  asio::awaitable<void> reattach();
  asio::awaitable<void> attach_late();
  void renew_last_seen();
  void wake() { late.cancel(); }
  void stop();

  void changed(const std::string& name, const Value& value);
  void save(const control::Persisted& state, Occasion occasion, TimePoint now);
  asio::awaitable<void> flush(control::Persisted state, TimePoint now);
  asio::awaitable<bool> store_custom_name(std::string name);

  const StoredEntry* match(const StoredEntries& entries);
  asio::awaitable<void> adopt_old_instance(const StoredEntries* entries);
  asio::awaitable<void> clean_up(const StoredEntries* entries);
  [[nodiscard]] std::vector<Definition> definitions(const StoredEntry* found, const std::string& instance_text) const;
  asio::awaitable<void> lock_instance(int wanted);
  asio::awaitable<void> change_instance(int wanted);
  void submit(const std::string& name, Value value, std::optional<Saved> which);
  asio::awaitable<void> drain(std::string name);
  void report(const std::string& cause);
  [[nodiscard]] Value encoded(Saved which, const control::Persisted& state) const;
  [[nodiscard]] bool writing() const;

  struct Writing {
    std::optional<Value> next;
    std::optional<Saved> which;
    bool in_flight = false;
  };

  std::shared_ptr<SettingsClient::Impl> client;
  BatteryIdentity identity;
  std::string id;
  std::string group;
  int instance = 1;
  std::string custom_name;
  control::Persisted restored;
  control::Persisted current;
  SettingsEvents events;
  std::optional<SaveCadence> cadence;
  std::optional<InstanceLock> lock;
  std::map<std::string, std::size_t> stored_types;  // index of the alternative of Value
  std::map<std::string, Writing> writings;
  std::string adopted;  // "battery:6" of a group of the oldest layout
  std::string last_cause;
  TimePoint now{};
  std::int64_t last_seen = 0;  // as written, Unix seconds
  asio::steady_timer late;
  asio::steady_timer idle;
  bool persistent = false;
  bool incomplete = false;  // a setting was removed behind our back
  bool reattaching = false;
  bool resend = false;
  bool stopped = false;
};

}  // namespace serialbattery::venus
