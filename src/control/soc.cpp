// The state of charge in use.
#include "control/soc.hpp"

#include <algorithm>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kZeroAfter = 60;  // s of discharge with a cell at the minimum

}  // namespace

StateOfCharge::StateOfCharge(const Config& config, std::optional<double> restored) {
  if (config.soc_calculation) value_ = counted_ = finite(restored);
}

void StateOfCharge::evaluate(const Config& config, const SocInputs& in, TimePoint now) {
  const auto external = finite(in.external);
  external_ = external.has_value();
  if (external) {
    value_ = counted_ = round_to(*external, 3);
    charge_.reset();
  } else if (config.soc_calculation) {
    count(config, in, now);
  } else {
    value_ = in.stated;
  }
  ever_known_ = ever_known_ || value_;
}

void StateOfCharge::count(const Config& config, const SocInputs& in, TimePoint now) {
  if (!in.current) return;
  if (!in.capacity || *in.capacity == 0) {
    value_ = in.stated;
    return;
  }
  const double capacity = *in.capacity;
  if (!charge_) {
    const double start = stored().value_or(in.stated.value_or(100));
    charge_ = std::clamp(capacity * std::max(start, 0.0) / 100, 0.0, capacity);
    charge_time_ = now;
  } else {
    charge_ = std::clamp(*charge_ + *in.current * seconds_between(charge_time_, now) / 3600, 0.0, capacity);
    charge_time_ = now;
    apply_zero_rule(config, in, now);
  }
  value_ = counted_ = round_to(std::clamp(*charge_ / capacity * 100, 0.0, 100.0), 3);
}

void StateOfCharge::apply_zero_rule(const Config& config, const SocInputs& in, TimePoint now) {
  if (!in.lowest) return;
  if (*in.lowest > config.min_cell_voltage) {
    zero_timer_.reset();
  } else if (*in.current < 0 && zero_timer_) {
    if (seconds_between(*zero_timer_, now) > kZeroAfter && value_ && round_to(*value_, 0) != 0) {
      charge_ = 0;
      zero_timer_.reset();
    }
  } else {
    zero_timer_ = now;
  }
}

void StateOfCharge::set(double percent) {
  if (!std::isfinite(percent)) return;
  value_ = counted_ = std::clamp(percent, 0.0, 100.0);
  charge_.reset();
}

void StateOfCharge::set_full(const Config& config, std::optional<double> capacity, TimePoint now) {
  if (!config.soc_calculation || external_ || !capacity || *capacity <= 0) return;
  charge_ = *capacity;
  counted_ = 100;
  charge_time_ = now;
  zero_timer_.reset();
}

}  // namespace serialbattery::control
