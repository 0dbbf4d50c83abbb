// One poll: the steps of control.md 1.2 in their order, each of them safe by itself.
#include "control/controller.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
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
enum class Cause : unsigned { no_usable_voltage = static_cast<unsigned>(Step::count), own_law_missing };

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

// Runs one step. What it throws ends there: `safe` puts its outputs on the safe side, the poll goes on.
template <typename Body, typename Safe>
bool run(State& s, Step step, TimePoint now, Body&& body, Safe&& safe) {
  try {
    if (s.probe != nullptr) s.probe(step);
    body();
    return true;
  } catch (const std::exception& error) {
    report_failure(s, step, error.what(), now);
  } catch (...) {
    report_failure(s, step, "unknown exception", now);
  }
  safe();
  return false;
}

void nothing() {}

// --- the steps of a good poll --------------------------------------------------------------------------------------------------------

void take_reading(State& s, const Battery& reading) {
  take_cleaned(s.reading, reading);
  s.cells.take(s.reading, s.settings->plausible_cell);
  s.history.take(s.reading);
}

// Values of a sensor that the configuration does not name are none.
ExternalSensor configured(const Config& config, const ExternalSensor& sensor) {
  const bool current = !config.external_sensor_dbus_device.empty() && !config.external_sensor_dbus_path_current.empty();
  const bool soc = !config.external_sensor_dbus_device.empty() && !config.external_sensor_dbus_path_soc.empty();
  return {current ? finite(sensor.current) : std::nullopt, soc ? finite(sensor.soc) : std::nullopt};
}

void log_sensor(State& s, bool used) {
  const auto& config = s.settings->config;
  if (config.external_sensor_dbus_device.empty() || s.sensor_used == used) return;
  if (s.sensor_used || !used) {
    spdlog::info("External sensor {}: {}", config.external_sensor_dbus_device,
                 used ? "in use" : "no valid value, the BMS's values are used");
  }
  s.sensor_used = used;
}

void book_flow(State& s, const ExternalSensor& sensor, TimePoint now) {
  const double past = s.last_good ? std::max(0.0, seconds_between(*s.last_good, now)) : 0.0;
  s.last_good = now;
  log_sensor(s, sensor.current || sensor.soc);
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

void evaluate_good(State& s, const Environment& environment, const Now& now) {
  const TimePoint t = now.mono;
  const ExternalSensor sensor = configured(s.settings->config, environment.sensor);
  run(
      s, Step::link, t, [&] { s.connection.good(t); }, nothing);
  run(
      s, Step::flow, t, [&] { book_flow(s, sensor, t); }, [&] { forget_flow(s); });
  run(
      s, Step::soc, t,
      [&] {
        s.soc.evaluate(s.settings->config,
                       {.external = sensor.soc,
                        .stated = s.reading.soc,
                        .capacity = s.reading.capacity,
                        .current = s.current,
                        .lowest = s.cells.shown_lowest()},
                       t);
      },
      nothing);
  run(
      s, Step::temperature, t, [&] { s.temperatures.take(*s.settings, s.reading); }, [&] { s.temperatures.forget(); });
  run(
      s, Step::charge_voltage, t, [&] { evaluate_charge_voltage(s, now); }, [&] { make_charge_voltage_safe(s); });
  run(
      s, Step::limits, t, [&] { evaluate_limits(s, t); }, [&] { block_limits(s, kInternalError); });
  run(
      s, Step::error_check, t, [&] { s.errors.check_hourly(t); }, nothing);
  run(
      s, Step::state, t,
      [&] {
        update_permissions(s);
        s.service_state = next_state(s.service_state, s.permissions);
      },
      [&] { s.permissions = {}; });
}

// --- a failed poll --------------------------------------------------------------------------------------------------------------------

void go_offline(State& s, const Connection::Outcome& outcome) {
  forget_flow(s);
  s.charge_voltage.cap_offline(s.settings->config, s.cells.count());
  if (outcome.block) block_limits(s, kDisconnected);
}

void evaluate_failed(State& s, TimePoint now) {
  run(
      s, Step::link, now,
      [&] {
        const auto outcome = s.connection.failed(s.settings->config, s.cells.shown_lowest(), s.cells.shown_highest(), now);
        if (outcome.went_offline) go_offline(s, outcome);
      },
      [&] { block_limits(s, kInternalError); });
}

// --- the publishing part of every poll --------------------------------------------------------------------------------------------------

void publish(State& s, const Environment& environment, const Now& now) {
  const auto& config = s.settings->config;
  const TimePoint t = now.mono;
  run(
      s, Step::permissions, t,
      [&] {
        update_permissions(s);
        if (config.history_enable && s.last_good) s.history.count_alarms(s.reading.alarms);
      },
      [&] { s.permissions = {}; });
  run(
      s, Step::midpoint, t,
      [&] {
        if (const auto mid = midpoint(config, s.cells)) s.midpoint = mid;
      },
      nothing);
  run(
      s, Step::average, t,
      [&] {
        s.average.add(s.current, t);
        s.history.follow_average(s.average.value());
      },
      nothing);
  run(
      s, Step::time_to_go, t,
      [&] {
        s.time_to_go.evaluate(config, {s.reading.capacity, s.average.value(), s.current, s.soc.value(), environment.ess}, t);
      },
      [&] { s.time_to_go.forget(); });
  run(
      s, Step::history, t, [&] { s.history.evaluate_when_due(config, s.history_inputs(), t); }, nothing);
  run(
      s, Step::snapshot, t, [&] { fill_snapshot(s, now); }, [&] { fill_safe_snapshot(s); });
}

Now begin_poll(State& s, const Now& now) {
  s.latest = s.started ? std::max(s.latest, now.mono) : now.mono;
  if (!s.started) s.started = now.mono;
  return {s.latest, now.wall};
}

}  // namespace

// --- the interface ----------------------------------------------------------------------------------------------------------------------

Controller::Controller(const Config& config, const Traits& traits, const Persisted& restored)
    : state_(std::make_unique<State>(std::make_shared<const Settings>(config, traits), restored)) {
  if (config.cvl_controller_mode == 4) {
    log_once(*state_, static_cast<unsigned>(Cause::own_law_missing), spdlog::level::warn,
             "CVL_CONTROLLER_MODE = 4 is not available in this version: mode 1 (penalty sum) acts instead");
  }
}

Controller::~Controller() = default;
Controller::Controller(const Controller& other) : state_(std::make_unique<State>(*other.state_)) {}

const Snapshot& Controller::good_poll(const Battery& reading, const Environment& environment, const Now& now) {
  State& s = *state_;
  const Now clock = begin_poll(s, now);
  const bool taken = implausible(reading) == nullptr && run(
                                                            s, Step::take, clock.mono, [&] { take_reading(s, reading); }, nothing);
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
  run(
      s, Step::history, now.mono,
      [&] {
        s.history.clear(s.settings->config, group, s.history_inputs());
        s.snapshot.history = s.history.values();
        s.snapshot.time_since_last_full_charge = s.history.time_since_full_charge({std::max(s.latest, now.mono), now.wall});
      },
      nothing);
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
