// Random lives of a battery.
#include "support/control_walk.hpp"

#include <spdlog/spdlog.h>

#include <cmath>
#include <limits>

#include "serialbattery/driver.hpp"
#include "support/control_packs.hpp"

namespace serialbattery::test {
namespace {

using control::Controller;
using control::Persisted;

constexpr std::int64_t kEpoch = 1700000000;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::uint64_t Dice::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Persisted random_start(std::uint64_t seed) {
  Dice dice(seed ^ 0x5eed);
  Persisted start;
  start.allow_max_voltage = dice.chance(0.7);
  if (dice.chance(0.3)) start.max_voltage_start_time = kEpoch - dice.whole(-100, 1500);
  if (dice.chance(0.5)) start.soc_calc = std::round(dice.range(0, 100) * 1000) / 1000;
  start.soc_reset_last_reached = dice.of<std::int64_t>({0, kEpoch - 100, kEpoch - 86400 * 20, kEpoch + 5000});
  if (dice.chance(0.3)) {
    start.history[HistoryValue::total_ah_drawn] = 1000;
    start.history[HistoryValue::charge_cycles] = 3.5;
    start.history[HistoryValue::automatic_syncs] = 4;
    start.history[HistoryValue::last_discharge] = 12;
  }
  return start;
}

Script::Script(std::uint64_t seed, const Config& config)
    : config_(config),
      dice_(seed ^ 0xba77e7),
      cells_(static_cast<unsigned>(dice_.of<int>({4, 8, 16, 3, 24}))),
      level_(dice_.range(config.min_cell_voltage, config.max_cell_voltage + 0.02)),
      spread_(dice_.of<double>({0.0, 0.004, 0.02, 0.1})),
      pace_(dice_.of<double>({1.0, 0.25, 5.0})),
      gives_cells_(dice_.chance(0.9)),
      gives_extremes_(dice_.chance(0.3)),
      gives_limits_(dice_.chance(0.4)),
      disturbed_(dice_.chance(0.7)) {
  poll_.interval = std::chrono::round<Duration>(std::chrono::duration<double>(pace_));
  poll_.reading.charge_fet = true;
  poll_.reading.discharge_fet = true;
}

double Script::strange_number() {
  return dice_.of<double>({kNaN, kInfinity, -kInfinity, 65.535, -1.0, 0.0, 1e300, -1e300});
}

std::optional<double> Script::perhaps(double value, double unknown) {
  if (!disturbed_ || !dice_.chance(unknown)) return value;
  if (dice_.chance(0.3)) return dice_.of<double>({kNaN, kInfinity, -kInfinity});
  return std::nullopt;
}

void Script::move_time() {
  double step = pace_;
  if (disturbed_ && dice_.chance(0.1)) step = dice_.of<double>({0.0, 0.01, 2.5, 9.9, 11.0, 31.0, 62.0, 400.0, 4000.0});
  elapsed_ += step;
  if (disturbed_ && dice_.chance(0.03)) wall_offset_ = dice_.of<std::int64_t>({-3600, 0, 86400 * 12, -86400 * 300, 1800, -kEpoch});
  poll_.now = at_second(elapsed_);
  poll_.now.wall += wall_offset_;
}

void Script::move_cells() {
  auto& reading = poll_.reading;
  const double top = config_.max_cell_voltage;
  if (dice_.chance(0.08)) level_ = dice_.of<double>({top + 0.01, top, top - 0.02, config_.min_cell_voltage, 3.3, top + 0.1});
  level_ += dice_.range(-0.002, 0.002);
  if (dice_.chance(0.05)) spread_ = dice_.of<double>({0.0, 0.004, 0.02, 0.1});
  if (disturbed_ && dice_.chance(0.005)) cells_ = static_cast<unsigned>(dice_.of<int>({4, 8, 15, 16}));
  reading.cell_count = cells_;
  if (disturbed_ && dice_.chance(0.02)) reading.cell_count.reset();
  reading.cells.assign(gives_cells_ ? cells_ : 0, Cell{});
  double sum = 0;
  for (auto& cell : reading.cells) {
    cell.voltage = std::round((level_ + dice_.range(0, spread_)) * 1000) / 1000;
    cell.balancing = spread_ > 0.05;
    sum += *cell.voltage;
  }
  if (!reading.cells.empty() && dice_.chance(0.1)) reading.cells.back().voltage = top + dice_.range(0, 0.2);
  reading.voltage = perhaps(gives_cells_ ? std::min(sum, 149.0) : level_ * cells_, 0.04);
  spoil_cells();
  reading.cell_min.reset();
  reading.cell_max.reset();
  if (gives_extremes_) {
    reading.cell_min = perhaps(level_, 0.1);
    reading.cell_max = perhaps(level_ + spread_, 0.1);
  }
}

void Script::spoil_cells() {
  auto& cells = poll_.reading.cells;
  if (!disturbed_ || cells.empty()) return;
  if (dice_.chance(0.08)) cells[dice_.next() % cells.size()].voltage.reset();
  if (dice_.chance(0.04)) cells[dice_.next() % cells.size()].voltage = strange_number();
  if (dice_.chance(0.02)) cells.assign(cells.size(), Cell{});
  if (dice_.chance(0.01)) cells.clear();
  if (dice_.chance(0.01) && !cells.empty()) cells.pop_back();
}

void Script::move_measurements() {
  auto& reading = poll_.reading;
  if (dice_.chance(0.2)) reading.current = perhaps(dice_.of<double>({0.0, 20.0, -20.0, 5.5, -0.05, -150.0}), 0.1);
  if (dice_.chance(0.2)) reading.soc = perhaps(dice_.of<double>({0.0, 50.0, 79.0, 80.0, 99.0, 100.0, 14.0}), 0.1);
  if (dice_.chance(0.05)) reading.capacity = perhaps(dice_.of<double>({100.0, 280.0, 0.0, 1e-12, 5000.0}), 0.2);
  if (dice_.chance(0.05)) reading.capacity_remaining = perhaps(dice_.range(0, 300), 0.3);
  for (auto& temperature : reading.temperatures) {
    if (dice_.chance(0.1)) temperature = perhaps(dice_.of<double>({25.0, 3.0, -5.0, 42.0, 51.0, 70.0}), 0.3);
  }
  if (dice_.chance(0.1)) reading.mos_temperature = perhaps(dice_.of<double>({40.0, 75.0, 85.0, 95.0}), 0.3);
  if (disturbed_ && dice_.chance(0.01)) reading.voltage = 151;  // implausible: the whole reading is refused
  poll_.environment.sensor = {};
  if (dice_.chance(0.7)) poll_.environment.sensor = {perhaps(dice_.range(-50, 50), 0.2), perhaps(dice_.range(0, 100), 0.2)};
  if (disturbed_ && dice_.chance(0.02)) poll_.environment.sensor = {strange_number(), strange_number()};
  if (dice_.chance(0.1)) poll_.environment.ess = {1, dice_.whole(0, 12), dice_.whole(0, 100), dice_.whole(0, 100)};
}

void Script::move_switches() {
  auto& reading = poll_.reading;
  for (auto* fet : {&reading.charge_fet, &reading.discharge_fet}) {
    if (!dice_.chance(0.05)) continue;
    *fet = dice_.chance(0.6);
    if (dice_.chance(0.2)) fet->reset();
  }
  reading.heater.active = dice_.chance(0.2);
  for (auto& alarm : reading.alarms) {
    if (!dice_.chance(0.02)) continue;
    alarm = static_cast<AlarmLevel>(dice_.whole(0, 2));
    if (dice_.chance(0.2)) alarm.reset();
  }
  if (disturbed_ && dice_.chance(0.01)) reading.history[static_cast<HistoryValue>(dice_.whole(0, 17))] = dice_.range(0, 100);
}

void Script::move_limits() {
  if (!gives_limits_ || !dice_.chance(0.1)) return;
  auto& limits = poll_.reading.limits;
  limits.charge_current = perhaps(dice_.of<double>({100.0, 20.0, 0.0, 0.5, -3.0}), 0.2);
  limits.discharge_current = perhaps(dice_.of<double>({100.0, 20.0, 0.0, 0.5, -3.0}), 0.2);
  limits.charge_voltage = perhaps(cells_ * dice_.of<double>({3.4, 3.5, 3.6, 0.0, 3.3}), 0.3);
  limits.low_voltage = perhaps(cells_ * dice_.of<double>({2.8, 3.0, 3.45}), 0.3);
}

const Poll& Script::next() {
  move_time();
  if (good_left_ == 0 && failed_left_ == 0) {
    good_left_ = dice_.whole(1, 40);
    failed_left_ = disturbed_ ? dice_.of<int>({1, 1, 2, 5, 15}) : 0;
  }
  poll_.good = good_left_ > 0;
  (poll_.good ? good_left_ : failed_left_) -= 1;
  if (poll_.good) {
    move_measurements();
    move_cells();
    move_switches();
    move_limits();
  }
  poll_.user_soc.reset();
  poll_.cleared_history.reset();
  if (disturbed_ && dice_.chance(0.02)) poll_.user_soc = dice_.of<double>({0.0, 50.0, 100.0, 130.0, -5.0, kNaN});
  if (disturbed_ && dice_.chance(0.01)) poll_.cleared_history = dice_.whole(0, 8);
  return poll_;
}

bool taken(const Poll& poll) {
  return poll.good && implausible(poll.reading) == nullptr;
}

void live(Controller& controller, const Poll& poll) {
  if (poll.user_soc) controller.set_soc(*poll.user_soc);
  if (poll.cleared_history) controller.clear_history(*poll.cleared_history, poll.now);
  if (poll.good) {
    controller.good_poll(poll.reading, poll.environment, poll.now);
  } else {
    controller.failed_poll(poll.environment, poll.now);
  }
}

Before remember(const Controller& controller, const Now& now) {
  const auto& s = controller.state();
  Before before;
  before.cv = s.charge_voltage.voltage();
  before.ccl = s.charge_limit.limit();
  before.dcl = s.discharge_limit.limit();
  before.phase = s.charge_voltage.phase();
  before.in_error = s.charge_voltage.in_error();
  before.limited = s.charge_voltage.last_limited().has_value();
  before.vmax = s.charge_voltage.maximum();
  before.absorption_elapsed = s.charge_voltage.absorption_elapsed(now.mono);
  before.full_charges = s.charge_voltage.full_charges();
  before.now = now;
  return before;
}

void run_walk(const Walk& walk, Chemistry chemistry, const Observer& observe) {
  const Config& config = random_config(walk.seed, chemistry);
  Script script(walk.seed, config);
  control::Traits traits;
  traits.can_reset_soc = true;
  std::optional<Controller> controller;
  Now last;
  for (int i = 0; i < walk.polls; ++i) {
    const Poll& poll = script.next();
    traits.poll_interval = poll.interval;
    if (!controller) controller.emplace(config, traits, random_start(walk.seed));
    const Before before = remember(*controller, last);
    live(*controller, poll);
    observe(before, poll, *controller);
    last = poll.now;
  }
}

}  // namespace serialbattery::test
