// A connection to the message bus as a client of the Asio loop: one thread, no polling, no wake-ups while nothing happens.
//
// sdbus-c++ 1.2 drives the protocol; this adapter waits for its descriptor and its timer. Calls are awaited with a time limit.
// Only connect(), subscribe() and name ownership watches talk synchronously to the bus daemon; use them while starting up.
#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace serialbattery::venus {

namespace asio = boost::asio;

inline constexpr const char* bus_item_interface = "com.victronenergy.BusItem";
inline constexpr std::chrono::seconds call_timeout{5};

/// Whom to ask for what.
struct Method {
  // A constructor, because GCC 12 destroys temporary aggregates twice inside co_await expressions.
  Method(std::string destination_, std::string path_, std::string interface_, std::string member_)
      : destination(std::move(destination_)), path(std::move(path_)), interface(std::move(interface_)), member(std::move(member_)) {}
  std::string destination;
  std::string path;
  std::string interface;
  std::string member;
};

/// An answer; keeps the library's connection alive as long as the message needs it.
struct Reply {
  std::shared_ptr<sdbus::IConnection> connection;
  sdbus::MethodReply message;
};

class Bus : public std::enable_shared_from_this<Bus> {
 public:
  /// Called once, from the loop, when the daemon is gone. Nothing is sent or received afterwards.
  using Disconnected = std::function<void()>;

  /// The session bus if DBUS_SESSION_BUS_ADDRESS is set, else the system bus (DBUS_SYSTEM_BUS_ADDRESS counts).
  /// Throws sdbus::Error when there is none.
  static std::shared_ptr<Bus> connect(asio::io_context& io, Disconnected disconnected);
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// Calls a method; throws sdbus::Error for error answers, when `timeout` runs out, and when the connection closes.
  template <typename... Args>
  asio::awaitable<Reply> call(Method method, std::chrono::milliseconds timeout, Args... args) {
    auto proxy = sdbus::createProxy(*connection_, method.destination, method.path);
    auto message = proxy->createMethodCall(method.interface, method.member);
    (void)(static_cast<sdbus::Message&>(message) << ... << args);
    return send(std::move(proxy), std::move(message), timeout);
  }

  /// The same with a hand-written body: `fill` appends the arguments.
  asio::awaitable<Reply> call_with(Method method, std::function<void(sdbus::Message&)> fill,
                                   std::chrono::milliseconds timeout = call_timeout);

  /// Delivers the signals that match until the slot is dropped. Exceptions of the handler are logged.
  [[nodiscard]] sdbus::Slot subscribe(const std::string& match, std::function<void(sdbus::Message&)> handler);

  /// Asks for a name: no queueing, no replacement. False when another connection owns it.
  asio::awaitable<bool> request_name(std::string name);
  /// Gives a name back. All that was sent before has reached the daemon when this returns. Throws like call().
  asio::awaitable<void> release_name(std::string name, std::chrono::milliseconds timeout);

  /// Has to be called after everything that may have queued a message without call(): signals, late answers.
  void kick();

  /// Ends the connection: outstanding calls fail, the callback is not called. Whoever connected does this in the end, because a call
  /// under way keeps its coroutine alive, and with it often the bus itself.
  void close();
  [[nodiscard]] bool is_closed() const { return closed_; }

  [[nodiscard]] sdbus::IConnection& connection() { return *connection_; }
  [[nodiscard]] std::shared_ptr<sdbus::IConnection> shared_connection() { return connection_; }
  [[nodiscard]] asio::io_context& io() { return io_; }
  [[nodiscard]] std::string unique_name() const { return connection_->getUniqueName(); }

 private:
  // By pointer, null with an error: the library crashes when an empty message is assigned.
  using Answer = std::shared_ptr<sdbus::MethodReply>;
  using Completion = std::function<void(std::exception_ptr, Answer)>;
  struct Pending {
    std::unique_ptr<sdbus::IProxy> proxy;
    Completion complete;
  };

  Bus(asio::io_context& io, Disconnected disconnected);
  asio::awaitable<Reply> send(std::unique_ptr<sdbus::IProxy> proxy, sdbus::MethodCall message, std::chrono::milliseconds timeout);
  void start(std::unique_ptr<sdbus::IProxy> proxy, const sdbus::MethodCall& message, std::chrono::milliseconds timeout,
             Completion complete);
  void finish(std::uint64_t id, std::exception_ptr error, Answer answer);
  void pump();
  void arm();
  void lost(const std::string& why);

  asio::io_context& io_;
  std::shared_ptr<sdbus::IConnection> connection_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
  Disconnected disconnected_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t next_id_ = 0;
  std::uint64_t timer_due_us_ = UINT64_MAX;
  bool reading_ = false;
  bool writing_ = false;
  bool kicked_ = false;
  bool closed_ = false;
};

/// Names of the errors that mean "this service is not there (yet)".
[[nodiscard]] bool is_absent(const sdbus::Error& error);
/// Names of the errors that mean "the service has no such object or method".
[[nodiscard]] bool is_unknown_object(const sdbus::Error& error);

/// Follows the owner of a bus name: the callback gets its unique name, empty when there is none; the first time soon after creation.
class NameWatch {
 public:
  using Callback = std::function<void(const std::string& owner)>;
  NameWatch(const std::shared_ptr<Bus>& bus, std::string name, Callback changed);
  ~NameWatch();
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  [[nodiscard]] const std::string& owner() const;

 private:
  struct State;
  std::shared_ptr<Bus> bus_;
  std::shared_ptr<State> state_;
  sdbus::Slot slot_;
};

}  // namespace serialbattery::venus
