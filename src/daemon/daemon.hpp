// The process: finds the batteries of one port, serves them until told to stop or until they are gone.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "config/loader.hpp"
#include "control/poll_interval.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/open_stream.hpp"
#include "daemon/options.hpp"
#include "daemon/session.hpp"
#include "link/capture.hpp"
#include "venus/ess_watch.hpp"
#include "venus/external_sensor.hpp"
#include "venus/settings_client.hpp"

namespace serialbattery::daemon {

class Daemon {
 public:
  Daemon(asio::io_context& io, Options options, config::Loaded loaded);
  ~Daemon();

  /// Runs until the batteries are gone or something makes serving impossible. Cancellation (SIGTERM) ends it at any point;
  /// stop() then has to follow.
  asio::awaitable<ExitCode> run();

  /// Saves what has to be saved and gives the bus names back; less than a second.
  asio::awaitable<void> stop(Leaving why);

 private:
  asio::awaitable<bool> find_batteries();
  void connect_to_bus();
  asio::awaitable<bool> start_sessions();
  asio::awaitable<std::unique_ptr<Session>> start_session(Found battery);
  [[nodiscard]] venus::ServiceInfo service_info(const Candidate& where, const Battery& battery) const;
  [[nodiscard]] control::Environment environment() const;
  asio::awaitable<ExitCode> poll_for_ever();
  asio::awaitable<bool> poll_all();
  asio::awaitable<bool> port_comes_back();
  asio::awaitable<void> wait_for_next_poll(TimePoint start);
  void adapt_interval(Duration refresh, Duration runtime);
  asio::awaitable<void> remove_lost_sessions();
  void start_capture();
  void repeat_config_issues();
  void bus_is_lost();
  [[nodiscard]] std::string port_name() const { return opened_.stream->name(); }

  asio::io_context& io_;
  Options options_;
  config::Loaded loaded_;
  const Config& config_;
  OpenedStream opened_;
  std::unique_ptr<ByteLink> link_;
  FrameLog frame_log_;
  TapList taps_;
  std::unique_ptr<link::CaptureFile> capture_;
  std::shared_ptr<venus::Bus> bus_;  // the client side; each battery service has a connection of its own
  std::unique_ptr<venus::SettingsClient> settings_;
  std::unique_ptr<venus::EssWatch> ess_;
  std::unique_ptr<venus::ExternalSensorWatch> sensor_;
  std::unique_ptr<Host> host_;  // where the driver is the BMS
  std::vector<Found> found_;
  std::vector<std::uint8_t> line_addresses_;  // BATTERY_ADDRESSES, also those that are silent now
  std::vector<std::unique_ptr<Session>> sessions_;
  control::PollInterval interval_;
  asio::steady_timer pause_;
  bool wake_ = false;
  bool bus_lost_ = false;
  unsigned failed_in_a_row_ = 0;
  TimePoint issues_logged_{};
};

/// Logs the banner, the configuration's problems, waits out what must not restart in a tight loop, serves. The process's exit code.
int serve(const Options& options, config::Loaded loaded);

}  // namespace serialbattery::daemon
