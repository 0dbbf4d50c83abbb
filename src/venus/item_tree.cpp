// Serves the BusItem interface. Every entry from the library is wrapped: an exception that crossed it would end the process.
#include "venus/item_tree.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <set>
#include <stdexcept>

namespace serialbattery::venus {
namespace {

constexpr std::int32_t accepted = 0;
constexpr std::int32_t not_writable = 1;
constexpr std::int32_t refused = 2;

/// Runs a handler of the library; failures become error answers.
template <typename Handler>
void guarded(const sdbus::MethodCall& call, Handler&& handler) {
  try {
    handler();
  } catch (const sdbus::Error&) {
    throw;  // the library answers with it
  } catch (const std::exception& error) {
    spdlog::error("D-Bus: {} on {} failed: {}", call.getMemberName(), call.getPath(), error.what());
    throw sdbus::Error("org.freedesktop.DBus.Error.Failed", error.what());
  }
}

void answer_variant(const sdbus::MethodCall& call, const Value& value) {
  auto reply = call.createReply();
  write_variant(reply, value);
  reply.send();
}

void answer_code(const sdbus::MethodCall& call, std::int32_t code) {
  auto reply = call.createReply();
  reply << code;
  reply.send();
}

void answer_string(const sdbus::MethodCall& call, const std::string& text) {
  auto reply = call.createReply();
  reply << text;
  reply.send();
}

void append_entry(sdbus::Message& message, const std::string& key, const Value& value) {
  message.openDictEntry("sv");
  message << key;
  write_variant(message, value);
  message.closeDictEntry();
}

std::set<std::string> parents_of(const std::vector<Item>& items) {
  std::set<std::string> parents;
  for (const auto& item : items) {
    for (auto slash = item.path.rfind('/'); slash != 0; slash = item.path.rfind('/', slash - 1)) parents.insert(item.path.substr(0, slash));
  }
  return parents;
}

}  // namespace

std::shared_ptr<ItemTree> ItemTree::create(std::shared_ptr<Bus> bus, std::vector<Item> items, Writer writer) {
  std::shared_ptr<ItemTree> tree(new ItemTree(std::move(bus), std::move(items), std::move(writer)));
  tree->register_root();
  for (std::uint32_t i = 0; i < tree->nodes_.size(); ++i) tree->register_node(i);
  for (std::uint32_t i = 0; i < tree->items_.size(); ++i) tree->register_item(i);
  return tree;
}

ItemTree::ItemTree(std::shared_ptr<Bus> bus, std::vector<Item> items, Writer writer)
    : bus_(std::move(bus)), items_(std::move(items)), writer_(std::move(writer)) {
  const auto parents = parents_of(items_);
  std::set<std::string_view> seen;
  for (const auto& item : items_) {
    if (!seen.insert(item.path).second) throw std::logic_error("two items at " + item.path);
    if (parents.contains(item.path)) throw std::logic_error("an item and a node at " + item.path);
  }
  nodes_.assign(parents.begin(), parents.end());
  objects_.reserve(items_.size() + nodes_.size() + 1);
}

void ItemTree::register_item(std::uint32_t index) {
  auto object = sdbus::createObject(bus_->connection(), items_[index].path);
  const auto method = [&](const char* name, const char* in, const char* out, Member member) {
    // Two words of capture: the library's std::function then needs no memory of its own.
    object->registerMethod(bus_item_interface, name, in, out,
                           [this, index, member](sdbus::MethodCall call) { handle_item(index, member, std::move(call)); });
  };
  method("GetValue", "", "v", Member::get_value);
  method("GetText", "", "s", Member::get_text);
  method("SetValue", "v", "i", Member::set_value);
  method("GetDescription", "si", "s", Member::get_description);
  method("GetMin", "", "v", Member::get_min);
  method("GetMax", "", "v", Member::get_max);
  method("GetDefault", "", "v", Member::get_default);
  object->registerSignal(bus_item_interface, "PropertiesChanged", "a{sv}");
  object->finishRegistration();
  objects_.push_back(std::move(object));
}

void ItemTree::register_node(std::uint32_t index) {
  auto object = sdbus::createObject(bus_->connection(), nodes_[index]);
  const auto method = [&](const char* name, Member member) {
    object->registerMethod(bus_item_interface, name, "", "v", [this, index, member](sdbus::MethodCall call) {
      guarded(call, [&] { answer_node(nodes_[index] + '/', member, call); });
    });
  };
  method("GetValue", Member::get_value);
  method("GetText", Member::get_text);
  object->finishRegistration();
  objects_.push_back(std::move(object));
}

void ItemTree::register_root() {
  auto object = sdbus::createObject(bus_->connection(), "/");
  const auto method = [&](const char* name, Member member) {
    object->registerMethod(bus_item_interface, name, "", "v",
                           [this, member](sdbus::MethodCall call) { guarded(call, [&] { answer_node("/", member, call); }); });
  };
  method("GetValue", Member::get_value);
  method("GetText", Member::get_text);
  object->registerMethod(bus_item_interface, "GetItems", "", "a{sa{sv}}",
                         [this](sdbus::MethodCall call) { guarded(call, [&] { answer_items(call); }); });
  object->registerSignal(bus_item_interface, "ItemsChanged", "a{sa{sv}}");
  object->finishRegistration();
  objects_.push_back(std::move(object));
}

std::optional<std::size_t> ItemTree::find(std::string_view path) const {
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& item) { return item.path == path; });
  if (found == items_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - items_.begin());
}

