#include "daemon/session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/farewell.hpp"
#include "daemon/battery_json.hpp"

namespace serialbattery::daemon {

namespace {

// Clients wait 5 s for the answer to a write; a BMS that is silent must not keep them longer.
constexpr Duration write_patience = 4500ms;

// Whoever writes faster than the BMS follows is refused.
constexpr std::size_t most_writes_waiting = 8;

}  // namespace

struct Session::Write {
  Write(asio::io_context& io, Command what) : command(what), done(io, TimePoint::max()) {}
  Command command;
  asio::steady_timer done;  // cancelled when the outcome is known
  std::optional<venus::WriteResult> result;
  bool given_up = false;
};

Now now() {
  return {Clock::now(), std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Session::Session(asio::io_context& io, const Config& config, Found found) : io_(io), config_(config), found_(std::move(found)) {}

Session::~Session() = default;

std::string Session::label() const {
  return fmt::format("{}{}{}", found_.where.entry->type, found_.where.address_text.empty() ? "" : " ", found_.where.address_text);
}

Controls Session::controls() const {
  return found_.driver->controls();
}

asio::awaitable<void> Session::start(Serving serving, const control::Environment& environment) {
  serving_ = std::move(serving);
  start_control();
  service_ = std::make_unique<venus::BatteryService>(io_, serving_.info, config_, controls(), make_handlers());
  follow_settings();
  service_->publish(controller_->good_poll(battery(), environment, now()));
  co_await service_->announce();
}

void Session::start_control() {
  const control::Traits traits{.can_reset_soc = controls().soc_reset_when_full, .poll_interval = serving_.poll_interval};
  controller_ = std::make_unique<control::Controller>(config_, traits, serving_.entry->restored());
}

void Session::follow_settings() {
  serving_.entry->on_events({.instance_changed = [this](int instance) { service_->set_instance(instance); },
                             .custom_name_changed = [this](const std::string& name) { service_->set_custom_name(name); },
                             .opened_late = [this] { start_control(); }});
}

// Everything that control says goes to the bus and, when it is due, into the settings.
void Session::publish(const control::Snapshot& snapshot, venus::Occasion occasion) {
  service_->publish(snapshot);
  const Now moment = now();
  for (const EventLog::Line& line : events_.changes(snapshot, moment.mono)) spdlog::log(line.level, "{}: {}", label(), line.text);
  serving_.entry->save(controller_->persisted(moment), occasion, moment.mono);
}

void Session::set_poll_interval(Duration interval) {
  serving_.poll_interval = interval;
  if (controller_) controller_->set_poll_interval(interval);
}

asio::awaitable<Session::Poll> Session::poll(const control::Environment& environment) {
  Poll outcome = Poll::good;
  const TimePoint start = Clock::now();
  try {
    co_await run_writes();
    co_await found_.driver->refresh();
  } catch (const BmsError& error) {
    outcome = error.fault() == Fault::closed || error.fault() == Fault::io ? Poll::port_gone : Poll::failed;
    const std::string line = faults_.occurred(error.what(), Clock::now());
    if (!line.empty()) spdlog::warn("{}: poll failed: {}", label(), line);
  }
  last_refresh_ = Clock::now() - start;
  capture_reading(outcome == Poll::good);
  if (outcome != Poll::good) {
    count_failed_poll(environment);
    co_return outcome;
  }
  if (const std::string line = faults_.recovered(Clock::now()); !line.empty()) spdlog::info("{}: {}", label(), line);
  publish(controller_->good_poll(battery(), environment, now()));
  if (controller_->take_soc_reset_request()) co_await tell_full();
  co_return outcome;
}

void Session::count_failed_poll(const control::Environment& environment) {
  const control::Snapshot& snapshot = controller_->failed_poll(environment, now());
  service_->publish(must_leave() ? control::without_measurements(snapshot) : snapshot);
}

asio::awaitable<bool> Session::is_still_there() {
  const std::string before = battery().identity.unique_id;
  bool found = co_await found_.driver->identify(Effort::quick);
  // A slow board, or one that was woken by the question, or a lost answer: not worth a service that leaves the bus.
  if (!found) found = co_await found_.driver->identify(Effort::thorough);
  if (!found) co_return false;
  co_return battery().identity.unique_id == before;
}

asio::awaitable<void> Session::stop(Leaving why) {
  for (const auto& write : writes_) {
    write->result = venus::WriteResult::refused;
    write->done.cancel();
  }
  writes_.clear();
  if (!service_) co_return;
  if (why == Leaving::failure) {
    control::Snapshot last = controller_->snapshot();
    control::allow_nothing(last);
    service_->publish(last);
  }
  const Now moment = now();
  co_await serving_.entry->flush(controller_->persisted(moment), moment.mono);
  co_await service_->withdraw();
}

venus::Handlers Session::make_handlers() {
  venus::Handlers handlers;
  handlers.custom_name = [this](std::string name) -> asio::awaitable<venus::WriteResult> {
    const bool stored = co_await serving_.entry->store_custom_name(name);
    co_return stored ? venus::WriteResult::accepted : venus::WriteResult::refused;
  };
  handlers.clear_history = [this](int group) -> asio::awaitable<venus::WriteResult> {
    publish(controller_->clear_history(group, now()), venus::Occasion::history_clear);
    spdlog::info("{}: history cleared (group {})", label(), group);
    co_return venus::WriteResult::accepted;
  };
  handlers.switch_control = [this](Command command) { return send_to_bms(command); };
  handlers.set_soc = [this](double percent) { return set_soc(percent); };
  handlers.disconnected = serving_.bus_lost;
  return handlers;
}

asio::awaitable<venus::WriteResult> Session::set_soc(double percent) {
  if (!config_.soc_calculation) co_return co_await send_to_bms({Command::Kind::soc, percent});
  controller_->set_soc(percent);
  spdlog::info("{}: SoC set to {} %", label(), percent);
  publish(controller_->snapshot(), venus::Occasion::soc_set);
  serving_.wake();
  co_return venus::WriteResult::accepted;
}

// Writes wait for the beginning of the next poll, which comes at once: only one conversation at a time is on the line.
asio::awaitable<venus::WriteResult> Session::send_to_bms(Command command) {
  if (writes_.size() >= most_writes_waiting) co_return venus::WriteResult::refused;
  auto write = std::make_shared<Write>(io_, command);
  writes_.push_back(write);
  serving_.wake();
  write->done.expires_after(write_patience);
  boost::system::error_code ignored;
  co_await write->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  write->given_up = !write->result;
  co_return write->result.value_or(venus::WriteResult::refused);
}

// What comes while this runs waits for the next poll, so that a flood of writes never keeps the readings away.
asio::awaitable<void> Session::run_writes() {
  for (std::size_t left = writes_.size(); left > 0 && !writes_.empty(); --left) {
    const auto write = writes_.front();
    writes_.pop_front();
    if (write->given_up) continue;
    try {
      co_await found_.driver->execute(write->command);
      write->result = venus::WriteResult::accepted;
    } catch (const BmsError& error) {
      write->result = venus::WriteResult::refused;
      spdlog::error("{}: the BMS did not take a command: {}", label(), error.what());
      write->done.cancel();
      if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
    }
    write->done.cancel();
  }
}

// AUTO_RESET_SOC: once per full charge, failure is only logged.
asio::awaitable<void> Session::tell_full() {
  try {
    co_await found_.driver->execute({Command::Kind::soc, 100});
    spdlog::info("{}: battery is full, SoC in the BMS set to 100 %", label());
  } catch (const BmsError& error) {
    spdlog::warn("{}: battery is full, but the BMS did not take SoC 100 %: {}", label(), error.what());
  }
}

void Session::capture_reading(bool success) {
  if (!capture_) return;
  const double milliseconds = std::chrono::duration<double, std::milli>(last_refresh_).count();
  capture_->decoded(milliseconds, success, success ? to_json(battery()) : boost::json::object{});
}

}  // namespace serialbattery::daemon
