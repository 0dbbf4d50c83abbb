// The frame around the daemon: banner, problems of the configuration, signals, exit code.
#include <spdlog/spdlog.h>

#include <sdbus-c++/Error.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "config/report.hpp"
#include "daemon/daemon.hpp"
#include "daemon/log.hpp"
#include "daemon/startup_log.hpp"
#include "link/spi_stream.hpp"
#include "venus/battery_service.hpp"

namespace serialbattery::daemon {

namespace {

// Mistakes in the configuration would otherwise restart the process all the time and flood the log.
constexpr Duration delay_of_mistakes = 60s;

// A service of its own, unlike one of serial-starter, is restarted at once for ever.
constexpr Duration delay_of_missing_device = 10s;

// Whatever hangs, the process is gone a second after SIGTERM.
constexpr Duration stop_limit = 900ms;

void log_lines(const std::vector<config::LogLine>& lines) {
  for (const auto& line : lines) spdlog::log(line.level, "{}", line.text);
}

ExitCode wait_then_leave(asio::io_context& io, asio::signal_set& signals, Duration delay) {
  ExitCode code = ExitCode::no_battery;
  asio::steady_timer timer(io, delay);
  timer.async_wait([&signals](const boost::system::error_code& error) {
    if (!error) signals.cancel();
  });
  signals.async_wait([&](const boost::system::error_code& error, int) {
    timer.cancel();
    if (!error) code = ExitCode::stopped;
  });
  io.run();
  return code;
}

// Runs the daemon until it ends by itself or a signal comes, then stops it.
class Supervised {
 public:
  Supervised(asio::io_context& io, asio::signal_set& signals, Daemon& daemon) : io_(io), signals_(signals), daemon_(daemon), limit_(io) {}

  ExitCode run() {
    asio::co_spawn(io_, daemon_.run(),
                   asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr error, ExitCode code) { ended(error, code); }));
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      signalled_ = true;
      spdlog::info("Stopping");
      start_limit();
      cancel_.emit(asio::cancellation_type::all);
    });
    io_.run();
    return code_;
  }

 private:
  void ended(const std::exception_ptr& error, ExitCode code) {
    code_ = signalled_ ? ExitCode::stopped : error ? explain(error) : code;
    start_limit();
    asio::co_spawn(io_, daemon_.stop(code_ == ExitCode::failure ? Leaving::failure : Leaving::orderly), [this](std::exception_ptr) {
      signals_.cancel();
      limit_.cancel();
      io_.stop();
    });
  }

  static ExitCode explain(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const LinkError& e) {
      spdlog::error(">>> {}", e.what());
      return ExitCode::no_battery;
    } catch (const venus::NameTaken& e) {
      spdlog::error(">>> {}", e.what());
      return ExitCode::no_battery;
    } catch (const sdbus::Error& e) {
      spdlog::error(">>> D-Bus: {}", e.what());
      return ExitCode::bus_lost;
    } catch (const std::exception& e) {
      spdlog::error(">>> Unexpected error: {}", e.what());
      return ExitCode::failure;
    }
  }

  void start_limit() {
    limit_.expires_after(stop_limit);
    limit_.async_wait([this](const boost::system::error_code& error) {
      if (!error) io_.stop();
    });
  }

  asio::io_context& io_;
  asio::signal_set& signals_;
  Daemon& daemon_;
  asio::cancellation_signal cancel_;
  asio::steady_timer limit_;
  ExitCode code_ = ExitCode::failure;
  bool signalled_ = false;
};

}  // namespace

int serve(const Options& options, config::Loaded loaded) {
  asio::io_context io(1);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  std::signal(SIGPIPE, SIG_IGN);
  for (const auto& line : banner()) spdlog::info("{}", line);
  if (loaded.fatal) {
    log_lines(config::fatal_lines(loaded));
    return static_cast<int>(wait_then_leave(io, signals, delay_of_mistakes));
  }
  log_lines(config::notice_lines(loaded));
  const auto& excluded = loaded.config.excluded_devices;
  if (std::ranges::find(excluded, options.device) != excluded.end()) {
    spdlog::info("{} is left to others (EXCLUDED_DEVICES)", options.device);
    return static_cast<int>(ExitCode::stopped);
  }
  if (spdlog::should_log(spdlog::level::debug)) {
    for (const auto& line : config::effective_lines(loaded)) spdlog::debug("{}", line);
  }
  try {
    Daemon daemon(io, options, std::move(loaded));
    return static_cast<int>(Supervised(io, signals, daemon).run());
  } catch (const BmsError& error) {
    spdlog::error(">>> {}", error.what());
    if (link::is_spi_device(options.device)) return static_cast<int>(wait_then_leave(io, signals, delay_of_missing_device));
    return static_cast<int>(ExitCode::no_battery);
  } catch (const std::exception& error) {
    spdlog::error(">>> {}", error.what());
    return static_cast<int>(ExitCode::failure);
  }
}

}  // namespace serialbattery::daemon
