// The BusItem objects of one service: items, the nodes above them, and the root. Spec dbus-interface.md 2, 3, 6 and 7.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "venus/bus.hpp"
#include "venus/value.hpp"

namespace serialbattery::venus {

/// What GetMin, GetMax and GetDefault answer.
struct Limits {
  std::int64_t min;
  std::int64_t max;
  std::int64_t initial;
};

enum class Access : std::uint8_t { read_only, writable };

struct Item {
  std::string path;  // "/Dc/0/Voltage"
  Type type = Type::integer;
  TextFormat format;
  Access access = Access::read_only;
  std::optional<Limits> limits;
  Value value;
};

class ItemTree : public std::enable_shared_from_this<ItemTree> {
 public:
  /// Carries out an accepted write of item number `index`. Returns what the item holds from now on, nullopt when refused.
  /// May take up to 5 s; a refusal or an exception leaves the item as it is.
  using Writer = std::function<asio::awaitable<std::optional<Value>>(std::size_t index, Value value)>;

  /// Registers all objects on the connection. The paths must be distinct and none the parent of another (std::logic_error).
  static std::shared_ptr<ItemTree> create(std::shared_ptr<Bus> bus, std::vector<Item> items, Writer writer);
  ItemTree(const ItemTree&) = delete;
  ItemTree& operator=(const ItemTree&) = delete;

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] const Item& item(std::size_t index) const { return items_[index]; }
  /// Number of the item at `path`; nullopt if there is none.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view path) const;

  /// Stores a value and remembers the change for the next send_changes(); nothing happens when it is equal.
  void set(std::size_t index, const ValueView& value);
  /// One ItemsChanged on `/` with everything that changed since the last one; nothing if nothing did.
  void send_changes();
  [[nodiscard]] bool has_changes() const { return !changed_.empty(); }
  /// Forgets pending changes: nobody listens before the name is there.
  void drop_changes() { changed_.clear(); }
  /// Takes the objects off the connection. Writes under way are still answered.
  void detach() { objects_.clear(); }

 private:
  enum class Member : std::uint8_t { get_value, get_text, set_value, get_description, get_min, get_max, get_default };

  ItemTree(std::shared_ptr<Bus> bus, std::vector<Item> items, Writer writer);
  void register_item(std::uint32_t index);
  void register_node(std::uint32_t index);
  void register_root();
  void handle_item(std::uint32_t index, Member member, sdbus::MethodCall call);
  void answer_node(std::string_view prefix, Member member, const sdbus::MethodCall& call) const;
  void answer_items(const sdbus::MethodCall& call) const;
  void append_items(sdbus::Message& message, const std::vector<std::size_t>* selection) const;
  asio::awaitable<void> write(std::uint32_t index, sdbus::MethodCall call);

  std::shared_ptr<Bus> bus_;
  std::vector<Item> items_;
  std::vector<std::string> nodes_;
  Writer writer_;
  std::vector<std::size_t> changed_;
  std::vector<std::unique_ptr<sdbus::IObject>> objects_;
};

}  // namespace serialbattery::venus
