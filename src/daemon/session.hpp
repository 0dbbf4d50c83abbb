// One battery while it is served: driver -> control -> D-Bus, and writes the other way round.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/controller.hpp"
#include "daemon/detection.hpp"
#include "daemon/event_log.hpp"
#include "daemon/log.hpp"
#include "link/capture.hpp"
#include "serialbattery/config.hpp"
#include "venus/battery_service.hpp"
#include "venus/settings_client.hpp"

namespace serialbattery::daemon {

/// Both clocks at this moment.
Now now();

/// What a session is given when it starts to serve.
struct Serving {
  venus::ServiceInfo info;
  std::unique_ptr<venus::SettingsEntry> entry;
  Duration poll_interval{};
  std::function<void()> bus_lost;
  std::function<void()> wake;  // something waits for the next poll
};

/// Why a battery leaves the bus.
enum class Leaving { orderly, failure };

class Session {
 public:
  enum class Poll { good, failed, port_gone };

  Session(asio::io_context& io, const Config& config, Found found);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Evaluates the reading of the detection, publishes it, takes the bus name. Throws venus::NameTaken, sdbus::Error.
  asio::awaitable<void> start(Serving serving, const control::Environment& environment);

  /// Pending writes, one reading, control, D-Bus. Never throws for reasons of the BMS.
  asio::awaitable<Poll> poll(const control::Environment& environment);

  /// A poll that could not even be tried, because the port is away.
  void count_failed_poll(const control::Environment& environment);

  /// After the port came back: is it still the same battery?
  asio::awaitable<bool> is_still_there();

  /// control.md 9.2: the BMS has been silent for too long.
  [[nodiscard]] bool must_leave() const { return controller_ && controller_->must_leave(); }

  /// Saves what has to survive and gives the bus name back; the last publication is on the wire when it returns. After a failure of the
  /// program that publication allows no current: clients go on with the last limits for a while.
  asio::awaitable<void> stop(Leaving why);

  void set_poll_interval(Duration interval);
  void set_capture(link::CaptureFile* capture) { capture_ = capture; }

  [[nodiscard]] const Battery& battery() const { return found_.driver->battery(); }
  [[nodiscard]] const Candidate& where() const { return found_.where; }
  [[nodiscard]] Controls controls() const;
  [[nodiscard]] Duration last_refresh() const { return last_refresh_; }

 private:
  struct Write;  // a command on its way to the BMS
  void start_control();
  void follow_settings();
  void publish(const control::Snapshot& snapshot, venus::Occasion occasion = venus::Occasion::poll);
  venus::Handlers make_handlers();
  asio::awaitable<venus::WriteResult> send_to_bms(Command command);
  asio::awaitable<venus::WriteResult> set_soc(double percent);
  asio::awaitable<void> run_writes();
  asio::awaitable<void> tell_full();
  void capture_reading(bool success);
  [[nodiscard]] std::string label() const;

  asio::io_context& io_;
  const Config& config_;
  Found found_;
  Serving serving_;
  std::unique_ptr<control::Controller> controller_;
  std::unique_ptr<venus::BatteryService> service_;
  std::deque<std::shared_ptr<Write>> writes_;
  RepeatedFault faults_;
  EventLog events_;
  link::CaptureFile* capture_ = nullptr;
  Duration last_refresh_{};
};

}  // namespace serialbattery::daemon
