// Opening a battery's entry: matching, creating, locking; and what changes it from outside. Spec settings.md B.3, B.7 to B.10.
#include "venus/settings_entry.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "venus/identity.hpp"

namespace serialbattery::venus {
namespace {

constexpr std::size_t text_type = 3;  // index of std::string in Value

/// Python's default: the service counts up to the next free number by itself.
constexpr const char* first_instance = "battery:1";

std::string conflict_text(int instance, const std::string& holder, const std::filesystem::path& file) {
  return fmt::format(
      "VRM instance {} is in use by {} (lock file {}). Two batteries have the same identifier: change the capacity of one by 1 Ah, or its "
      "user text inside the BMS, or set USE_PORT_AS_UNIQUE_ID = True",
      instance, holder.empty() ? "another process" : holder, file.string());
}

}  // namespace

SettingsEntry::Impl::Impl(std::shared_ptr<SettingsClient::Impl> owner, BatteryIdentity who)
    : client(std::move(owner)),
      identity(std::move(who)),
      id(identity.unit.id),
      group(group_name(id)),
      custom_name(identity.proposed_name),
      late(client->bus->io()),
      idle(client->bus->io()) {}

const StoredEntry* SettingsEntry::Impl::match(const StoredEntries& entries) {
  std::vector<std::string> taken;
  for (const auto& other : client->open_entries()) {
    if (other.get() == this) break;  // those behind it have higher addresses and give way
    taken.push_back(other->id);
  }
  id = settled_id(identity.unit, entries, taken);
  const auto* found = find_entry(entries, id);
  if (found == nullptr && id == identity.unit.id && !identity.legacy_id.empty()) found = find_entry(entries, identity.legacy_id);
  group = found != nullptr ? found->group : group_name(id);
  return found;
}

/// Versions before 2023 stored nothing but the instance, below the name of the port. Remembered, in case the next call fails.
asio::awaitable<void> SettingsEntry::Impl::adopt_old_instance(const StoredEntries* entries) {
  const auto old_group = "serialbattery_" + identity.port;
  for (const auto& stored : *entries) {
    if (stored.group != old_group || stored.values.size() != 1) continue;
    const auto old_instance = parse_class_and_instance(stored_text(stored, entry::class_and_instance));
    if (!old_instance || client->is_alive(old_group, old_instance->instance)) continue;
    spdlog::info("Settings: instance {} of {} is adopted", old_instance->instance, old_group);
    adopted = fmt::format("battery:{}", old_instance->instance);
    const std::vector<std::string> names = {entry::class_and_instance};
    co_await client->store.remove(old_group, names);
  }
}

asio::awaitable<void> SettingsEntry::Impl::clean_up(const StoredEntries* entries) {
  const auto alive = [&](const std::string& name, std::optional<int> number) { return name == group || client->is_alive(name, number); };
  const auto removals = stale_entries(*entries, client->options.wall(), alive);
  for (const auto& removal : removals) {
    spdlog::info("Settings: {} is removed, {}", removal.group, removal.reason);
    try {
      co_await client->store.remove(removal.group, removal.names);
    } catch (const sdbus::Error& error) {
      if (!is_unknown_object(error)) throw;  // somebody else was faster
    }
  }
}

std::vector<Definition> SettingsEntry::Impl::definitions(const StoredEntry* found, const std::string& instance_text) const {
  using Log = Definition::Log;
  const auto& state = current;
  const std::int64_t address = identity.unit.address ? *identity.unit.address : -1;
  const auto identifier = found != nullptr ? stored_text(*found, entry::unique_identifier) : id;
  const Value history = state.history == History{} ? std::string() : history_to_json(state.history);
  std::vector<Definition> all = {
      {entry::unique_identifier, identifier, Log::normal},
      {entry::class_and_instance, instance_text, Log::normal},
      {entry::custom_name, custom_name, Log::normal},
      {entry::last_seen, last_seen, Log::normal},
      {entry::allow_max_voltage, std::int64_t{state.allow_max_voltage ? 1 : 0}, Log::normal},
      {entry::max_voltage_start_time, encoded(Saved::max_voltage_start_time, state), Log::normal},
      {entry::soc_calc, encoded(Saved::soc_calc, state), Log::silent},
      {entry::soc_reset_last_reached, state.soc_reset_last_reached, Log::normal},
      {entry::history, history, Log::silent},
      {entry::bus_address, address, Log::normal},
  };
  // A setting that exists with another type is used as it is; adding it would only fail.
  std::erase_if(all, [&](const Definition& definition) {
    const auto* stored = found != nullptr ? found->find(definition.name) : nullptr;
    return stored != nullptr && stored->index() != definition.initial.index();
  });
  return all;
}

asio::awaitable<void> SettingsEntry::Impl::attach() {
  const auto self = shared_from_this();
  const StoredEntries entries = co_await client->store.read();
  const auto* found = match(entries);
  std::string instance_text = first_instance;
  Restored loaded;
  stored_types.clear();
  if (found != nullptr) {
    loaded = restore(*found);
    for (const auto& problem : loaded.problems) spdlog::warn("Settings: {}: {}; ignored", group, problem);
    for (const auto& [name, value] : found->values) stored_types[name] = value.index();
    const auto stored = stored_text(*found, entry::class_and_instance);
    if (!stored.empty()) instance_text = stored;
  } else {
    co_await adopt_old_instance(&entries);
    if (!adopted.empty()) instance_text = adopted;
  }
  restored = current = loaded.state;
  custom_name = loaded.custom_name.empty() ? identity.proposed_name : loaded.custom_name;
  co_await clean_up(&entries);
  last_seen = client->options.wall();
  if (found != nullptr && found->find(entry::last_seen) != nullptr) {
    co_await client->store.set(group, entry::last_seen, last_seen);
  }
  const auto wanted = definitions(found, instance_text);
  const auto values = co_await client->store.add(group, wanted);
  for (const auto& [name, value] : values) stored_types[name] = value.index();

  const auto answer = values.find(entry::class_and_instance);
  const auto text = answer != values.end() && answer->second.index() == text_type ? std::get<std::string>(answer->second) : instance_text;
  const auto parsed = parse_class_and_instance(text);
  if (!parsed) throw sdbus::Error("com.victronenergy.settings.Malformed", "the setting ClassAndVrmInstance is '" + text + "'");
  if (parsed->device_class != "battery") spdlog::warn("Settings: class '{}' of {} is ignored", parsed->device_class, group);
  co_await lock_instance(parsed->instance);
  instance = parsed->instance;

  const std::int64_t address = identity.unit.address ? *identity.unit.address : -1;
  if (address >= 0 && found != nullptr && stored_number(*found, entry::bus_address).value_or(-1) != static_cast<double>(address)) {
    co_await client->store.set(group, entry::bus_address, address);
  }
  now = Clock::now();
  cadence.emplace(restored, now);
  persistent = true;
  spdlog::info("Settings: {} {}, instance {}", group, found != nullptr ? "found" : "created", instance);
}

/// A second battery with the same instance must not appear. The lock may be looked at by somebody just now, so it is tried twice.
asio::awaitable<void> SettingsEntry::Impl::lock_instance(int wanted) {
  const auto& folder = client->options.lock_folder;
  if (lock && wanted == instance) co_return;
  constexpr std::chrono::milliseconds pause{200};
  auto outcome = InstanceLock::acquire(folder, wanted, identity.service_name);
  if (outcome.kind == LockOutcome::Kind::held) {
    late.expires_after(pause);
    boost::system::error_code ignored;
    co_await late.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    outcome = InstanceLock::acquire(folder, wanted, identity.service_name);
  }
  if (outcome.kind == LockOutcome::Kind::held) {
    throw InstanceTaken(conflict_text(wanted, outcome.detail, InstanceLock::file_name(folder, wanted)));
  }
  if (outcome.kind == LockOutcome::Kind::unavailable) {
    spdlog::warn("Settings: no lock file {}: {}", InstanceLock::file_name(folder, wanted).string(), outcome.detail);
  }
  lock = std::move(outcome.lock);
}

asio::awaitable<void> SettingsEntry::Impl::start_without_store() {
  persistent = false;
  try {
    instance = co_await free_instance(client->bus, identity.service_name, client->options.call_limit);
  } catch (const sdbus::Error& error) {
    spdlog::warn("Settings: the instances on the bus can not be read: {}", error.what());
  }
  spdlog::error("Settings: the service does not answer; {} runs as instance {} and nothing is saved until it is there", id, instance);
  co_await lock_instance(instance);
}

asio::awaitable<void> SettingsEntry::Impl::attach_late() {
  const auto self = shared_from_this();
  while (!stopped && !persistent) {
    late.expires_after(client->options.late_retry);
    boost::system::error_code ignored;
    co_await late.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (stopped) co_return;
    const int before = instance;
    const auto name_before = custom_name;
    try {
      co_await attach();
    } catch (const std::exception& error) {
      instance = before;
      spdlog::debug("Settings: not yet: {}", error.what());
      continue;
    }
    if (events.opened_late) events.opened_late();
    if (instance != before && events.instance_changed) events.instance_changed(instance);
    if (custom_name != name_before && events.custom_name_changed) events.custom_name_changed(custom_name);
  }
}

asio::awaitable<void> SettingsEntry::Impl::reattach() {
  const auto self = shared_from_this();
  if (std::exchange(reattaching, true)) co_return;
  try {
    const StoredEntries entries = co_await client->store.read();
    const auto mine = std::find_if(entries.begin(), entries.end(), [&](const StoredEntry& stored) { return stored.group == group; });
    const auto* found = mine != entries.end() ? &*mine : nullptr;
    auto text = found != nullptr ? stored_text(*found, entry::class_and_instance) : std::string();
    if (text.empty()) text = fmt::format("battery:{}", instance);
    const auto wanted = definitions(found, text);
    const auto values = co_await client->store.add(group, wanted);
    for (const auto& [name, value] : values) changed(name, value);
    cadence.emplace(found != nullptr ? restore(*found).state : current, now);
    incomplete = false;
    resend = true;
  } catch (const sdbus::Error& error) {
    report(error.what());
    incomplete = true;  // the next save tries again
  }
  reattaching = false;
}

asio::awaitable<void> SettingsEntry::Impl::change_instance(int wanted) {
  const auto self = shared_from_this();
  try {
    co_await lock_instance(wanted);
    instance = wanted;
    if (events.instance_changed) events.instance_changed(wanted);
  } catch (const InstanceTaken& error) {
    spdlog::error("Settings: instance {} is kept: {}", instance, error.what());
  }
}

/// A setting changed, by somebody else or as the echo of an own write.
void SettingsEntry::Impl::changed(const std::string& name, const Value& value) {
  if (stopped) return;
  if (!is_valid(value)) {
    incomplete = true;  // removed; created again with the next save
    return;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (name == entry::class_and_instance && text != nullptr) {
    const auto parsed = parse_class_and_instance(*text);
    if (parsed && parsed->instance != instance) asio::co_spawn(client->bus->io(), change_instance(parsed->instance), asio::detached);
  } else if (name == entry::custom_name && text != nullptr && *text != custom_name) {
    custom_name = *text;
    if (events.custom_name_changed) events.custom_name_changed(custom_name);
  }
}

void SettingsEntry::Impl::stop() {
  stopped = true;
  late.cancel();
  lock.reset();
}

}  // namespace serialbattery::venus
