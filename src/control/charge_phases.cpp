// The charge voltage within its phases: how CV follows the law in bulk and absorption, and how it goes down to float.
#include <algorithm>

#include "control/charge_voltage.hpp"
#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kTransitionRate = 0.001;  // V/s for the whole pack, from absorption down to float

void append_ending(std::string& text, const Config& config) {
  text.append(config.charge_mode == 2 ? " \u2502 Step Mode" : " \u2502 Linear Mode");
}

}  // namespace

// --- 4.4: bulk and absorption ----------------------------------------------------------------------------------------------------------

// The table "Follow": a fall is immediate, a rise waits and then ramps.
ChargeVoltage::Limiting ChargeVoltage::follow(const Pass& pass, double wish) {
  const TimePoint now = pass.now.mono;
  if (wish >= vmax_ && !limited_) {
    cv_ = round_to(vmax_, 6);
    return Limiting::no;
  }
  if (!cv_ || wish <= *cv_) {
    cv_ = round_to(wish, 6);
    limited_ = now;
    stepped_.reset();
    return Limiting::held;
  }
  if (!limited_ || blind_gap(pass)) limited_ = now;
  const double limited_for = seconds_between(*limited_, now);
  const double hold = pass.config.cvl_recovery_hold_sec;
  if (limited_for < hold) {
    cv_ = round_to(*cv_, 6);
    stepped_.reset();
    return Limiting::held;
  }
  const double rate = pass.config.cvl_recovery_rate_v_per_sec;
  if (rate <= 0) {
    cv_ = wish;
  } else {
    const double step = rate * (stepped_ ? seconds_between(*stepped_, now) : limited_for - hold);
    cv_ = std::min({*cv_ + step, wish, vmax_});
    stepped_ = now;
  }
  cv_ = round_to(*cv_, 6);
  if (*cv_ >= vmax_) {
    limited_.reset();
    stepped_.reset();
  }
  return Limiting::recovering;
}

// K: what the law allows, within the limits of the pack.
double ChargeVoltage::bounded_wish(const LawOutput& law) const {
  return round_to(std::min(std::max(law.wish, std::min(vmin_, vmax_)), vmax_), 6);
}

void ChargeVoltage::run_bulk(const Pass& pass, const LawOutput& law) {
  const double wish = bounded_wish(law);
  wish_ = wish;
  Limiting limiting = Limiting::no;
  if (law.own_pace) {
    cv_ = wish;
    limited_.reset();
    stepped_.reset();
    limiting = wish < vmax_ ? Limiting::held : Limiting::no;
  } else {
    limiting = follow(pass, wish);
  }
  phase_ = wait_ ? ChargePhase::absorption : ChargePhase::bulk;
  write_bulk_text(pass, limiting);
}

void ChargeVoltage::write_bulk_text(const Pass& pass, Limiting limiting) {
  const Config& c = pass.config;
  text_.assign(phase_ == ChargePhase::absorption ? "Absorption" : "Bulk");
  if (limiting == Limiting::held) text_.append(" (Cell OVP)");
  if (limiting == Limiting::recovering) text_.append(" (Cell OVP*)");
  if (soc_reset_enabled(c) && vmax_ == pack_voltage(soc_reset_cell_voltage(c), pass.count)) text_.append(" & SoC Reset");
  if (pass.in.cells.balancing()) text_.append(" + Balancing");
  if (pass.in.heating) text_.append(" + Heating");
  append_ending(text_, c);
}

// --- 4.5: float ------------------------------------------------------------------------------------------------------------------------

bool ChargeVoltage::cell_over(const Pass& pass) const {
  return pass.config.cvl_controller_mode != 0 && pass.highest && *pass.highest > pass.config.max_cell_voltage;
}

void ChargeVoltage::run_float(Pass& pass, const LawOutput& law) {
  if (reset_requested_) {
    reset_requested_ = false;
    last_reset_ = pass.now.wall;
  }
  const double target = pass.float_voltage;
  if (!cv_ || *cv_ == 0) {
    cv_ = target;
    phase_ = ChargePhase::float_voltage;
  } else if (phase_ == ChargePhase::bulk || phase_ == ChargePhase::absorption) {
    transition_from_ = *cv_;
    transition_start_ = pass.now.mono;
    phase_ = ChargePhase::float_transition;
    pass.outcome.full_charge = true;
    ++full_charges_;
  } else if (phase_ == ChargePhase::float_transition) {
    continue_transition(pass);
  } else {
    const bool may_rise = !cell_over(pass) && !pass.in.cells.lost();
    if (*cv_ > target || may_rise) cv_ = target;
    phase_ = ChargePhase::float_voltage;
  }
  if (law.own_pace) cv_ = std::min(*cv_, bounded_wish(law));
  write_float_text(pass.config);
}

void ChargeVoltage::continue_transition(const Pass& pass) {
  const double target = pass.float_voltage;
  if (transition_from_ >= target) {
    const double fallen = kTransitionRate * seconds_between(transition_start_, pass.now.mono);
    const double due = transition_from_ - std::min(fallen, transition_from_ - target);
    cv_ = std::max(std::min(due, *cv_), target);
    if (*cv_ > target) return;
  } else if (cell_over(pass)) {
    return;  // float was entered with CV held down by the law: no rise while a cell is over
  }
  cv_ = target;
  phase_ = ChargePhase::float_voltage;
}

void ChargeVoltage::write_float_text(const Config& config) {
  text_.assign(phase_ == ChargePhase::float_transition ? "Float Transition" : "Float");
  append_ending(text_, config);
}

}  // namespace serialbattery::control
