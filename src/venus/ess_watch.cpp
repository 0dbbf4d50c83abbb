#include "venus/ess_watch.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "venus/settings_store.hpp"

namespace serialbattery::venus {
namespace {

constexpr const char* group = "/Settings/CGwacs";
/// The service may own its name before its objects exist; a device without ESS never has them.
constexpr int attempts = 6;

struct Member {
  std::string_view key;  // below the group
  std::optional<int> control::EssSettings::*target;
};
constexpr Member members[] = {
    {"Hub4Mode", &control::EssSettings::hub4_mode},
    {"BatteryLife/State", &control::EssSettings::battery_life_state},
    {"BatteryLife/MinimumSocLimit", &control::EssSettings::minimum_soc_limit},
    {"BatteryLife/SocLimit", &control::EssSettings::soc_limit},
};

/// Truncated to whole numbers; texts such as "15.0" occur.
std::optional<int> whole(const Value& value) {
  const auto number = as_number(value);
  constexpr double largest = 1e6;
  return number && std::abs(*number) <= largest ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

}  // namespace

struct EssWatch::Impl : std::enable_shared_from_this<EssWatch::Impl> {
  Impl(std::shared_ptr<Bus> connection, std::chrono::milliseconds pause_) : bus(std::move(connection)), pause(pause_), timer(bus->io()) {}

  void start();
  void take(std::string_view key, const Value& value);
  asio::awaitable<void> read(std::string asked);
  asio::awaitable<bool> read_once();

  std::shared_ptr<Bus> bus;
  std::chrono::milliseconds pause;
  asio::steady_timer timer;
  control::EssSettings settings;
  std::string owner;
  sdbus::Slot slot;
  std::optional<NameWatch> watch;
};

void EssWatch::Impl::start() {
  const auto match = fmt::format("type='signal',sender='{}',interface='{}',member='PropertiesChanged',path_namespace='{}'",
                                 settings_service, bus_item_interface, group);
  slot = bus->subscribe(match, [weak = weak_from_this()](sdbus::Message& message) {
    const auto self = weak.lock();
    const auto path = message.getPath();
    const auto prefix = std::string(group) + "/";
    if (!self || !path.starts_with(prefix)) return;
    const auto dict = read_dict(message);
    for (const auto& [key, value] : dict) {
      if (key == "Value") self->take(std::string_view(path).substr(prefix.size()), value);
    }
  });
  watch.emplace(bus, settings_service, [weak = weak_from_this()](const std::string& now) {
    const auto self = weak.lock();
    if (!self) return;
    self->owner = now;
    self->timer.cancel();
    if (!now.empty()) asio::co_spawn(self->bus->io(), self->read(now), asio::detached);
  });
}

void EssWatch::Impl::take(std::string_view key, const Value& value) {
  for (const auto& member : members) {
    if (member.key == key) settings.*member.target = whole(value);
  }
}

asio::awaitable<bool> EssWatch::Impl::read_once() {
  try {
    auto reply = co_await bus->call(Method(settings_service, group, bus_item_interface, "GetValue"), call_timeout);
    std::string type;
    std::string contents;
    reply.message.peekType(type, contents);
    if (contents != "a{sv}") co_return false;
    reply.message.enterVariant(contents);
    const auto dict = read_dict(reply.message);
    for (const auto& [key, value] : dict) take(key, value);
    co_return true;
  } catch (const sdbus::Error& error) {
    spdlog::debug("ESS settings: {}", error.what());
  }
  co_return false;
}

asio::awaitable<void> EssWatch::Impl::read(std::string asked) {
  const auto self = shared_from_this();
  for (int attempt = 0; attempt < attempts && owner == asked; ++attempt) {
    const bool done = co_await read_once();
    if (done || owner != asked) co_return;
    timer.expires_after(pause);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

EssWatch::EssWatch(std::shared_ptr<Bus> bus, std::chrono::milliseconds retry) : impl_(std::make_shared<Impl>(std::move(bus), retry)) {
  impl_->start();
}

EssWatch::~EssWatch() {
  impl_->owner.clear();
  impl_->timer.cancel();
  impl_->watch.reset();
  impl_->slot.reset();
}

const control::EssSettings& EssWatch::value() const {
  return impl_->settings;
}

}  // namespace serialbattery::venus
