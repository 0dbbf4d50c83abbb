// One poll: the steps of control.md 1.2 in their order, each of them safe by itself.
#include "control/controller.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "control/numbers.hpp"
#include "control/publish.hpp"
#include "control/state.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::control {
namespace {

using State = Controller::State;

constexpr std::string_view kDisconnected = "BMS disconnected";
constexpr std::string_view kInternalError = "Internal error";
constexpr std::array<std::string_view, static_cast<std::size_t>(Step::count)> kStepNames{
    "reading", "link",        "current and energy", "state of charge", "temperatures", "charge voltage", "current limits", "error code",
    "state",   "permissions", "midpoint",           "average current", "time to go",   "history",        "publishing"};

// Causes of log lines that are written once: one bit per step, then these.
enum class Cause : unsigned { no_usable_voltage = static_cast<unsigned>(Step::count) };

void log_once(State& s, unsigned cause, spdlog::level::level_enum level, std::string_view text) {
  if ((s.reported & (1U << cause)) != 0) return;
  s.reported |= 1U << cause;
  spdlog::log(level, "{}", text);
}

void report_failure(State& s, Step step, const char* what, TimePoint now) {
  s.errors.count(now);
  const auto name = kStepNames[static_cast<std::size_t>(step)];
  if ((s.reported & (1U << static_cast<unsigned>(step))) != 0) return;
  s.reported |= 1U << static_cast<unsigned>(step);
  spdlog::error("Unexpected error while computing {}: {}. The safe side is published; this line is not repeated.", name, what);
}

// Runs the steps of one poll. What a step throws ends there: `safe` puts its outputs on the safe side, the poll goes on.
class Steps {
 public:
  Steps(State& s, TimePoint now) : s_(s), now_(now) {}

  template <typename Body, typename Safe>
  bool run(Step step, Body&& body, Safe&& safe) const {
    try {
      if (s_.probe != nullptr) s_.probe(step);
      body();
      return true;
    } catch (const std::exception& error) {
      report_failure(s_, step, error.what(), now_);
    } catch (...) {
      report_failure(s_, step, "unknown exception", now_);
    }
    safe();
    return false;
  }

  /// A step without outputs of its own that could harm.
  template <typename Body>
  bool run(Step step, Body&& body) const {
    return run(step, std::forward<Body>(body), [] {});
  }

