// Pairs of lists that form a curve (config.md 2.4) and the checks of their ends (config.md 4.11).
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <functional>

#include "config/draft.hpp"

namespace serialbattery::config {

namespace {

using List = std::vector<double>;

/// The end of a curve at which too much current does harm.
enum class DangerousEnd { none, highest, lowest };

enum class Ordinates { fractions, currents };

struct Curve {
  List Config::*points;
  List Config::*values;
  DangerousEnd dangerous_end;
  Ordinates ordinates = Ordinates::fractions;
};

// Both ends of a temperature curve are dangerous: no order of its fractions can be called reversed.
constexpr Curve curves[] = {
    {&Config::cell_voltages_while_charging, &Config::max_charge_current_cv_fraction, DangerousEnd::highest},
    {&Config::cell_voltages_while_discharging, &Config::max_discharge_current_cv_fraction, DangerousEnd::lowest},
    {&Config::temperatures_while_charging, &Config::max_charge_current_t_fraction, DangerousEnd::none},
    {&Config::temperatures_while_discharging, &Config::max_discharge_current_t_fraction, DangerousEnd::none},
    {&Config::mosfet_temperatures_while_charging, &Config::max_charge_current_t_mosfet_fraction, DangerousEnd::highest},
    {&Config::mosfet_temperatures_while_discharging, &Config::max_discharge_current_t_mosfet_fraction, DangerousEnd::highest},
    {&Config::soc_while_charging, &Config::max_charge_current_soc_fraction, DangerousEnd::highest},
    {&Config::soc_while_discharging, &Config::max_discharge_current_soc_fraction, DangerousEnd::lowest},
    {&Config::current_reported_by_bms, &Config::current_measured_by_user, DangerousEnd::none, Ordinates::currents},
};

bool is_monotonic(const List& points) {
  return std::ranges::is_sorted(points) || std::ranges::is_sorted(points, std::greater<>());
}

bool is_fraction(double value) {
  return value >= 0 && value <= 1;
}

/// Index of the entry with the highest or lowest point of a monotonic list.
std::size_t end_index(const List& points, DangerousEnd end) {
  const bool rising = points.front() <= points.back();
  return rising == (end == DangerousEnd::highest) ? points.size() - 1 : 0;
}

/// The full current is allowed at the dangerous end, and less at the harmless one.
bool is_reversed(const List& points, const List& fractions, DangerousEnd end) {
  if (end == DangerousEnd::none) return false;
  const std::size_t dangerous = end_index(points, end);
  const std::size_t harmless = points.size() - 1 - dangerous;
  const double largest = *std::ranges::max_element(fractions);
  return fractions[dangerous] == largest && fractions[harmless] < largest;
}

struct Verdict {
  const Key& key;
  Failure failure;
};

/// nullopt: the pair is a curve.
std::optional<Verdict> judge(const Curve& curve, const Config& config) {
  const List& points = config.*curve.points;
  const List& values = config.*curve.values;
  const bool correction = curve.ordinates == Ordinates::currents;
  const Key& first = key_of(curve.points);
  const Key& second = key_of(curve.values);
  if (points.size() != values.size()) {
    return Verdict{first, {Code::length_mismatch, fmt::format("{} entries, but {} has {}", points.size(), second.name, values.size())}};
  }
  if (correction && points.size() < 2) return Verdict{first, {Code::length_mismatch, "at least two entries are needed"}};
  if (!is_monotonic(points)) return Verdict{first, {Code::not_monotonic, "the entries neither rise nor fall all the way"}};
  if (correction) return std::nullopt;
  if (!std::ranges::all_of(values, is_fraction)) return Verdict{second, {Code::fraction_range, "an entry is outside of 0 to 1"}};
  if (is_reversed(points, values, curve.dangerous_end)) {
    return Verdict{
        second, {Code::reversed, fmt::format("the order is reversed: the full current would flow at the dangerous end of {}", first.name)}};
  }
  return std::nullopt;
}

void use_default_curve(Draft& draft, const Curve& curve) {
  draft.replace(key_of(curve.points));
  draft.replace(key_of(curve.values));
}

/// A curve that reaches 0 too early: the battery never becomes full, or never empty.
void check_end(Draft& draft, const Curve& curve, DangerousEnd end, double Config::*bound, Code code) {
  const List& points = draft.config.*curve.points;
  const std::size_t last = end_index(points, end);
  const double voltage = draft.config.*bound;
  const bool short_of_bound = end == DangerousEnd::highest ? points[last] < voltage : points[last] > voltage;
  if ((draft.config.*curve.values)[last] != 0 || !short_of_bound) return;
  const bool charging = end == DangerousEnd::highest;
  draft.raise(key_of(curve.points), code,
              fmt::format("the current is 0 from {} V on, but {} is {} V", points[last], key_of(bound).name, voltage),
              charging ? "the battery never becomes full" : "the battery never becomes empty");
}

void check_ends(Draft& draft, const Curve& curve) {
  if (curve.points == &Config::cell_voltages_while_charging) {
    check_end(draft, curve, DangerousEnd::highest, &Config::max_cell_voltage, Code::top_below_max);
    if (draft.config.soc_reset_after_days) {
      check_end(draft, curve, DangerousEnd::highest, &Config::soc_reset_cell_voltage, Code::top_below_soc_reset);
    }
  }
  if (curve.points == &Config::cell_voltages_while_discharging) {
    check_end(draft, curve, DangerousEnd::lowest, &Config::min_cell_voltage, Code::bottom_above_min);
  }
}

void check_valid_curve(Draft& draft, const Curve& curve) {
  if (curve.ordinates == Ordinates::currents) return;
  if (std::ranges::find(draft.config.*curve.values, 1.0) == (draft.config.*curve.values).end()) {
    draft.raise(key_of(curve.values), Code::no_full_fraction, "no entry is 1", "the full current is never allowed");
  }
  check_ends(draft, curve);
}

}  // namespace

void check_curves(Draft& draft) {
  for (const Curve& curve : curves) {
    const Key& points = key_of(curve.points);
    const Key& values = key_of(curve.values);
    if (draft.failed(points) || draft.failed(values)) {
      use_default_curve(draft, curve);  // the unreadable list has been reported
    } else if (const auto verdict = judge(curve, draft.config)) {
      draft.raise(verdict->key, verdict->failure.code, verdict->failure.problem,
                  fmt::format("the built-in lists are used for {} and {}", points.name, values.name), draft.block_of(verdict->key));
      use_default_curve(draft, curve);
    } else {
      check_valid_curve(draft, curve);
    }
  }
}

}  // namespace serialbattery::config
