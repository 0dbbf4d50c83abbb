// The charge voltage: pack limits, the machine of bulk, absorption and float, and the caps.
#include "control/charge_voltage.hpp"

#include <algorithm>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kSag = 0.5;                  // V: absorption ends when the pack sags by more
constexpr std::int64_t kRestoredSlack = 300;  // s by which a stored start may be older than the wait
constexpr double kSecondsPerDay = 86400;

constexpr std::string_view kErrorText = "Error, please check the logs!";
constexpr std::string_view kConstantText = "Keep always max voltage";

}  // namespace

double pack_voltage(double per_cell, unsigned count) {
  return round_to(per_cell * static_cast<double>(count), 2);
}

ChargeVoltage::ChargeVoltage(const Config& config, const Restored& restored)
    : law_(make_charge_law(config)),
      allow_max_(restored.allow_max),
      restored_start_(restored.absorption_start),
      last_reset_(restored.last_reset) {
  text_.reserve(kLongestText);
}

double ChargeVoltage::published(const Config& config) const {
  return cv_ ? round_to(*cv_ + config.voltage_drop, 2) : 0;
}

std::optional<double> ChargeVoltage::absorption_elapsed(TimePoint now) const {
  if (!wait_) return std::nullopt;
  return seconds_between(*wait_, now);
}

std::optional<std::int64_t> ChargeVoltage::absorption_start() const {
  if (wait_) return wait_wall_;
  return restored_start_;
}

bool soc_reset_enabled(const Config& config) {
  return config.soc_reset_after_days.value_or(0) > 0 && config.cvcm_enable;
}

double soc_reset_cell_voltage(const Config& config) {
  return std::max(config.soc_reset_cell_voltage, config.max_cell_voltage);
}

double ChargeVoltage::highest_allowed_cell(const Config& config) const {
  return reset_requested_ ? soc_reset_cell_voltage(config) : config.max_cell_voltage;
}

bool ChargeVoltage::stated_maximum_in_use(const Config& config, const ChargeVoltageInputs& in) const {
  return config.use_bms_dvcc_values && in.stated_charge_voltage;
}

// --- 4.1, 4.6: pack limits ---------------------------------------------------------------------------------------------------------

void ChargeVoltage::update_reset_request(const Config& config, const ChargeVoltageInputs& in, const Now& now) {
  if (reset_requested_ || !soc_reset_enabled(config) || stated_maximum_in_use(config, in)) return;
  const double age_days = static_cast<double>(now.wall - last_reset_) / kSecondsPerDay;
  if (last_reset_ != 0 && age_days <= *config.soc_reset_after_days) return;
  reset_requested_ = true;
  stop_wait();  // the wait begins again at the higher voltage; a stored start is judged against it later
}

void ChargeVoltage::update_pack_limits(const Config& config, const ChargeVoltageInputs& in, const Now& now) {
  const unsigned count = in.cells.count();
  update_reset_request(config, in, now);
  vmin_ = config.use_bms_dvcc_values && in.stated_low_voltage ? *in.stated_low_voltage : pack_voltage(config.min_cell_voltage, count);
  if (stated_maximum_in_use(config, in)) {
    vmax_ = *in.stated_charge_voltage;
  } else {
    vmax_ = pack_voltage(highest_allowed_cell(config), count);
  }
  if (in.cells.count_changed() && cv_) {  // what was right for another pack must not outlive it
    cv_ = std::min(*cv_, vmax_);
    transition_from_ = std::min(transition_from_, vmax_);
  }
}

// --- 4.2: inputs ---------------------------------------------------------------------------------------------------------------------