 private:
  State& s_;
  TimePoint now_;
};

// --- the steps of a good poll --------------------------------------------------------------------------------------------------------

void take_reading(State& s, const Battery& reading) {
  take_cleaned(s.reading, reading);
  s.cells.take(s.reading, s.settings->plausible_cell);
  s.history.take(s.reading);
}

// The values of the external sensor that may be used: named in the configuration, and believable.
ExternalSensor usable(const Config& config, const ExternalSensor& sensor) {
  constexpr double kMostCurrent = 5000;  // A, as for the configured limits
  constexpr double kFull = 100;          // %
  ExternalSensor result;
  if (config.external_sensor_dbus_device.empty()) return result;
  if (!config.external_sensor_dbus_path_current.empty()) result.current = finite(sensor.current);
  if (!config.external_sensor_dbus_path_soc.empty()) result.soc = finite(sensor.soc);
  if (result.current && std::fabs(*result.current) > kMostCurrent) result.current.reset();
  if (result.soc && (*result.soc < 0 || *result.soc > kFull)) result.soc.reset();
  return result;
}

// Each change of the source is one line (DV-19).
void log_source(const Config& config, std::string_view quantity, const std::string& path, bool used, std::optional<bool>& before) {
  if (config.external_sensor_dbus_device.empty() || path.empty() || before == used) return;
  before = used;
  if (used) {
    spdlog::info("{} is that of the external sensor {}", quantity, config.external_sensor_dbus_device);
  } else {
    spdlog::warn("{} is that of the BMS: the external sensor {} gives no valid value at {}", quantity, config.external_sensor_dbus_device,
                 path);
  }
}

void log_sources(State& s, const ExternalSensor& sensor) {
  const auto& config = s.settings->config;
  log_source(config, "Current", config.external_sensor_dbus_path_current, sensor.current.has_value(), s.sensor_current_used);
  log_source(config, "SoC", config.external_sensor_dbus_path_soc, sensor.soc.has_value(), s.sensor_soc_used);
}

void book_flow(State& s, const ExternalSensor& sensor, TimePoint now) {
  const double past = s.last_good ? std::max(0.0, seconds_between(*s.last_good, now)) : 0.0;
  s.last_good = now;
  log_sources(s, sensor);
  if (s.current) s.history.book_current(*s.current, past);
  if (s.power) s.history.book_power(*s.power, past);
  s.voltage = s.reading.voltage;
  s.current = current_in_use(*s.settings, s.reading, sensor.current);
  s.power = s.voltage && s.current ? finite(*s.voltage * *s.current) : std::nullopt;
}

void forget_flow(State& s) {
  s.voltage.reset();
  s.current.reset();
  s.power.reset();
}

void evaluate_charge_voltage(State& s, const Now& now) {
  const auto& config = s.settings->config;
  const auto in = s.charge_voltage_inputs();
  const auto outcome = s.charge_voltage.evaluate(config, in, now);
  if (outcome.error) {
    s.errors.count(now.mono);
    log_once(s, static_cast<unsigned>(Cause::no_usable_voltage), spdlog::level::err,
             "No usable voltages from the BMS: the charge voltage is held at the float voltage or below until they are back");
  }
  if (outcome.soc_contradicts) s.errors.count(now.mono);
  if (outcome.full_charge) {
    s.history.full_charge(now.wall);
    s.soc.set_full(config, s.reading.capacity, now.mono);
    if (config.auto_reset_soc && s.settings->traits.can_reset_soc) s.soc_reset_pending = true;
  }
  if (config.blocked.charge) s.charge_voltage.cap_to_pack_voltage(config, in);
}

void make_charge_voltage_safe(State& s) {
  const auto& config = s.settings->config;
  s.charge_voltage.enter_error(config, s.cells.count());
  if (config.blocked.charge) s.charge_voltage.cap_to_pack_voltage(config, s.charge_voltage_inputs());
}

void block_limits(State& s, std::string_view text) {
  s.charge_limit.block(text);
  s.discharge_limit.block(text);
}

void evaluate_limits(State& s, TimePoint now) {
  const auto& settings = *s.settings;
  const auto charge = s.charge_inputs();
  const auto discharge = s.discharge_inputs();
  if (s.cells.count() == 0) {
    block_limits(s, kInternalError);  // nothing is known about this pack
    return;
  }
  for (const auto* direction : {&settings.charge, &settings.discharge}) {
    if (direction->soc.enabled && !s.soc.value()) s.errors.count(now);
  }
  s.charge_limit.evaluate(settings.charge, charge, s.gap_limit(), now);
  s.discharge_limit.evaluate(settings.discharge, discharge, s.gap_limit(), now);
}

void update_permissions(State& s) {
  s.permissions = {permitted(s.reading.charge_fet, s.charge_limit.limit()), permitted(s.reading.discharge_fet, s.discharge_limit.limit())};
}

void evaluate_soc(State& s, const ExternalSensor& sensor, TimePoint now) {
  const SocInputs in{.external = sensor.soc,
                     .stated = s.reading.soc,
                     .capacity = s.reading.capacity,
                     .current = s.current,
                     .lowest = s.cells.shown_lowest()};
  s.soc.evaluate(s.settings->config, in, now);
}

void update_state(State& s) {
  update_permissions(s);
  s.service_state = next_state(s.service_state, s.permissions);
}

void evaluate_good(State& s, const Environment& environment, const Now& now) {
  const TimePoint t = now.mono;
  const ExternalSensor sensor = usable(s.settings->config, environment.sensor);
  const Steps steps(s, t);
  steps.run(Step::link, [&] { s.connection.good(t); });
  steps.run(
      Step::flow, [&] { book_flow(s, sensor, t); }, [&] { forget_flow(s); });
  steps.run(Step::soc, [&] { evaluate_soc(s, sensor, t); });
  steps.run(
      Step::temperature, [&] { s.temperatures.take(*s.settings, s.reading); }, [&] { s.temperatures.forget(); });
  steps.run(
      Step::charge_voltage, [&] { evaluate_charge_voltage(s, now); }, [&] { make_charge_voltage_safe(s); });
  steps.run(
      Step::limits, [&] { evaluate_limits(s, t); }, [&] { block_limits(s, kInternalError); });
  steps.run(Step::error_check, [&] { s.errors.check_hourly(t); });
  steps.run(
      Step::state, [&] { update_state(s); }, [&] { s.permissions = {}; });
}

// --- a failed poll --------------------------------------------------------------------------------------------------------------------

void go_offline(State& s, const Connection::Outcome& outcome) {
  forget_flow(s);
  s.charge_voltage.cap_offline(s.settings->config, s.cells.count());
  if (outcome.block) block_limits(s, kDisconnected);
}

void supervise_failure(State& s, TimePoint now) {
  const auto outcome = s.connection.failed(s.settings->config, s.cells.shown_lowest(), s.cells.shown_highest(), now);
  if (outcome.went_offline) go_offline(s, outcome);
}

void evaluate_failed(State& s, TimePoint now) {
  Steps(s, now).run(
      Step::link, [&] { supervise_failure(s, now); }, [&] { block_limits(s, kInternalError); });
}

// --- the publishing part of every poll --------------------------------------------------------------------------------------------------

void treat_alarms(State& s) {
  update_permissions(s);
  if (s.settings->config.history_enable && s.last_good) s.history.count_alarms(s.reading.alarms);
}

void update_midpoint(State& s) {
  if (const auto mid = midpoint(s.settings->config, s.cells)) s.midpoint = mid;
}

void update_average(State& s, TimePoint now) {
  s.average.add(s.current, now);
  s.history.follow_average(s.average.value());
}

void update_times(State& s, const Environment& environment, TimePoint now) {
  s.time_to_go.evaluate(s.settings->config, {s.reading.capacity, s.average.value(), s.current, s.soc.value(), environment.ess}, now);
}

void publish(State& s, const Environment& environment, const Now& now) {
  const TimePoint t = now.mono;
  const Steps steps(s, t);
  steps.run(
      Step::permissions, [&] { treat_alarms(s); }, [&] { s.permissions = {}; });
  steps.run(Step::midpoint, [&] { update_midpoint(s); });
  steps.run(Step::average, [&] { update_average(s, t); });
  steps.run(
      Step::time_to_go, [&] { update_times(s, environment, t); }, [&] { s.time_to_go.forget(); });
  steps.run(Step::history, [&] { s.history.evaluate_when_due(s.settings->config, s.history_inputs(), t); });
  steps.run(
      Step::snapshot, [&] { fill_snapshot(s, now); }, [&] { fill_safe_snapshot(s); });
}

Now begin_poll(State& s, const Now& now) {
  s.latest = s.started ? std::max(s.latest, now.mono) : now.mono;
  if (!s.started) s.started = now.mono;
  return {s.latest, now.wall};
}

}  // namespace

