// The client side of the settings service: waiting for it, following it, handing out entries.
#include "venus/settings_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "venus/settings_entry.hpp"

namespace serialbattery::venus {

SettingsClient::Impl::Impl(std::shared_ptr<Bus> connection, SettingsOptions configuration)
    : bus(std::move(connection)), options(std::move(configuration)), store(bus, options.call_limit) {}

void SettingsClient::Impl::start() {
  const auto match = fmt::format("type='signal',sender='{}',interface='{}',member='PropertiesChanged',path_namespace='/Settings/Devices'",
                                 settings_service, bus_item_interface);
  slot = bus->subscribe(match, [weak = weak_from_this()](sdbus::Message& message) {
    if (const auto self = weak.lock()) self->changed(message);
  });
  watch.emplace(bus, settings_service, [weak = weak_from_this()](const std::string& owner) {
    if (const auto self = weak.lock()) self->owner_changed(owner);
  });
}

void SettingsClient::Impl::changed(sdbus::Message& message) {
  const auto path = message.getPath();
  if (!path.starts_with(devices_path)) return;
  const auto rest = std::string_view(path).substr(devices_path.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return;
  const auto dict = read_dict(message);
  const auto value = std::find_if(dict.begin(), dict.end(), [](const auto& pair) { return pair.first == "Value"; });
  if (value == dict.end()) return;
  for (const auto& entry : open_entries()) {
    if (entry->group == rest.substr(0, slash)) entry->changed(std::string(rest.substr(slash + 1)), value->second);
  }
}

void SettingsClient::Impl::owner_changed(const std::string& owner) {
  const bool first = !std::exchange(owner_seen, true);
  if (owner.empty()) {
    if (!first) spdlog::warn("Settings: the service is gone; changes are kept until it is back");
    return;
  }
  if (first) return;
  spdlog::info("Settings: the service is back");
  for (const auto& entry : open_entries()) {
    if (entry->persistent) {
      asio::co_spawn(bus->io(), entry->reattach(), asio::detached);
    } else {
      entry->wake();
    }
  }
}

std::vector<std::shared_ptr<SettingsEntry::Impl>> SettingsClient::Impl::open_entries() {
  std::vector<std::shared_ptr<SettingsEntry::Impl>> alive;
  for (const auto& weak : entries) {
    if (auto entry = weak.lock(); entry && !entry->stopped) alive.push_back(std::move(entry));
  }
  return alive;
}

bool SettingsClient::Impl::is_alive(const std::string& group, std::optional<int> instance) {
  for (const auto& entry : open_entries()) {
    if (entry->group == group) return true;
  }
  return instance && InstanceLock::is_held(options.lock_folder, *instance);
}

/// Tries until the service answers or the waiting time is over, which all batteries share: those that are served already stand still
/// meanwhile.
asio::awaitable<bool> SettingsClient::Impl::attach_in_time(std::shared_ptr<SettingsEntry::Impl> entry) {
  if (!deadline) deadline = Clock::now() + options.wait;
  asio::steady_timer pause(bus->io());
  bool told = false;
  while (true) {
    try {
      co_await entry->attach();
      co_return true;
    } catch (const sdbus::Error& error) {
      if (bus->is_closed()) throw;
      if (!std::exchange(told, true)) spdlog::info("Settings: waiting for the service ({})", error.what());
    }
    if (Clock::now() + options.retry >= *deadline) co_return false;
    pause.expires_after(options.retry);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<std::unique_ptr<SettingsEntry>> SettingsClient::Impl::open(BatteryIdentity identity) {
  const auto self = shared_from_this();
  std::erase_if(entries, [](const auto& weak) { return weak.expired(); });
  auto entry = std::make_shared<SettingsEntry::Impl>(self, std::move(identity));
  auto handle = std::make_unique<SettingsEntry>(entry);
  const bool attached = co_await attach_in_time(entry);
  if (!attached) co_await entry->start_without_store();
  entries.push_back(entry);
  if (!entry->persistent) asio::co_spawn(bus->io(), entry->attach_late(), asio::detached);
  co_return std::move(handle);
}

SettingsClient::SettingsClient(std::shared_ptr<Bus> bus, SettingsOptions options)
    : impl_(std::make_shared<Impl>(std::move(bus), std::move(options))) {
  impl_->start();
}

SettingsClient::~SettingsClient() {
  for (const auto& entry : impl_->open_entries()) entry->stop();
  impl_->watch.reset();
  impl_->slot.reset();
}

asio::awaitable<std::unique_ptr<SettingsEntry>> SettingsClient::open(BatteryIdentity identity) {
  return impl_->open(std::move(identity));
}

SettingsEntry::~SettingsEntry() {
  impl_->stop();
}
const std::string& SettingsEntry::id() const {
  return impl_->id;
}
int SettingsEntry::instance() const {
  return impl_->instance;
}
const std::string& SettingsEntry::custom_name() const {
  return impl_->custom_name;
}
const control::Persisted& SettingsEntry::restored() const {
  return impl_->restored;
}
bool SettingsEntry::persistent() const {
  return impl_->persistent;
}
void SettingsEntry::on_events(SettingsEvents events) {
  impl_->events = std::move(events);
}
void SettingsEntry::save(const control::Persisted& state, Occasion occasion, TimePoint now) {
  impl_->save(state, occasion, now);
}
asio::awaitable<void> SettingsEntry::flush(control::Persisted state, TimePoint now) {
  return impl_->flush(std::move(state), now);
}
asio::awaitable<bool> SettingsEntry::store_custom_name(std::string name) {
  return impl_->store_custom_name(std::move(name));
}

}  // namespace serialbattery::venus