// False: nothing to work with, an error poll.
bool ChargeVoltage::read_inputs(Pass& pass) const {
  const Cells& cells = pass.in.cells;
  if (pass.count == 0) return false;
  if (cells.known() > 0) {
    pass.sum = *cells.sum();
    pass.highest = cells.control_highest();
    pass.lowest = cells.control_lowest();
    pass.sure = cells.complete();
  } else {
    if (cells.given() || cells.known_before() || !pass.in.pack_voltage) return false;
    pass.sum = round_to(*pass.in.pack_voltage, 6);
    if (cells.extremes_stated()) {
      pass.highest = cells.control_highest();
      pass.lowest = cells.control_lowest();
    }
    pass.sure = true;
  }
  if (pass.highest && pass.lowest) pass.difference = round_to(*pass.highest - *pass.lowest, 6);
  pass.sure = pass.sure && vmax_ > vmin_;
  return true;
}

// --- 4.3: the machine ----------------------------------------------------------------------------------------------------------------

void ChargeVoltage::start_wait(const Now& now) {
  wait_ = now.mono;
  wait_wall_ = now.wall;
}

void ChargeVoltage::stop_wait() {
  wait_.reset();
}

void ChargeVoltage::check_restored_start(const Pass& pass) {
  if (!restored_start_) return;
  const std::int64_t stored = *restored_start_;
  restored_start_.reset();
  const std::int64_t age = pass.now.wall - stored;
  const Config& c = pass.config;
  const bool by_law = judges_fullness(law_) && pass.highest;
  const int longest = by_law ? CellTopLaw::kPatience : c.switch_to_float_wait_for_sec;
  const bool believable = age >= 0 && age <= longest + kRestoredSlack;
  const bool high_and_even = pass.sum >= round_to(vmax_ - kSag, 6) &&
                             pass.difference <= round_to(c.switch_to_float_cell_voltage_diff + c.switch_to_float_cell_voltage_deviation, 6);
  const bool still_full = by_law ? *pass.highest >= pass.target - CellTopLaw::kSagBelow : high_and_even;
  if (!allow_max_ || !believable || !still_full) return;
  wait_ = pass.now.mono - std::chrono::seconds(age);
  wait_wall_ = stored;
}

void ChargeVoltage::decide_without_wait(const Pass& pass) {
  const Config& c = pass.config;
  if (allow_max_ && vmax_ <= pass.sum && pass.difference <= c.switch_to_float_cell_voltage_diff && pass.sure) {
    start_wait(pass.now);
    return;
  }
  const bool empty = pass.in.soc && *pass.in.soc < c.switch_to_bulk_soc_threshold;
  if (!allow_max_ && (empty || pass.difference >= c.switch_to_bulk_cell_voltage_diff || reset_requested_)) allow_max_ = true;
}

void ChargeVoltage::begin_float(Pass& pass) {
  allow_max_ = false;
  stop_wait();
  if (pass.in.soc && *pass.in.soc <= pass.config.switch_to_bulk_soc_threshold) pass.outcome.soc_contradicts = true;
}

void ChargeVoltage::decide_during_wait(Pass& pass) {
  const Config& c = pass.config;
  if (pass.difference > round_to(c.switch_to_float_cell_voltage_diff + c.switch_to_float_cell_voltage_deviation, 6)) start_wait(pass.now);
  if (seconds_between(*wait_, pass.now.mono) > c.switch_to_float_wait_for_sec) begin_float(pass);
  if (pass.sum < round_to(vmax_ - kSag, 6) || !pass.sure) stop_wait();
}

void ChargeVoltage::decide_by_law(Pass& pass, Fullness fullness) {
  if (fullness == Fullness::full && pass.sure) {
    begin_float(pass);
  } else if (fullness == Fullness::no) {
    stop_wait();
  } else if (!wait_) {
    start_wait(pass.now);
  }
}

void ChargeVoltage::run_machine(Pass& pass, const std::optional<Fullness>& fullness) {
  if (fullness && allow_max_) {
    decide_by_law(pass, *fullness);
  } else if (wait_) {
    decide_during_wait(pass);
  } else {
    decide_without_wait(pass);
  }
}

// --- one poll ------------------------------------------------------------------------------------------------------------------------

