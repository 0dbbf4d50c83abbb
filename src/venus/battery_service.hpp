// One battery on the bus: com.victronenergy.battery.<port>, with a connection of its own.
//
// Use: publish() the first snapshot, then co_await announce(); from then on publish() after every poll; co_await withdraw() at the end.
// A change of the instance or of the number of cells withdraws the name for a second and announces it anew, because clients
// read both only once (spec dbus-interface.md 8 and 11.6).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "control/snapshot.hpp"
#include "serialbattery/config.hpp"
#include "serialbattery/driver.hpp"
#include "venus/path_rows.hpp"

namespace serialbattery::venus {

namespace asio = boost::asio;

/// Answer of a handler to a write from the bus; an exception counts as refused.
enum class WriteResult : std::uint8_t { accepted, refused };

/// What the daemon does when somebody writes. Each has to answer within 5 s. Missing handlers refuse. They live as long as the
/// service, or as the last write that they are busy with.
struct Handlers {
  std::function<asio::awaitable<WriteResult>(std::string name)> custom_name;  // stores it; the item follows when accepted
  std::function<asio::awaitable<WriteResult>(int group)> clear_history;       // 1..7; other numbers do nothing
  std::function<asio::awaitable<WriteResult>(Command command)>
      switch_control;                                                   // charge, discharge, balance, heat: value 1 on, 0 forced off
  std::function<asio::awaitable<WriteResult>(double percent)> set_soc;  // 0..100
  std::function<void()> disconnected;                                   // the bus daemon is gone: leave with code 3
};

/// The name belongs to another program.
class NameTaken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class BatteryService {
 public:
  /// Opens the connection (throws sdbus::Error when there is no bus). `config` outlives the service.
  BatteryService(asio::io_context& io, ServiceInfo info, const Config& config, const Controls& controls, Handlers handlers);
  ~BatteryService();
  BatteryService(const BatteryService&) = delete;
  BatteryService& operator=(const BatteryService&) = delete;

  /// Brings the items up to date and sends what changed in one signal.
  void publish(const control::Snapshot& snapshot);

  /// Creates the objects and takes the name, in this order. Throws NameTaken, sdbus::Error.
  asio::awaitable<void> announce();

  /// Gives the name back; everything published before has reached the bus daemon when this returns (at most 0.5 s).
  asio::awaitable<void> withdraw();

  /// Shows another instance: withdraws, waits, announces. Nothing happens if it is equal.
  void set_instance(int instance);
  /// Shows another name, e.g. when the setting was changed elsewhere.
  void set_custom_name(const std::string& name);

  [[nodiscard]] bool announced() const;
  [[nodiscard]] const std::string& service_name() const;
  [[nodiscard]] std::string unique_name() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace serialbattery::venus
