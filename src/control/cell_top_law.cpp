// The law that holds the highest cell at its target. Its figures come from the closed-loop simulation (docs/charge-control.md).
#include "control/cell_top_law.hpp"

#include <algorithm>
#include <cmath>

#include "control/charge_law.hpp"
#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

// Time constants, s.
constexpr double kTopFilter = 3;
constexpr double kSpreadUp = 4, kSpreadDown = 300;
constexpr double kCurrentFilter = 60;
constexpr double kImbalanceFilter = 20;

// Distances from the target, V per cell.
constexpr double kActFrom = 0.020;     // the law begins to act this far below the target
constexpr double kRestAfter = 900;     // s below kSagBelow: it rests
constexpr double kFullWindow = 0.015;  // "at the top", for the full charge

// The trim: V per cell beyond which it moves, and the time constants with which it takes the rest away, s.
constexpr double kTrimDownFrom = 0.007, kTrimDownTime = 15;
constexpr double kTrimUpFrom = 0.0005, kTrimUpTime = 300;
constexpr double kTrimLowest = -0.3;                                    // V
constexpr double kTrimHighest = 0.04, kTrimPerAmpere = 0.003;           // V, Ohm: beyond the band only offset and cable
constexpr double kRegulatedWithin = 0.10, kRegulatedPerAmpere = 0.008;  // V, Ohm: nearer to CVL the charger is limited by it

// The band in which CVL stays, V per cell, and its pace.
constexpr double kBandUp = 0.010, kBandDown = 0.003;
constexpr double kRise = 0.005;      // V/s, pack
constexpr double kLongestStep = 5;   // s: a longer pause neither winds the trim up nor makes a jump
constexpr double kResolution = 100;  // 1/V: chargers hardly follow less than 10 mV
constexpr double kTiny = 1e-6;       // V, CV is rounded to 6 decimals

// Full charge.
constexpr double kTaperedBelow = 0.005, kQuietBelow = 0.020;  // current as a part of the capacity per hour
constexpr double kUnknownCapacity = 100;                      // Ah, cautious stand-in
constexpr double kTolerated = 150;                            // s: a cloud or a big load does not end the wait
constexpr double kChargeEnded = 300;                          // s below kSagBelow: longer than a kettle boils
constexpr double kCalmDifference = 0.75;                      // of the difference that would end float at once

// CCL, the second line: V per cell above the target.
constexpr double kCurrentFullUpTo = 0.015, kCurrentZeroAt = 0.060, kCurrentSteepest = 0.020;

double approach(double value, double towards, double elapsed, double time_constant) {
  return value + (1 - std::exp(-elapsed / time_constant)) * (towards - value);
}

double cells(const LawInputs& in) {
  return static_cast<double>(in.cells.size());
}

/// A current as a part of the capacity.
double rate(double amperes, const LawInputs& in) {
  const double capacity = in.capacity && *in.capacity > 0 ? *in.capacity : kUnknownCapacity;
  return std::abs(amperes) / capacity;
}

// Where the configured curve ends in 0, V per cell.
std::optional<double> end_of_curve(const Config& config) {
  const auto& volts = config.cell_voltages_while_charging;
  const auto& fractions = config.max_charge_current_cv_fraction;
  if (volts.empty() || fractions.size() != volts.size()) return std::nullopt;
  const bool ascending = volts.front() <= volts.back();
  if ((ascending ? fractions.back() : fractions.front()) != 0) return std::nullopt;
  return ascending ? volts.back() : volts.front();
}

}  // namespace

CellTopLaw::CellTopLaw(const Config& config)
    : wait_(config.switch_to_float_wait_for_sec),
      balanced_below_(config.switch_to_float_cell_voltage_diff + config.switch_to_float_cell_voltage_deviation),
      bulk_difference_(config.switch_to_bulk_cell_voltage_diff) {}

LawOutput CellTopLaw::evaluate(const LawInputs& in) {
  if (is_float(in.phase)) waited_enough_ = false;  // also when blind: each full charge takes a wait of its own
  if (!in.highest || !in.lowest || in.cells.empty()) {
    if (count_ == 0 || !in.cv) return {.wish = in.vmax};                                     // a BMS without cells: the ordinary machine
    return {.wish = std::min(*in.cv, in.vmax), .own_pace = true, .fullness = Fullness::no};  // blind: nothing rises
  }
  observe(in);
  watch_top(in);
  adjust_trim(in);
  move_level(in);
  return {.wish = given_, .own_pace = true, .fullness = judge_fullness(in)};
}