void ItemTree::set(std::size_t index, const ValueView& value) {
  auto& item = items_[index];
  if (equal(item.value, value)) return;
  item.value = own(value);
  if (std::find(changed_.begin(), changed_.end(), index) == changed_.end()) changed_.push_back(index);
}

void ItemTree::send_changes() {
  if (changed_.empty() || objects_.empty()) return;
  try {
    auto signal = objects_.front()->createSignal(bus_item_interface, "ItemsChanged");  // objects_.front() is the root
    append_items(signal, &changed_);
    objects_.front()->emitSignal(signal);
  } catch (const sdbus::Error& error) {
    spdlog::debug("D-Bus: changes not sent: {}", error.what());  // the connection is gone; the loop adapter reports that
  }
  changed_.clear();
  bus_->kick();
}

void ItemTree::append_items(sdbus::Message& message, const std::vector<std::size_t>* selection) const {
  const auto append = [&](const Item& item, bool with_limits) {
    message.openDictEntry("sa{sv}");
    message << item.path;
    message.openContainer("{sv}");
    append_entry(message, "Value", item.value);
    append_entry(message, "Text", text_of(item.value, item.format));
    if (with_limits && item.limits) {
      append_entry(message, "Min", item.limits->min);
      append_entry(message, "Max", item.limits->max);
      append_entry(message, "Default", item.limits->initial);
    }
    message.closeContainer();
    message.closeDictEntry();
  };
  message.openContainer("{sa{sv}}");
  if (selection != nullptr) {
    for (const auto index : *selection) append(items_[index], false);
  } else {
    for (const auto& item : items_) append(item, true);
  }
  message.closeContainer();
}

void ItemTree::answer_items(const sdbus::MethodCall& call) const {
  auto reply = call.createReply();
  append_items(reply, nullptr);
  reply.send();
}

void ItemTree::answer_node(std::string_view prefix, Member member, const sdbus::MethodCall& call) const {
  const bool texts = member == Member::get_text;
  auto reply = call.createReply();
  reply.openVariant(texts ? "a{ss}" : "a{sv}");
  reply.openContainer(texts ? "{ss}" : "{sv}");
  for (const auto& item : items_) {
    if (!item.path.starts_with(prefix)) continue;
    const auto key = item.path.substr(prefix.size());
    if (texts) {
      reply.openDictEntry("ss");
      reply << key << text_of(item.value, item.format);
      reply.closeDictEntry();
    } else {
      append_entry(reply, key, item.value);
    }
  }
  reply.closeContainer();
  reply.closeVariant();
  reply.send();
}

void ItemTree::handle_item(std::uint32_t index, Member member, sdbus::MethodCall call) {
  guarded(call, [&] {
    const auto& item = items_[index];
    const auto limit = [&](std::int64_t Limits::*which) { return item.limits ? Value((*item.limits).*which) : Value(); };
    switch (member) {
      case Member::get_value: return answer_variant(call, item.value);
      case Member::get_text: return answer_string(call, text_of(item.value, item.format));
      case Member::get_description: return answer_string(call, "No description given");
      case Member::get_min: return answer_variant(call, limit(&Limits::min));
      case Member::get_max: return answer_variant(call, limit(&Limits::max));
      case Member::get_default: return answer_variant(call, limit(&Limits::initial));
      case Member::set_value:
        if (item.access == Access::read_only) return answer_code(call, not_writable);
        asio::co_spawn(bus_->io(), write(index, std::move(call)), asio::detached);
    }
  });
}

/// The checks and codes of spec section 6, in their order. The answer goes out before the signal.
asio::awaitable<void> ItemTree::write(std::uint32_t index, sdbus::MethodCall call) {
  const auto self = shared_from_this();
  const auto connection = bus_->shared_connection();
  const sdbus::MethodCall request = std::move(call);
  std::int32_t code = refused;
  std::optional<Value> stored;
  try {
    auto incoming = request;
    const auto value = converted(read_variant(incoming), items_[index].type);
    if (!value) {
      code = not_writable;
    } else if (*value == items_[index].value) {
      code = accepted;
    } else {
      stored = co_await writer_(index, *value);
      if (stored) code = accepted;
    }
  } catch (const std::exception& error) {
    spdlog::warn("D-Bus: writing {} failed: {}", items_[index].path, error.what());
  }
  try {
    answer_code(request, code);
    if (stored) {
      set(index, view(*stored));
      send_changes();
    }
    bus_->kick();
  } catch (const std::exception& error) {
    spdlog::warn("D-Bus: answer for {} not sent: {}", items_[index].path, error.what());
  }
}

}  // namespace serialbattery::venus