// --- the interface ----------------------------------------------------------------------------------------------------------------------

Controller::Controller(const Config& config, const Traits& traits, const Persisted& restored)
    : state_(std::make_unique<State>(std::make_shared<const Settings>(config, traits), restored)) {}

Controller::~Controller() = default;
Controller::Controller(const Controller& other) : state_(std::make_unique<State>(*other.state_)) {}

const Snapshot& Controller::good_poll(const Battery& reading, const Environment& environment, const Now& now) {
  State& s = *state_;
  const Now clock = begin_poll(s, now);
  const bool taken = implausible(reading) == nullptr && Steps(s, clock.mono).run(Step::take, [&] { take_reading(s, reading); });
  if (taken) {
    evaluate_good(s, environment, clock);
  } else {
    evaluate_failed(s, clock.mono);
  }
  publish(s, environment, clock);
  return s.snapshot;
}

const Snapshot& Controller::failed_poll(const Environment& environment, const Now& now) {
  State& s = *state_;
  const Now clock = begin_poll(s, now);
  evaluate_failed(s, clock.mono);
  publish(s, environment, clock);
  return s.snapshot;
}

bool Controller::must_leave() const {
  return state_->connection.must_leave();
}

void Controller::set_soc(double percent) {
  if (!state_->settings->config.soc_calculation) return;
  state_->soc.set(percent);
  state_->snapshot.soc = state_->soc.value();
}

const Snapshot& Controller::clear_history(int group, const Now& now) {
  State& s = *state_;
  const Now clock{std::max(s.latest, now.mono), now.wall};
  Steps(s, clock.mono).run(Step::history, [&] {
    s.history.clear(s.settings->config, group, s.history_inputs());
    s.snapshot.history = s.history.values();
    s.snapshot.time_since_last_full_charge = s.history.time_since_full_charge(clock);
  });
  return s.snapshot;
}

bool Controller::take_soc_reset_request() {
  return std::exchange(state_->soc_reset_pending, false);
}

void Controller::set_poll_interval(Duration interval) {
  state_->poll_interval = interval;
}

Persisted Controller::persisted(const Now&) const {
  const State& s = *state_;
  Persisted result;
  result.allow_max_voltage = s.charge_voltage.allow_max();
  result.max_voltage_start_time = s.charge_voltage.absorption_start();
  if (s.settings->config.soc_calculation && s.soc.stored()) result.soc_calc = round_to(*s.soc.stored(), 3);
  result.soc_reset_last_reached = s.charge_voltage.last_reset();
  result.history = s.history.stored();
  return result;
}

const Snapshot& Controller::snapshot() const {
  return state_->snapshot;
}
void Controller::count_internal_error(const Now& now) {
  state_->errors.count(std::max(state_->latest, now.mono));
}
void Controller::probe_steps(StepProbe probe) {
  state_->probe = probe;
}
const Controller::State& Controller::state() const {
  return *state_;
}

}  // namespace serialbattery::control