void CellTopLaw::observe(const LawInputs& in) {
  const double spread = *in.highest - in.sum / cells(in);
  const double difference = *in.highest - *in.lowest;
  elapsed_ = count_ == 0 ? 1.0 : std::max(seconds_between(seen_, in.now), 0.0);
  seen_ = in.now;
  if (count_ != in.cells.size()) {              // the first reading, or another pack
    level_ = given_ = in.cv.value_or(in.vmax);  // never up at once: a wrong number of cells must not raise anything
    count_ = in.cells.size();
    top_ = *in.highest;
    spread_ = spread;
    imbalance_ = difference;
    acting_ = waited_enough_ = false;
    trim_ = 0;
  } else if (held_down(in)) {
    level_ = *in.cv;  // somebody else lowered CV (float, outage, error, a lost cell): go on from there
  }
  const double amperes = in.current.value_or(0);
  regulated_ = in.sum > in.cv.value_or(in.vmax) - kRegulatedWithin - kRegulatedPerAmpere * amperes;
  top_ = approach(top_, *in.highest, elapsed_, kTopFilter);
  if (spread > spread_) {
    spread_ = approach(spread_, spread, elapsed_, kSpreadUp);
  } else if (regulated_ || *in.highest > in.target) {
    spread_ = approach(spread_, spread, elapsed_, kSpreadDown);  // below that, cells look more alike than they are
  }
  if (in.current) current_ = current_ ? approach(*current_, amperes, elapsed_, kCurrentFilter) : amperes;
  if (rate(amperes, in) < kQuietBelow) imbalance_ = approach(imbalance_, difference, elapsed_, kImbalanceFilter);
}

// CV is below what the law gave last.
bool CellTopLaw::held_down(const LawInputs& in) const {
  return in.cv && *in.cv < given_ - kTiny;
}

void CellTopLaw::watch_top(const LawInputs& in) {
  if (*in.highest >= in.target - kSagBelow) {
    sagged_for_ = 0;
    acting_ = acting_ || *in.highest > in.target - kActFrom;
    return;
  }
  sagged_for_ += elapsed_;
  if (sagged_for_ <= kRestAfter) return;
  acting_ = false;
  trim_ = std::min(trim_, kTrimHighest);
}

void CellTopLaw::adjust_trim(const LawInputs& in) {
  if (!acting_) return;
  const double step = std::min(elapsed_, kLongestStep);
  const double below = in.target - top_;
  // Across the whole band, or the level would stay at its lower end with the cell below its target.
  const double highest = kTrimHighest + kTrimPerAmpere * std::max(current_.value_or(0), 0.0) + cells(in) * kBandUp;
  const bool may_rise = regulated_ && in.sure && !held_down(in) && level_ < in.vmax && trim_ < highest;
  if (below < -kTrimDownFrom) {
    trim_ = std::max(trim_ + cells(in) * (below + kTrimDownFrom) / kTrimDownTime * step, kTrimLowest);
  } else if (below > kTrimUpFrom && may_rise) {
    trim_ = std::min(trim_ + cells(in) * (below - kTrimUpFrom) / kTrimUpTime * step, highest);
  }
}

double CellTopLaw::goal(const LawInputs& in) const {
  if (!acting_) return in.vmax;
  const double wanted = cells(in) * (in.target - spread_) + trim_;
  const double inside = std::clamp(level_, wanted - cells(in) * kBandUp, wanted + cells(in) * kBandDown);
  return std::min(inside, in.vmax);
}

void CellTopLaw::move_level(const LawInputs& in) {
  const double step = std::min(elapsed_, kLongestStep);
  level_ = std::min(goal(in), level_ + kRise * step);
  given_ = level_ >= in.vmax ? in.vmax : std::floor(level_ * kResolution + kTiny) / kResolution;
}

bool CellTopLaw::at_top(const LawInputs& in) const {
  const bool tapered = !current_ || rate(*current_, in) < kTaperedBelow;
  return in.sure && tapered && top_ >= in.target - kFullWindow;
}

bool CellTopLaw::balanced(const LawInputs& in) const {
  return imbalance_ <= balanced_below_ && *in.highest - *in.lowest <= bulk_difference_;
}

// A balanced pack is full once it has waited at the top. Any other stays there for its balancer, until the charge ends (the sun is gone)
// or for kPatience.
Fullness CellTopLaw::judge_fullness(const LawInputs& in) {
  const double waited = in.waited.value_or(0);
  if (at_top(in)) {
    lapse_ = 0;
    waited_enough_ = waited_enough_ || waited > wait_;
    if (waited > wait_ && (balanced(in) || waited > kPatience)) return Fullness::full;
    return Fullness::waiting;
  }
  lapse_ += elapsed_;
  const bool calm = *in.highest - *in.lowest < kCalmDifference * bulk_difference_;
  if (waited_enough_ && in.sure && sagged_for_ > kChargeEnded && calm) return Fullness::full;
  return in.waited && lapse_ <= kTolerated ? Fullness::waiting : Fullness::no;
}

double CellTopLaw::charge_fraction(const Config& config, double target, double highest) {
  const double zero = std::min(target + kCurrentZeroAt, end_of_curve(config).value_or(target + kCurrentZeroAt));
  const double full = std::min(target + kCurrentFullUpTo, zero - kCurrentSteepest);
  return std::clamp((zero - highest) / (zero - full), 0.0, 1.0);
}

}  // namespace serialbattery::control