ChargeVoltage::Outcome ChargeVoltage::evaluate(const Config& config, const ChargeVoltageInputs& in, const Now& now) {
  Pass pass{.config = config, .in = in, .now = now};
  pass.count = in.cells.count();
  pass.before = cv_;
  const double elapsed = evaluated_ ? seconds_between(*evaluated_, now.mono) : 1.0;
  evaluated_ = now.mono;
  update_pack_limits(config, in, now);

  if (!config.cvcm_enable) {
    cv_ = round_to(vmax_, 2);
    phase_ = ChargePhase::constant;
    in_error_ = false;
    wish_ = vmax_;
    text_.assign(kConstantText);
    return pass.outcome;
  }
  const bool usable = read_inputs(pass);
  if (!usable) {
    enter_error(config, pass.count);
    pass.outcome.error = true;
  } else {
    in_error_ = false;
    sum_ = pass.sum;
    difference_ = pass.difference;
    const bool stated = stated_maximum_in_use(config, in);
    pass.target = highest_allowed_cell(config);
    pass.float_voltage = pack_voltage(config.float_cell_voltage, pass.count);
    if (stated) pass.float_voltage = std::min(pass.float_voltage, vmax_);
    check_restored_start(pass);
    const LawOutput law = control::evaluate(law_, LawInputs{.cells = in.cells.cells(),
                                                            .highest = pass.highest,
                                                            .lowest = pass.lowest,
                                                            .sum = pass.sum,
                                                            .target = pass.target,
                                                            .float_voltage = pass.float_voltage,
                                                            .vmin = vmin_,
                                                            .vmax = vmax_,
                                                            .cv = cv_,
                                                            .published = published(config),
                                                            .current = in.current,
                                                            .capacity = in.capacity,
                                                            .elapsed = elapsed,
                                                            .waited = absorption_elapsed(now.mono),
                                                            .phase = phase_,
                                                            .sure = pass.sure,
                                                            .now = now.mono});
    run_machine(pass, law.fullness);
    if (allow_max_) {
      run_bulk(pass, law);
    } else {
      run_float(pass, law);
    }
    hold_while_lost(pass);
  }
  if (stated_maximum_in_use(config, in)) cv_ = std::min(*cv_, vmax_);
  return pass.outcome;
}

// --- 4.7 to 4.10, 9.2: nothing rises on missing data -----------------------------------------------------------------------------------

void ChargeVoltage::hold_while_lost(const Pass& pass) {
  if (!pass.in.cells.lost()) {
    sighted_ = pass.now.mono;
    return;
  }
  if (!pass.before || *cv_ <= *pass.before) return;
  cv_ = pass.before;
  if (stepped_) stepped_ = pass.now.mono;
  if (phase_ == ChargePhase::float_voltage) {
    phase_ = ChargePhase::float_transition;
    write_float_text(pass.config);
  }
}

bool ChargeVoltage::blind_gap(const Pass& pass) const {
  return sighted_ && seconds_between(*sighted_, pass.now.mono) > pass.in.gap_limit;
}

void ChargeVoltage::enter_error(const Config& config, unsigned cell_count) {
  const double float_voltage = pack_voltage(config.float_cell_voltage, cell_count);
  cv_ = cv_ ? std::min(*cv_, float_voltage) : float_voltage;
  in_error_ = true;
  text_.assign(kErrorText);
}

void ChargeVoltage::cap_to_pack_voltage(const Config& config, const ChargeVoltageInputs& in) {
  if (!cv_) return;
  const double cap = in.pack_voltage ? round_to(*in.pack_voltage, 2) : pack_voltage(config.float_cell_voltage, in.cells.count());
  cv_ = std::min(*cv_, cap);
}

void ChargeVoltage::cap_offline(const Config& config, unsigned cell_count) {
  if (!cv_) return;
  double per_cell = config.float_cell_voltage;
  if (!config.block_on_disconnect) per_cell = std::min(per_cell, config.block_on_disconnect_voltage_max);
  cv_ = std::min(*cv_, pack_voltage(per_cell, cell_count));
}

}  // namespace serialbattery::control
