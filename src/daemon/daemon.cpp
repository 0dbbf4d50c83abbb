#include "daemon/daemon.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/bus_address.hpp"
#include "config/report.hpp"
#include "daemon/memory.hpp"
#include "daemon/service_info.hpp"
#include "daemon/startup_log.hpp"
#include "link/linux_host.hpp"
#include "venus/identity.hpp"

namespace serialbattery::daemon {

namespace {

// An adapter that was pulled may come back at once (a loose plug, a reset of the USB hub).
constexpr Duration unplug_grace = 3s;
constexpr Duration reopen_every = 250ms;

// A USB adapter that vanished may keep a handle that looks open: open it anew now and then.
constexpr unsigned reopen_after_failures = 8;

// Two batteries with one identity: the user has to change something, so there is no hurry.
constexpr Duration delay_of_conflicts = 60s;

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Duration first_interval(const Config& config, const std::vector<Found>& found) {
  if (config.poll_interval) return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*config.poll_interval));
  Duration longest = 0s;
  for (const Found& battery : found) longest = std::max(longest, battery.where.entry->poll_interval);
  return longest;
}

}  // namespace

Daemon::Daemon(asio::io_context& io, Options options, config::Loaded loaded)
    : io_(io),
      options_(std::move(options)),
      loaded_(std::move(loaded)),
      config_(loaded_.config),
      opened_(open_stream(io, options_)),
      link_(std::make_unique<ByteLink>(*opened_.stream)),
      frame_log_(port_name()),
      interval_(1s),
      pause_(io) {
  taps_.add(frame_log_);
  link_->set_tap(&taps_);
  if (config_.bms_capture_raw_data) start_capture();
}

Daemon::~Daemon() = default;

void Daemon::start_capture() {
  const auto file = link::capture_path(options_.folder, port_name());
  spdlog::warn("All traffic is written to {} (BMS_CAPTURE_RAW_DATA): switch it off again, it wears the flash memory", file.string());
  capture_ = std::make_unique<link::CaptureFile>(
      file,
      link::CaptureLimits{.max_bytes = static_cast<std::uintmax_t>(config_.bms_capture_raw_data_max_size_mb) * 1'000'000,
                          .backups = config_.bms_capture_raw_data_backup_count},
      wall_seconds);
  taps_.add(*capture_);
}

asio::awaitable<ExitCode> Daemon::run() {
  const bool found = co_await find_batteries();
  if (!found) co_return ExitCode::no_battery;
  const bool serving = co_await start_sessions();
  if (!serving) co_return ExitCode::no_battery;
  co_return co_await poll_for_ever();
}

asio::awaitable<bool> Daemon::find_batteries() {
  const DetectionCache cache(options_.folder / "detection-cache", port_name());
  if (opened_.stream->transport() == Transport::spi && options_.replay.empty())
    host_ = std::make_unique<link::LinuxHost>("/dev/gpiochip0", options_.folder / "board-memory" / port_name());
  Detection detection(*link_, config_, opened_.serial ? &cache : nullptr, nullptr, host_.get());
  found_ = co_await detection.run();
  if (found_.empty()) spdlog::error(">>> No battery connection at {}: {}", port_name(), detection.reason());
  co_return !found_.empty();
}

asio::awaitable<void> Daemon::stop(Leaving why) {
  for (const auto& session : sessions_) co_await session->stop(why);
  sessions_.clear();
}

asio::awaitable<ExitCode> Daemon::poll_for_ever() {
  while (true) {
    const TimePoint start = Clock::now();
    bool port_is_there = co_await poll_all();
    if (!port_is_there) port_is_there = co_await port_comes_back();
    if (!port_is_there) {
      spdlog::error("{} has gone: the battery service ends", port_name());
      co_return ExitCode::no_battery;
    }
    co_await remove_lost_sessions();
    if (sessions_.empty()) co_return ExitCode::no_battery;
    repeat_config_issues();
    co_await wait_for_next_poll(start);
    if (bus_lost_) co_return ExitCode::bus_lost;
  }
}

// One poll of every battery on the line. False: the port is away.
asio::awaitable<bool> Daemon::poll_all() {
  const TimePoint start = Clock::now();
  Duration refresh{};
  bool any_good = false;
  for (const auto& session : sessions_) {
    const Session::Poll outcome = co_await session->poll(environment());
    if (outcome == Session::Poll::port_gone) co_return false;
    any_good = any_good || outcome == Session::Poll::good;
    refresh += session->last_refresh();
  }
  failed_in_a_row_ = any_good ? 0 : failed_in_a_row_ + 1;
  if (opened_.serial && failed_in_a_row_ > 0 && failed_in_a_row_ % reopen_after_failures == 0) co_return opened_.serial->reopen();
  adapt_interval(refresh, Clock::now() - start);
  co_return true;
}

asio::awaitable<bool> Daemon::port_comes_back() {
  if (!opened_.serial) co_return false;
  spdlog::warn("{} does not respond: unplugged? Waiting {} s for it to come back", port_name(), unplug_grace / 1s);
  const TimePoint end = Clock::now() + unplug_grace;
  while (Clock::now() < end) {
    pause_.expires_after(reopen_every);
    boost::system::error_code ignored;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (!opened_.serial->reopen()) continue;
    bool same = true;
    try {
      for (const auto& session : sessions_) {
        same = co_await session->is_still_there();
        if (!same) break;
      }
    } catch (const LinkError&) {
      continue;  // gone again
    }
    if (same) spdlog::info("{} is back with the same battery", port_name());
    co_return same;
  }
  co_return false;
}

