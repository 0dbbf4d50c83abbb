// --status: asks all battery services on the bus once a second and draws what they say.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "daemon/log.hpp"
#include "daemon/status_view.hpp"
#include "daemon/tools.hpp"
#include "venus/bus.hpp"

namespace serialbattery::daemon {

namespace {

constexpr std::string_view battery_prefix = "com.victronenergy.battery.";

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* wanted = std::getenv("COLUMNS");
  return wanted ? static_cast<std::size_t>(std::max(0, std::atoi(wanted))) : 80;
}

// Drawn over the last picture line by line: clearing the screen each second flickers on a slow connection.
std::string over_last_picture(const std::string& picture) {
  std::string result = "\x1b[H";
  for (const char c : picture) {
    if (c == '\n') result += "\x1b[K";
    result += c;
  }
  return result + "\x1b[J";
}

StatusItems read_items(sdbus::Message& message) {
  StatusItems items;
  message.enterContainer("{sa{sv}}");
  while (message.enterDictEntry("sa{sv}")) {
    std::string path;
    message >> path;
    for (auto& [key, value] : venus::read_dict(message)) {
      if (key == "Value") items[path] = std::move(value);
    }
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
  return items;
}

class StatusLoop {
 public:
  StatusLoop(asio::io_context& io, int pictures) : bus_(venus::Bus::connect(io, [&io] { io.stop(); })), timer_(io), pictures_(pictures) {}

  asio::awaitable<void> run() {
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    if (terminal) std::fputs("\x1b[2J", stdout);
    for (int picture = 0; pictures_ == 0 || picture < pictures_; ++picture) {
      const std::string text = co_await draw();
      std::fputs(terminal ? over_last_picture(text).c_str() : text.c_str(), stdout);
      std::fflush(stdout);
      timer_.expires_after(1s);
      co_await timer_.async_wait(asio::use_awaitable);
    }
  }

 private:
  asio::awaitable<std::string> draw() {
    auto reply =
        co_await bus_->call({"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames"}, venus::call_timeout);
    std::vector<std::string> names;
    reply.message >> names;
    std::erase_if(names, [](const std::string& name) { return !name.starts_with(battery_prefix); });
    std::ranges::sort(names);
    std::string text;
    for (const std::string& name : names) text += co_await picture_of(name) + "\n";
    co_return text.empty() ? "No battery service is on the bus.\n" : text;
  }

  asio::awaitable<std::string> picture_of(std::string name) {
    try {
      auto reply = co_await bus_->call({name, "/", venus::bus_item_interface, "GetItems"}, venus::call_timeout);
      co_return render_status(name, read_items(reply.message), terminal_width());
    } catch (const sdbus::Error& error) {
      co_return name + ": " + error.getMessage() + "\n";
    }
  }

  std::shared_ptr<venus::Bus> bus_;
  asio::steady_timer timer_;
  int pictures_;
};

}  // namespace

int status(const Options& options) {
  set_up_log("ERROR");
  try {
    asio::io_context io(1);
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&io](const boost::system::error_code& error, int) {
      if (!error) io.stop();
    });
    StatusLoop loop(io, options.count);
    std::exception_ptr failure;
    asio::co_spawn(io, loop.run(), [&](std::exception_ptr error) {
      failure = std::move(error);
      io.stop();
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return 0;
  } catch (const std::exception& error) {
    fmt::print("The batteries can not be asked: {}\n", error.what());
    return 1;
  }
}

}  // namespace serialbattery::daemon
