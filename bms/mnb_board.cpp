// The decisions of the MNB board.
#include "bms/mnb_board.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

namespace serialbattery::mnb {

namespace {

struct Extremes {
  double low;
  double high;
  [[nodiscard]] double spread() const { return high - low; }
};

struct Line {
  unsigned pin;  // Broadcom's number
  bool Outputs::*state;
};
constexpr Line contactors[] = {{2, &Outputs::charge}, {3, &Outputs::load}};
constexpr Line helpers[] = {{4, &Outputs::generator}, {17, &Outputs::fan}};

// A measurement has all cells, or it was refused.
Extremes extremes(const Battery& measured) {
  const auto [low, high] = std::ranges::minmax_element(measured.cells, {}, &Cell::voltage);
  return {low->voltage.value_or(0), high->voltage.value_or(0)};
}

/// On above `on`, off below `off` (or the other way round when `on` is the lower one); between them as before.
bool switched(bool before, double value, double on, double off) {
  const bool rising = on > off;
  if (rising ? value > on : value < on) return true;
  if (rising ? value < off : value > off) return false;
  return before;
}

}  // namespace

Outputs decide(const Outputs& now, const Battery& measured, const CellLimits& limits) {
  const Extremes cells = extremes(measured);
  const double soc = measured.soc.value_or(0);
  Outputs next;
  next.charge = switched(now.charge, cells.high, limits.max - 0.15, limits.max - 0.05);
  next.load = switched(now.load, cells.low, limits.min + 0.15, limits.min + 0.05);
  const bool shed = cells.low < limits.min + 0.05;
  next.generator = shed || switched(now.generator, soc, 20, 35);
  const auto& die = measured.temperatures[sensor_count / 2];
  next.fan = die ? switched(now.fan, *die, 45, 40) : now.fan;
  return next;
}

void Switchboard::take() {
  if (!host_) return;
  for (const Line& line : contactors) wanted_.*line.state = host_->take_pin(line.pin);
  for (const Line& line : helpers) {
    host_->take_pin(line.pin);
    host_->set_pin(line.pin, false);
  }
}

void Switchboard::set(const Outputs& wanted) {
  if (!host_) return;
  for (const Line& line : contactors) host_->set_pin(line.pin, wanted.*line.state);
  for (const Line& line : helpers) host_->set_pin(line.pin, wanted.*line.state);
  wanted_ = wanted;
  forced_off_ = false;
}

bool Switchboard::force_off(const std::string& port) noexcept {
  if (!host_ || std::exchange(forced_off_, true)) return false;
  for (const Line& line : contactors) {
    try {
      host_->set_pin(line.pin, false);
    } catch (const std::exception& error) {
      forced_off_ = false;  // it is tried again
      spdlog::error("{}: MNB: {}", port, error.what());
    }
  }
  return forced_off_;
}

bool BalancePlan::any() const {
  return std::ranges::any_of(timers, [](std::uint16_t timer) { return timer > 0; });
}

bool wants_balancing(const Battery& measured, bool supply_fault) {
  const Extremes cells = extremes(measured);
  const bool while_charging = cells.spread() > 0.015 && measured.current > 1.0 && !supply_fault;
  return while_charging || cells.high > 3.45;
}

BalancePlan plan_balancing(const Battery& measured) {
  constexpr double lowest_balanced = 3.35;  // V
  constexpr double longest = 15;
  const Extremes cells = extremes(measured);
  BalancePlan plan;
  if (cells.spread() <= 0) return plan;
  for (std::size_t i = 0; i < cell_count; ++i) {
    const double volts = measured.cells[i].voltage.value_or(0);
    if (volts > lowest_balanced) plan.timers[i] = static_cast<std::uint16_t>((volts - cells.low) / cells.spread() * longest);
  }
  plan.duty = static_cast<std::uint16_t>(std::clamp(std::trunc((cells.spread() - 0.01) * 500), 0.0, longest));
  return plan;
}

ChargeCounter::ChargeCounter(double capacity, double start)
    : capacity_(capacity), charge_(capacity * std::clamp(start, 0.0, 100.0) / 100) {}

void ChargeCounter::count(const Battery& measured, const CellLimits& limits, TimePoint now) {
  constexpr double longest_gap = 60;  // s; nobody knows what flowed meanwhile
  const double seconds = counted_ ? std::chrono::duration<double>(now - *counted_).count() : 0;
  counted_ = now;
  if (seconds <= longest_gap) charge_ = std::clamp(charge_ + measured.current.value_or(0) * seconds / 3600, 0.0, capacity_);
  const Extremes cells = extremes(measured);
  if (cells.high > limits.max - 0.05) {
    charge_ = capacity_;
  } else if (cells.low < limits.min + 0.05) {
    charge_ = 0;
  }
}

}  // namespace serialbattery::mnb
