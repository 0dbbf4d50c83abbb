// The loop adapter of a bus connection.
//
// Rules of the library (spec dbus-interface.md 9): process until nothing is left, then ask for fresh poll data, after every action
// that may have sent something; its time-out is an absolute CLOCK_MONOTONIC value; a lost connection shows as an exception of either.
#include "venus/bus.hpp"

#include <poll.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <system_error>

namespace serialbattery::venus {
namespace {

constexpr const char* daemon_name = "org.freedesktop.DBus";
constexpr const char* daemon_path = "/org/freedesktop/DBus";

std::unique_ptr<sdbus::IConnection> open_connection() {
  return std::getenv("DBUS_SESSION_BUS_ADDRESS") != nullptr ? sdbus::createSessionBusConnection() : sdbus::createSystemBusConnection();
}

/// The library keeps and closes its own descriptor; the loop waits on a copy.
int duplicated(int fd) {
  const int copy = ::dup(fd);
  if (copy < 0) throw std::system_error(errno, std::generic_category(), "dup of the bus descriptor");
  return copy;
}

std::exception_ptr closed_error() {
  return std::make_exception_ptr(sdbus::Error("org.freedesktop.DBus.Error.Disconnected", "the bus connection was closed"));
}

Method daemon_method(const char* member) {
  return {daemon_name, daemon_path, daemon_name, member};
}

}  // namespace

std::shared_ptr<Bus> Bus::connect(asio::io_context& io, Disconnected disconnected) {
  std::shared_ptr<Bus> bus(new Bus(io, std::move(disconnected)));
  bus->kick();
  return bus;
}

Bus::Bus(asio::io_context& io, Disconnected disconnected)
    : io_(io),
      connection_(open_connection()),
      descriptor_(io, duplicated(connection_->getEventLoopPollData().fd)),
      timer_(io),
      disconnected_(std::move(disconnected)) {}

Bus::~Bus() {
  close();
}

void Bus::kick() {
  if (kicked_ || closed_) return;
  kicked_ = true;
  asio::post(io_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
}

void Bus::pump() {
  kicked_ = false;
  if (closed_) return;
  const auto keep = shared_from_this();  // a handler may drop the last other reference
  try {
    while (!closed_ && connection_->processPendingRequest()) {
    }
    if (!closed_) arm();
  } catch (const std::exception& error) {
    lost(error.what());
  }
}

void Bus::arm() {
  const auto poll = connection_->getEventLoopPollData();
  const auto again = [weak = weak_from_this()](bool Bus::*flag) {
    return [weak, flag](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!self || error == asio::error::operation_aborted) return;
      (*self).*flag = false;
      self->pump();
    };
  };
  if (!reading_) {
    reading_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, again(&Bus::reading_));
  }
  if ((poll.events & POLLOUT) != 0 && !writing_) {
    writing_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_write, again(&Bus::writing_));
  }
  if (poll.timeout_usec == 0) {
    kick();
  } else if (poll.timeout_usec != timer_due_us_) {
    timer_due_us_ = poll.timeout_usec;
    if (poll.timeout_usec == UINT64_MAX) {
      timer_.cancel();
      return;
    }
    // steady_clock is CLOCK_MONOTONIC; the library counts microseconds of the same clock.
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::microseconds(poll.timeout_usec)));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!self || error) return;
      self->timer_due_us_ = UINT64_MAX;
      self->pump();
    });
  }
}

void Bus::lost(const std::string& why) {
  if (closed_) return;
  spdlog::error("D-Bus: connection lost ({})", why);
  const auto notify = std::move(disconnected_);
  close();
  if (notify) notify();
}

void Bus::close() {
  if (closed_) return;
  closed_ = true;
  disconnected_ = nullptr;
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  timer_.cancel();
  for (auto& [id, pending] : std::exchange(pending_, {})) pending.complete(closed_error(), {});
}

asio::awaitable<Reply> Bus::send(std::unique_ptr<sdbus::IProxy> proxy, sdbus::MethodCall message, std::chrono::milliseconds timeout) {
  const auto connection = connection_;
  auto reply = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, Answer)>(
      [this, &proxy, &message, timeout](auto handler) {
        // The answer arrives inside the library; the waiting coroutine continues from the loop instead.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start(std::move(proxy), message, timeout, [shared, connection = connection_, &io = io_](std::exception_ptr error, Answer answer) {
          asio::post(io, [shared, connection, error, answer]() mutable { (*shared)(error, std::move(answer)); });
        });
      },
      asio::use_awaitable);
  co_return Reply{connection, std::move(*reply)};
}

