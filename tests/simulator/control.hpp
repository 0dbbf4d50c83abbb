// The control channel: one command a line, one answer a line, over a UNIX-domain socket or standard input.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "simulator/pty_host.hpp"

namespace serialbattery::simulator {

/// The commands, for --help and `help`.
extern const std::string_view command_help;

/// Carries out one command on `host`. The answer is "ok", "ok <value>" or "error <reason>"; `quit` calls `on_quit`.
std::string execute(PtyHost& host, std::string_view line, const std::function<void()>& on_quit = {});

/// Reads commands from `descriptor` (taken over) and writes answers to `answers`, until the end of the file.
void serve_descriptor(asio::io_context& io, PtyHost& host, int descriptor, int answers, std::function<void()> on_quit);

/// Listens on a UNIX-domain socket; several clients may be connected. An old socket file is replaced.
class ControlServer {
 public:
  ControlServer(asio::io_context& io, PtyHost& host, std::filesystem::path socket, std::function<void()> on_quit = {});
  /// Ends all conversations and removes the socket.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  class Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace serialbattery::simulator
