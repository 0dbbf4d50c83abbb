// Charge and discharge current limit.
#include "control/current_limit.hpp"

#include <algorithm>
#include <array>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr std::size_t kCauses = static_cast<std::size_t>(LimitCause::count);
// The words that the GUI pages look for, dbus-interface.md 11.12. The first one is the direction's own.
constexpr std::array<std::string_view, kCauses> kLabels{"", "BMS Settings", "Cell Voltage", "Temp", "MOSFET", "SoC", "BMS"};
constexpr std::string_view kConfigError = "Config error";

constexpr std::uint32_t bit(LimitCause cause) {
  return 1U << static_cast<unsigned>(cause);
}

bool input_lost(const LimitRules& rules, const LimitInputs& inputs) {
  return inputs.cells_lost || (rules.temperature.enabled && inputs.temperatures_lost) || (rules.mosfet.enabled && inputs.mosfet_lost) ||
         (rules.soc.enabled && inputs.soc_lost);
}

// The limit that all others are compared with: what the BMS states, if that is less than the configured maximum.
double ceiling(const LimitRules& rules, const LimitInputs& inputs) {
  return inputs.stated && *inputs.stated < rules.maximum ? *inputs.stated : rules.maximum;
}

}  // namespace

LimitTarget limit_target(const LimitRules& rules, const LimitInputs& inputs) {
  if (rules.blocked) return {0, 0, true};
  std::array<std::optional<double>, kCauses> candidates{};
  const auto candidate = [&candidates](LimitCause cause) -> std::optional<double>& { return candidates[static_cast<std::size_t>(cause)]; };
  const double unlimited = inputs.stated.value_or(rules.maximum);
  const auto at = [&rules](const LimitCurve& curve, double x) { return curve.curve.at(x, rules.step_mode ? curve.step : Between::linear); };
  const auto add = [&](LimitCause cause, double amperes) {
    if (amperes != unlimited) candidate(cause) = amperes;
  };

  candidate(LimitCause::maximum) = rules.maximum;
  if (inputs.stated && *inputs.stated < rules.maximum) candidate(LimitCause::stated) = inputs.stated;
  if (inputs.cell_fraction) {
    add(LimitCause::cell, rules.maximum * *inputs.cell_fraction);
  } else if (rules.cell.enabled && inputs.cell) {
    add(LimitCause::cell, at(rules.cell, *inputs.cell));
  }
  if (rules.temperature.enabled && inputs.coldest && inputs.hottest) {
    add(LimitCause::temperature, std::min(at(rules.temperature, *inputs.hottest), at(rules.temperature, *inputs.coldest)));
  }
  if (rules.mosfet.enabled && inputs.mosfet) add(LimitCause::mosfet, at(rules.mosfet, *inputs.mosfet));
  if (rules.soc.enabled && inputs.soc) add(LimitCause::soc, at(rules.soc, *inputs.soc));
  if (inputs.fet == false) candidate(LimitCause::fet) = 0;

  double smallest = rules.maximum;
  for (const auto& value : candidates) smallest = value ? std::min(smallest, *value) : smallest;
  LimitTarget target;
  target.amperes = round_to(std::max(smallest, 0.0), 3);
  for (std::size_t i = 0; i < kCauses; ++i) {
    if (candidates[i] && *candidates[i] == smallest) target.causes |= 1U << i;
  }
  if ((target.causes & bit(LimitCause::maximum)) != 0) target.causes &= bit(LimitCause::maximum) | bit(LimitCause::fet);
  return target;
}

void CurrentLimiter::cancel_recovery() {
  hold_.reset();
  ramp_.reset();
}

void CurrentLimiter::block(std::string_view text) {
  limit_ = 0;
  text_.assign(text);
  cancel_recovery();
}

void CurrentLimiter::write_text(const LimitRules& rules, Mark mark) {
  text_.clear();
  if (target_.blocked) text_.append(kConfigError);
  for (std::size_t i = 0; i < kCauses; ++i) {
    if ((target_.causes & (1U << i)) == 0) continue;
    if (!text_.empty()) text_.append(", ");
    text_.append(i == 0 ? rules.maximum_label : kLabels[i]);
  }
  if (mark == Mark::held) text_.append(" *");
}

void CurrentLimiter::evaluate(const LimitRules& rules, const LimitInputs& inputs, double gap_limit, TimePoint now) {
  target_ = limit_target(rules, inputs);
  evaluated_ = now;
  if (!limit_ || target_.amperes < *limit_) {
    limit_ = target_.amperes;
    cancel_recovery();
    write_text(rules, Mark::none);
    text_time_ = now;
  } else if (target_.amperes == *limit_) {
    keep(rules, now);
  } else {
    recover(rules, inputs, gap_limit, now);
    text_time_ = now;
  }
  if (!input_lost(rules, inputs)) sighted_ = now;
}

// Target and limit are equal: only the text may need a refresh.
void CurrentLimiter::keep(const LimitRules& rules, TimePoint now) {
  cancel_recovery();
  const bool old = !text_time_ || seconds_between(*text_time_, now) >= rules.text_refresh_every;
  if (*limit_ != 0 && !old) return;
  write_text(rules, Mark::none);
  text_time_ = now;
}

void CurrentLimiter::recover(const LimitRules& rules, const LimitInputs& inputs, double gap_limit, TimePoint now) {
  if (input_lost(rules, inputs)) {
    ramp_.reset();  // a hold goes on: a short loss costs no time
    write_text(rules, Mark::held);
    return;
  }
  if (!sighted_ || seconds_between(*sighted_, now) > gap_limit) cancel_recovery();
  if (*limit_ == 0 && target_.amperes < rules.recovery_threshold * ceiling(rules, inputs)) {
    cancel_recovery();
    write_text(rules, Mark::held);
    return;
  }
  if (!hold_) hold_ = now;
  if (seconds_between(*hold_, now) < rules.hold) {
    ramp_.reset();
    write_text(rules, Mark::held);
    return;
  }
  if (rules.rate <= 0) {
    limit_ = target_.amperes;
  } else {
    if (!ramp_) {
      ramp_ = now;
      ramp_from_ = *limit_;
    }
    limit_ = round_to(std::min(target_.amperes, ramp_from_ + rules.rate * seconds_between(*ramp_, now)), 3);
  }
  write_text(rules, Mark::none);
  if (*limit_ == target_.amperes) cancel_recovery();
}

}  // namespace serialbattery::control