void Bus::start(std::unique_ptr<sdbus::IProxy> proxy, const sdbus::MethodCall& message, std::chrono::milliseconds timeout,
                Completion complete) {
  if (closed_) return complete(closed_error(), {});
  const auto id = next_id_++;
  auto& pending = pending_[id];
  pending = {std::move(proxy), std::move(complete)};
  try {
    pending.proxy->callMethod(
        message,
        [weak = weak_from_this(), id](sdbus::MethodReply& reply, const sdbus::Error* error) {
          const auto self = weak.lock();
          if (!self) return;
          if (error != nullptr) return self->finish(id, std::make_exception_ptr(*error), nullptr);
          self->finish(id, nullptr, std::make_shared<sdbus::MethodReply>(reply));
        },
        timeout);
    kick();
  } catch (...) {
    finish(id, std::current_exception(), {});
  }
}

void Bus::finish(std::uint64_t id, std::exception_ptr error, Answer answer) {
  auto node = pending_.extract(id);
  if (node.empty()) return;
  auto pending = std::make_shared<Pending>(std::move(node.mapped()));
  pending->complete(std::move(error), std::move(answer));
  // The library is still inside this proxy's callback: drop it later.
  asio::post(io_, [pending, connection = connection_]() mutable { pending.reset(); });
}

asio::awaitable<Reply> Bus::call_with(Method method, std::function<void(sdbus::Message&)> fill, std::chrono::milliseconds timeout) {
  auto proxy = sdbus::createProxy(*connection_, method.destination, method.path);
  auto message = proxy->createMethodCall(method.interface, method.member);
  fill(message);
  return send(std::move(proxy), std::move(message), timeout);
}

sdbus::Slot Bus::subscribe(const std::string& match, std::function<void(sdbus::Message&)> handler) {
  auto slot = connection_->addMatch(match, [handler = std::move(handler)](sdbus::Message& message) {
    try {
      handler(message);
    } catch (const std::exception& error) {
      spdlog::warn("D-Bus: signal {} of {} not understood: {}", message.getMemberName(), message.getPath(), error.what());
    }
  });
  kick();  // the round trip may have left messages in the library's queue
  return slot;
}

asio::awaitable<bool> Bus::request_name(std::string name) {
  constexpr std::uint32_t do_not_queue = 4;
  constexpr std::uint32_t primary_owner = 1;
  constexpr std::uint32_t already_owner = 4;
  auto reply = co_await call(daemon_method("RequestName"), call_timeout, std::move(name), do_not_queue);
  std::uint32_t result = 0;
  reply.message >> result;
  co_return result == primary_owner || result == already_owner;
}

asio::awaitable<void> Bus::release_name(std::string name, std::chrono::milliseconds timeout) {
  co_await call(daemon_method("ReleaseName"), timeout, std::move(name));
}

bool is_unknown_object(const sdbus::Error& error) {
  const auto& name = error.getName();
  return name == "org.freedesktop.DBus.Error.UnknownObject" || name == "org.freedesktop.DBus.Error.UnknownMethod" ||
         name == "org.freedesktop.DBus.Error.UnknownInterface";
}

bool is_absent(const sdbus::Error& error) {
  const auto& name = error.getName();
  return name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner" ||
         name == "org.freedesktop.DBus.Error.NoReply";
}

struct NameWatch::State {
  std::string owner;
  Callback changed;
  bool known = false;

  void set(const std::string& now) {
    if (known && now == owner) return;
    known = true;
    owner = now;
    if (changed) changed(owner);
  }
};

NameWatch::NameWatch(const std::shared_ptr<Bus>& bus, std::string name, Callback changed) : bus_(bus), state_(std::make_shared<State>()) {
  state_->changed = std::move(changed);
  const std::string match =
      fmt::format("type='signal',sender='{0}',interface='{0}',member='NameOwnerChanged',arg0='{1}'", daemon_name, name);
  slot_ = bus->subscribe(match, [state = state_](sdbus::Message& message) {
    std::string subject;
    std::string before;
    std::string after;
    message >> subject >> before >> after;
    state->set(after);
  });
  // The first answer comes from a question; the daemon keeps the order, so a signal that overtakes it is newer and stays.
  asio::co_spawn(
      bus->io(),
      [](std::shared_ptr<Bus> connection, std::string name_, std::weak_ptr<State> weak) -> asio::awaitable<void> {
        std::string owner;
        try {
          auto reply = co_await connection->call(daemon_method("GetNameOwner"), call_timeout, name_);
          reply.message >> owner;
        } catch (const sdbus::Error&) {  // no owner
        }
        if (const auto state = weak.lock(); state && !state->known) state->set(owner);
      }(bus, std::move(name), state_),
      asio::detached);
}

NameWatch::~NameWatch() {
  state_->changed = nullptr;
}

const std::string& NameWatch::owner() const {
  return state_->owner;
}

}  // namespace serialbattery::venus
