// A client as GX devices have them: takes all items once, then follows the signals, and records what it saw.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/loop.hpp"
#include "venus/bus.hpp"
#include "venus/value.hpp"

namespace serialbattery::test {

struct SeenItem {
  venus::Value value;
  std::string text;
  bool operator==(const SeenItem&) const = default;
};

using SeenItems = std::map<std::string, SeenItem>;

struct SeenSignal {
  std::string sender;
  std::string path;
  std::string member;
  SeenItems items;
};

class BusClient {
 public:
  /// `service` is the one to follow.
  BusClient(boost::asio::io_context& io, std::string service);

  /// GetItems on the root; also fills state().
  boost::asio::awaitable<SeenItems> get_items();
  /// GetValue and GetText of an item.
  boost::asio::awaitable<SeenItem> get(std::string path);
  /// GetValue, GetText of a node or of the root.
  boost::asio::awaitable<std::map<std::string, venus::Value>> get_values(std::string node);
  boost::asio::awaitable<std::map<std::string, std::string>> get_texts(std::string node);
  boost::asio::awaitable<int> set(std::string path, venus::Value value);
  /// Unique name of the owner; empty when nobody has the name.
  boost::asio::awaitable<std::string> owner();
  /// A call without arguments that answers one text, e.g. Introspect.
  boost::asio::awaitable<std::string> text_call(std::string path, std::string interface, std::string member);

  [[nodiscard]] const SeenItems& state() const { return state_; }
  [[nodiscard]] const std::vector<SeenSignal>& signals() const { return signals_; }
  void forget_signals() { signals_.clear(); }
  /// Owners in the order they came and went ("" = gone).
  [[nodiscard]] const std::vector<std::string>& owners() const { return owners_; }
  [[nodiscard]] venus::Bus& bus() { return *bus_; }

 private:
  venus::Method method(std::string path, std::string member) const;
  void take_items_changed(sdbus::Message& message);
  void take_properties_changed(sdbus::Message& message);

  std::string service_;
  std::shared_ptr<venus::Bus> bus_;
  SeenItems state_;
  std::vector<SeenSignal> signals_;
  std::vector<std::string> owners_;
  std::vector<sdbus::Slot> slots_;
};

/// The body of GetItems and ItemsChanged.
SeenItems read_items(sdbus::Message& message);

}  // namespace serialbattery::test
