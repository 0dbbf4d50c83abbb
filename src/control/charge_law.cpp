// The over-voltage laws of CVL_CONTROLLER_MODE 0 to 3; mode 4 has a file of its own.
#include "control/charge_law.hpp"

#include <algorithm>

namespace serialbattery::control {
namespace {

constexpr double kLongestStep = 5.0;      // s: a longer pause does not wind the integrator up
constexpr double kClippedMargin = 0.010;  // V

// A cell that takes part: 0 V is a wire that came off, not a cell.
bool takes_part(const Cell& cell) {
  return cell.voltage && *cell.voltage != 0;
}

bool any_cell(const LawInputs& in) {
  return std::any_of(in.cells.begin(), in.cells.end(), takes_part);
}

bool above_target(const LawInputs& in) {
  return in.highest && *in.highest > in.target;
}

// The BMS states a highest cell that none of the single cells confirms: modes 1 and 3 compute from the cells alone.
bool only_stated(const LawInputs& in) {
  return any_cell(in) &&
         std::none_of(in.cells.begin(), in.cells.end(), [&in](const Cell& c) { return c.voltage && *c.voltage > in.target; });
}

}  // namespace

LawOutput NoLaw::evaluate(const LawInputs& in) const {
  return {.wish = in.vmax};
}

LawOutput PenaltySum::evaluate(const LawInputs& in) const {
  if (!above_target(in) || only_stated(in)) return {.wish = in.vmax};
  double penalty = 0;
  for (const auto& cell : in.cells) {
    if (takes_part(cell)) penalty += std::max(*cell.voltage - in.target, 0.0);
  }
  if (!any_cell(in)) penalty = *in.highest - in.target;
  return {.wish = std::min(std::max(in.sum - penalty, in.vmin), in.vmax)};
}

LawOutput Integrator::evaluate(const LawInputs& in) const {
  if (!in.highest || !in.cv) return {.wish = in.vmax};
  const double excess = *in.highest - in.target - offset;
  const double wish = *in.cv - excess * gain * std::clamp(in.elapsed, 0.0, kLongestStep);
  return {.wish = std::min(std::max(wish, in.vmin), in.vmax)};
}

LawOutput ClippedSum::evaluate(const LawInputs& in) const {
  if (!above_target(in) || only_stated(in)) return {.wish = in.vmax};
  if (!any_cell(in)) return {.wish = in.sum - (*in.highest - in.target) + kClippedMargin};
  double sum = 0;
  double known = 0;  // 0 V is known, though it adds nothing: a lost wire lowers the result
  for (const auto& cell : in.cells) {
    if (!cell.voltage) continue;
    sum += std::min(*cell.voltage, in.target);
    known += 1;
  }
  return {.wish = sum * static_cast<double>(in.cells.size()) / known + kClippedMargin};
}

ChargeLaw make_charge_law(const Config& config) {
  switch (config.cvl_controller_mode) {
    case 0: return NoLaw{};
    case 2: return Integrator{config.switch_to_float_cell_voltage_diff, config.cvl_icontroller_factor};
    case 3: return ClippedSum{};
    case 4: return CellTopLaw(config);
    default: return PenaltySum{};
  }
}

std::optional<double> charge_fraction(const Config& config, double target, std::optional<double> highest) {
  if (config.cvl_controller_mode != 4 || !config.cvcm_enable || !config.cccm_cv_enable || !highest) return std::nullopt;
  return CellTopLaw::charge_fraction(config, target, *highest);
}

}  // namespace serialbattery::control
