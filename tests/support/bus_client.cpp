#include "support/bus_client.hpp"

namespace serialbattery::test {
namespace {

using venus::Value;

std::map<std::string, Value> read_dict(sdbus::Message& message) {
  std::map<std::string, Value> dict;
  message.enterContainer("{sv}");
  while (message.enterDictEntry("sv")) {
    std::string key;
    message >> key;
    dict[key] = venus::read_variant(message);
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
  return dict;
}

SeenItem as_item(const std::map<std::string, Value>& dict) {
  SeenItem item;
  item.value = dict.at("Value");
  item.text = std::get<std::string>(dict.at("Text"));
  return item;
}

}  // namespace

SeenItems read_items(sdbus::Message& message) {
  SeenItems items;
  message.enterContainer("{sa{sv}}");
  while (message.enterDictEntry("sa{sv}")) {
    std::string path;
    message >> path;
    items[path] = as_item(read_dict(message));
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
  return items;
}

BusClient::BusClient(boost::asio::io_context& io, std::string service)
    : service_(std::move(service)), bus_(venus::Bus::connect(io, nullptr)) {
  const auto signal = [&](const char* member) {
    return fmt::format("type='signal',sender='{}',interface='{}',member='{}'", service_, venus::bus_item_interface, member);
  };
  slots_.push_back(bus_->subscribe(signal("ItemsChanged"), [this](sdbus::Message& m) { take_items_changed(m); }));
  slots_.push_back(bus_->subscribe(signal("PropertiesChanged"), [this](sdbus::Message& m) { take_properties_changed(m); }));
  slots_.push_back(bus_->subscribe(fmt::format("type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}'", service_),
                                   [this](sdbus::Message& m) {
                                     std::string name;
                                     std::string before;
                                     std::string after;
                                     m >> name >> before >> after;
                                     owners_.push_back(after);
                                     if (after.empty()) state_.clear();
                                   }));
}

venus::Method BusClient::method(std::string path, std::string member) const {
  return {service_, std::move(path), venus::bus_item_interface, std::move(member)};
}

void BusClient::take_items_changed(sdbus::Message& message) {
  SeenSignal seen{message.getSender(), message.getPath(), message.getMemberName(), read_items(message)};
  for (const auto& [path, item] : seen.items) state_[path] = item;
  signals_.push_back(std::move(seen));
}

void BusClient::take_properties_changed(sdbus::Message& message) {
  SeenSignal seen{message.getSender(), message.getPath(), message.getMemberName(), {}};
  seen.items[seen.path] = as_item(read_dict(message));
  state_[seen.path] = seen.items[seen.path];
  signals_.push_back(std::move(seen));
}

boost::asio::awaitable<SeenItems> BusClient::get_items() {
  auto reply = co_await bus_->call(method("/", "GetItems"), venus::call_timeout);
  state_ = read_items(reply.message);
  co_return state_;
}

boost::asio::awaitable<SeenItem> BusClient::get(std::string path) {
  SeenItem item;
  auto value = co_await bus_->call(method(path, "GetValue"), venus::call_timeout);
  item.value = venus::read_variant(value.message);
  auto text = co_await bus_->call(method(path, "GetText"), venus::call_timeout);
  text.message >> item.text;
  co_return item;
}

boost::asio::awaitable<std::map<std::string, Value>> BusClient::get_values(std::string node) {
  auto reply = co_await bus_->call(method(node, "GetValue"), venus::call_timeout);
  reply.message.enterVariant("a{sv}");
  co_return read_dict(reply.message);
}

boost::asio::awaitable<std::map<std::string, std::string>> BusClient::get_texts(std::string node) {
  auto reply = co_await bus_->call(method(node, "GetText"), venus::call_timeout);
  std::map<std::string, std::string> texts;
  reply.message.enterVariant("a{ss}");
  reply.message >> texts;
  co_return texts;
}

boost::asio::awaitable<int> BusClient::set(std::string path, Value value) {
  auto reply = co_await bus_->call_with(method(path, "SetValue"), [&](sdbus::Message& m) { venus::write_variant(m, value); });
  std::int32_t code = -100;
  reply.message >> code;
  co_return code;
}

boost::asio::awaitable<std::string> BusClient::owner() {
  std::string name;
  try {
    auto reply = co_await bus_->call({"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner"},
                                     venus::call_timeout, service_);
    reply.message >> name;
  } catch (const sdbus::Error&) {  // nobody
  }
  co_return name;
}

boost::asio::awaitable<std::string> BusClient::text_call(std::string path, std::string interface, std::string member) {
  auto reply = co_await bus_->call({service_, std::move(path), std::move(interface), std::move(member)}, venus::call_timeout);
  std::string text;
  reply.message >> text;
  co_return text;
}

}  // namespace serialbattery::test
