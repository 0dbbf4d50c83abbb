// Puts a bus behind a pseudo-terminal, at the pace and in the pieces in which a USB adapter would deliver it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "simulator/bus.hpp"

namespace serialbattery::simulator {

namespace asio = boost::asio;

struct PtyOptions {
  std::filesystem::path link = {};  // symbolic link to make, e.g. /tmp/x/ttyUSB0; its folder is made too; empty: none
  std::size_t chunk = 32;           // most bytes that the adapter delivers at once
  Duration latency = 4ms;           // longest time that it keeps bytes back
  double pace = 1;                  // 1: real time on the line; 0: no waiting at all (wire time and pauses)
  bool check_line = true;           // other baud rate on the slave: both sides read garbage, as on a real line
};

struct PtyStatistics {
  std::uint64_t bytes_in = 0;   // from the host
  std::uint64_t bytes_out = 0;  // to the host
};

/// One pseudo-terminal after the other under the same link. Runs on the given io_context, never blocks it.
/// The slave stays open here, so that a program may close and re-open it; unplug() closes both sides, which hangs it up.
class PtyHost {
 public:
  /// Plugged in at once. Throws std::system_error.
  PtyHost(asio::io_context& io, std::unique_ptr<Bus> bus, PtyOptions options = {});
  ~PtyHost();
  PtyHost(const PtyHost&) = delete;
  PtyHost& operator=(const PtyHost&) = delete;

  [[nodiscard]] Bus& bus() { return *bus_; }
  /// What a program opens: the link, or the slave itself when there is none.
  [[nodiscard]] std::string path() const;
  /// /dev/pts/N; empty while unplugged.
  [[nodiscard]] std::string slave() const;
  [[nodiscard]] bool plugged() const { return session_ != nullptr; }

  /// Pulls the adapter out: hang-up, the link vanishes. With `back_after` it comes back by itself.
  void unplug(Duration back_after = Duration::zero());
  /// A new pseudo-terminal under the same link. Throws std::system_error. No effect while plugged in.
  void plug();

  [[nodiscard]] const PtyStatistics& statistics() const { return *statistics_; }

 private:
  class Session;
  asio::io_context& io_;
  std::shared_ptr<Bus> bus_;
  PtyOptions options_;
  std::shared_ptr<PtyStatistics> statistics_ = std::make_shared<PtyStatistics>();
  std::shared_ptr<Session> session_;
  asio::steady_timer replug_;
};

}  // namespace serialbattery::simulator