void Daemon::adapt_interval(Duration refresh, Duration runtime) {
  const auto verdict = interval_.finished(refresh, runtime);
  const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
  if (verdict.raised) {
    spdlog::warn("{}: reading takes {:.2f} s, the poll interval is now {:.1f} s", port_name(), seconds(refresh),
                 seconds(interval_.interval()));
    for (const auto& session : sessions_) session->set_poll_interval(interval_.interval());
  } else if (verdict.polls_left) {
    spdlog::warn("{}: reading took {:.2f} s, longer than the poll interval; it is raised after {} more slow polls", port_name(),
                 seconds(refresh), *verdict.polls_left);
  }
}

asio::awaitable<void> Daemon::wait_for_next_poll(TimePoint start) {
  const TimePoint next = start + interval_.interval();
  while (!wake_ && !bus_lost_ && Clock::now() < next) {
    pause_.expires_at(next);
    boost::system::error_code ignored;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  wake_ = false;
}

asio::awaitable<void> Daemon::remove_lost_sessions() {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (!(*it)->must_leave()) {
      ++it;
      continue;
    }
    spdlog::error("{}: the BMS has been silent for too long: the battery service ends", port_name());
    co_await (*it)->stop(Leaving::orderly);
    it = sessions_.erase(it);
  }
}

void Daemon::bus_is_lost() {
  bus_lost_ = true;
  pause_.cancel();
}

void Daemon::connect_to_bus() {
  bus_ = venus::Bus::connect(io_, [this] { bus_is_lost(); });
  venus::SettingsOptions settings;
  settings.lock_folder = options_.lock_folder;
  settings_ = std::make_unique<venus::SettingsClient>(bus_, std::move(settings));
  ess_ = std::make_unique<venus::EssWatch>(bus_);
  if (!config_.external_sensor_dbus_device.empty()) {
    sensor_ = std::make_unique<venus::ExternalSensorWatch>(
        bus_, venus::SensorSource{config_.external_sensor_dbus_device, config_.external_sensor_dbus_path_current,
                                  config_.external_sensor_dbus_path_soc});
  }
}

control::Environment Daemon::environment() const {
  control::Environment environment;
  environment.ess = ess_->value();
  if (sensor_) environment.sensor = sensor_->value();
  return environment;
}

venus::ServiceInfo Daemon::service_info(const Candidate& where, const Battery& battery) const {
  venus::ServiceInfo info;
  info.service_name = venus::battery_service_name(port_name(), where.address_text);
  info.process_name = options_.program;
  info.process_version = SB_VERSION;
  info.firmware_version = SB_VERSION;
  info.connection = connection_text(options_.device.empty() ? port_name() : options_.device, where);
  info.manufacturer = type_text(where, battery);
  info.product_name = product_name(unique_identifier(config_, port_name(), where, battery), port_name(), info.manufacturer);
  if (config_.publish_config_values) {
    for (const auto& published : config::published_values(config_)) info.config_values.push_back(config_item(published));
  }
  return info;
}

// Throws venus::InstanceTaken, venus::NameTaken: this battery can't be served.
asio::awaitable<std::unique_ptr<Session>> Daemon::start_session(Found battery) {
  const Candidate where = battery.where;
  auto session = std::make_unique<Session>(io_, config_, std::move(battery));
  const Battery& reading = session->battery();
  const std::string identifier = unique_identifier(config_, port_name(), where, reading);
  for (const auto& line : settings_lines(config_, where, reading, options_.device, identifier)) spdlog::info("{}", line);
  Serving serving;
  serving.info = service_info(where, reading);
  serving.poll_interval = interval_.interval();
  serving.bus_lost = [this] { bus_is_lost(); };
  serving.wake = [this] {
    wake_ = true;
    pause_.cancel();
  };
  venus::BatteryIdentity who{.unit = {venus::bms_id(identifier), where.address, line_addresses_},
                             .legacy_id = venus::bms_id(reading.identity.legacy_id),
                             .port = port_name(),
                             .proposed_name = reading.identity.proposed_name,
                             .service_name = serving.info.service_name};
  serving.entry = co_await settings_->open(std::move(who));
  serving.info.serial = serving.entry->id();
  serving.info.device_instance = serving.entry->instance();
  serving.info.custom_name = serving.entry->custom_name();
  session->set_capture(capture_.get());
  release_startup_memory();
  co_await session->start(std::move(serving), environment());
  co_return session;
}

asio::awaitable<bool> Daemon::start_sessions() {
  release_startup_memory();
  connect_to_bus();
  interval_ = control::PollInterval(first_interval(config_, found_));
  std::ranges::sort(found_, {}, [](const Found& battery) { return battery.where.address; });
  for (const std::string& text : config_.battery_addresses) {
    if (const auto address = config::bus_address(text)) line_addresses_.push_back(*address);
  }
  for (Found& battery : found_) {
    std::string problem;
    try {
      sessions_.push_back(co_await start_session(std::move(battery)));
    } catch (const venus::InstanceTaken& error) {
      problem = error.what();
    } catch (const venus::NameTaken& error) {
      problem = error.what();
    }
    if (!problem.empty()) spdlog::error("{}", problem);
  }
  found_.clear();
  repeat_config_issues();
  if (!sessions_.empty()) {
    release_startup_memory();
    co_return true;
  }
  // serial-starter would start us again at once, and the log would fill.
  pause_.expires_after(delay_of_conflicts);
  co_await pause_.async_wait(asio::use_awaitable);
  co_return false;
}

// Logs rotate, so what is wrong with the configuration is said once a day.
void Daemon::repeat_config_issues() {
  if (issues_logged_ != TimePoint{} && Clock::now() - issues_logged_ < 24h) return;
  issues_logged_ = Clock::now();
  for (const auto& line : config::issue_block(loaded_)) spdlog::log(line.level, "{}", line.text);
}

}  // namespace serialbattery::daemon
