#include "venus/external_sensor.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>
#include <vector>

#include "model/dbus_names.hpp"
#include "venus/value.hpp"

namespace serialbattery::venus {
namespace {

const Value* value_in(const std::vector<std::pair<std::string, Value>>& dict) {
  for (const auto& [key, value] : dict) {
    if (key == "Value") return &value;
  }
  return nullptr;
}

}  // namespace

struct ExternalSensorWatch::Impl : std::enable_shared_from_this<ExternalSensorWatch::Impl> {
  struct Quantity {
    std::string path;
    std::optional<double> control::ExternalSensor::*member;
    bool signalled = false;  // a signal is newer than an answer that is still under way
  };

  Impl(std::shared_ptr<Bus> connection, SensorSource from) : bus(std::move(connection)), source(std::move(from)) {
    if (is_item_path(source.current_path)) quantities.push_back({source.current_path, &control::ExternalSensor::current});
    if (is_item_path(source.soc_path)) quantities.push_back({source.soc_path, &control::ExternalSensor::soc});
  }

  void start();
  void owner_changed(const std::string& now);
  void take(const std::string& path, const Value& value);
  void take_items(sdbus::Message& message);
  asio::awaitable<void> read(std::string path);
  [[nodiscard]] bool is_from_owner(const sdbus::Message& message) const { return !owner.empty() && message.getSender() == owner; }

  std::shared_ptr<Bus> bus;
  SensorSource source;
  std::vector<Quantity> quantities;
  control::ExternalSensor sensor;
  std::string owner;
  std::vector<sdbus::Slot> slots;
  std::optional<NameWatch> watch;
};

void ExternalSensorWatch::Impl::start() {
  const auto listen = [&](const char* member, const std::string& path, auto handler) {
    const auto match =
        fmt::format("type='signal',sender='{}',interface='{}',member='{}',path='{}'", source.service, bus_item_interface, member, path);
    slots.push_back(bus->subscribe(match, [weak = weak_from_this(), handler](sdbus::Message& message) {
      const auto self = weak.lock();
      if (self && self->is_from_owner(message)) handler(*self, message);
    }));
  };
  for (const auto& quantity : quantities) {
    listen("PropertiesChanged", quantity.path, [](Impl& self, sdbus::Message& message) {
      const auto dict = read_dict(message);
      if (const auto* value = value_in(dict)) self.take(message.getPath(), *value);
    });
  }
  listen("ItemsChanged", "/", [](Impl& self, sdbus::Message& message) { self.take_items(message); });
  watch.emplace(bus, source.service, [weak = weak_from_this()](const std::string& now) {
    if (const auto self = weak.lock()) self->owner_changed(now);
  });
}

void ExternalSensorWatch::Impl::owner_changed(const std::string& now) {
  owner = now;
  sensor = {};
  if (owner.empty()) {
    spdlog::warn("External sensor: {} is not on the bus", source.service);
    return;
  }
  spdlog::info("External sensor: {} is on the bus", source.service);
  for (auto& quantity : quantities) {
    quantity.signalled = false;
    asio::co_spawn(bus->io(), read(quantity.path), asio::detached);
  }
}

void ExternalSensorWatch::Impl::take(const std::string& path, const Value& value) {
  for (auto& quantity : quantities) {
    if (quantity.path != path) continue;
    quantity.signalled = true;
    sensor.*quantity.member = as_number(value);
  }
}

void ExternalSensorWatch::Impl::take_items(sdbus::Message& message) {
  message.enterContainer("{sa{sv}}");
  while (message.enterDictEntry("sa{sv}")) {
    std::string path;
    message >> path;
    const auto dict = read_dict(message);
    if (const auto* value = value_in(dict)) take(path, *value);
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
}

asio::awaitable<void> ExternalSensorWatch::Impl::read(std::string path) {
  const auto self = shared_from_this();
  const auto asked = owner;
  try {
    auto reply = co_await bus->call(Method(source.service, path, bus_item_interface, "GetValue"), call_timeout);
    const auto value = read_variant(reply.message);
    for (auto& quantity : quantities) {
      if (quantity.path == path && !quantity.signalled && owner == asked) sensor.*quantity.member = as_number(value);
    }
  } catch (const sdbus::Error& error) {
    spdlog::warn("External sensor: {} {} can not be read: {}", source.service, path, error.what());
  }
}

ExternalSensorWatch::ExternalSensorWatch(std::shared_ptr<Bus> bus, SensorSource source)
    : impl_(std::make_shared<Impl>(std::move(bus), std::move(source))) {
  if (is_bus_name(impl_->source.service)) impl_->start();
}

ExternalSensorWatch::~ExternalSensorWatch() {
  impl_->watch.reset();
  impl_->slots.clear();
}

const control::ExternalSensor& ExternalSensorWatch::value() const {
  return impl_->sensor;
}

}  // namespace serialbattery::venus
