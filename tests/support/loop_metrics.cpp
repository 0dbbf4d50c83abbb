#include "support/loop_metrics.hpp"

#include <algorithm>

namespace serialbattery::loop {
namespace {

constexpr double balanced_below = 0.5;  // % of the capacity

}  // namespace

void TurnCounter::add(double value) {
  if (!started_) {
    started_ = true;
    low_ = high_ = value;
  }
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
  if (direction_ != Direction::down && value < high_ - threshold_) {
    turns_ += direction_ == Direction::up;
    direction_ = Direction::down;
    low_ = value;
  } else if (direction_ != Direction::up && value > low_ + threshold_) {
    turns_ += direction_ == Direction::down;
    direction_ = Direction::up;
    high_ = value;
  }
}

void Scorer::begin_day() {
  metrics_.energy += day_best_;
  ++metrics_.days;
  day_best_ = 0;
  float_today_ = reached_98_5_ = false;
  reached_95_ = -1;
}

void Scorer::step(const Pack& pack, double current, double dt) {
  elapsed_ += dt;
  metrics_.highest_cell = std::max(metrics_.highest_cell, pack.highest());
  if (pack.highest() > 3.50) metrics_.seconds_above_3_50 += dt;
  if (pack.highest() > 3.55) metrics_.seconds_above_3_55 += dt;
  if (current > 0) metrics_.charging_hours += dt / 3600;
  if (elapsed_ >= next_look_at_spread_) {
    next_look_at_spread_ += 600;
    if (metrics_.balanced_after.count == 0 && pack.spread() < balanced_below) metrics_.balanced_after.add(elapsed_ / 86400);
  }
  const EnergyAccount& account = pack.energy();
  day_best_ = std::max(day_best_, account.terminal - account.ohmic - account.polarisation - account.balancer);
  const double soc = pack.mean_soc();
  if (reached_95_ < 0 && soc >= 95) reached_95_ = elapsed_;
  if (!reached_98_5_ && reached_95_ >= 0 && soc >= 98.5) {
    reached_98_5_ = true;
    metrics_.minutes_to_98_5.add((elapsed_ - reached_95_) / 60);
  }
}

void Scorer::poll(const Limits& limits, std::string_view mode) {
  cvl_.add(limits.cvl);
  ccl_.add(limits.ccl);
  const bool now_float = mode.starts_with("Float");
  if (now_float && !in_float_ && !float_today_) {
    float_today_ = true;
    ++metrics_.float_days;
    if (reached_95_ >= 0) metrics_.minutes_to_float.add((elapsed_ - reached_95_) / 60);
  }
  in_float_ = now_float;
}

Metrics Scorer::finish(const Pack& pack, int trips) {
  metrics_.energy += day_best_;
  day_best_ = 0;
  metrics_.cvl_turns = cvl_.turns();
  metrics_.ccl_turns = ccl_.turns();
  metrics_.trips = trips;
  metrics_.spread = pack.spread();
  return metrics_;
}

}  // namespace serialbattery::loop
