// Time to go and time to SoC.
#include "control/time_to_go.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "control/duration_text.hpp"
#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr int kShortestInterval = 5;   // s
constexpr double kNoFlow = 0.1;        // A: below this no end is in sight
constexpr double kLongestTime = 1e15;  // s: keeps the conversion to an integer defined
constexpr int kEssOptimised = 1;       // /Settings/CGwacs/Hub4Mode
constexpr int kKeepCharged = 9;        // BatteryLife states
constexpr int kWithoutBatteryLifeFirst = 10, kWithoutBatteryLifeLast = 12;

// SoC at which a discharge is going to end.
double discharge_floor(const Config& config, const EssSettings& ess) {
  const bool by_ess = ess.hub4_mode == kEssOptimised && ess.battery_life_state && *ess.battery_life_state != kKeepCharged &&
                      ess.minimum_soc_limit && ess.soc_limit;
  if (!by_ess) return config.soc_low_warning;
  const bool plain = *ess.battery_life_state >= kWithoutBatteryLifeFirst && *ess.battery_life_state <= kWithoutBatteryLifeLast;
  return plain ? *ess.minimum_soc_limit : *ess.soc_limit;
}

enum class Behind { invalid, negative };  // a target that is being left behind

std::optional<std::int64_t> seconds_to(double target, const TimeToGoInputs& in, Behind behind) {
  const double per_second = std::fabs(*in.average / (*in.capacity / 100)) / 3600;  // %
  const double distance = *in.average > 0 ? target - *in.soc : *in.soc - target;
  if (!in.current || distance == 0 || per_second == 0 || (distance < 0 && behind == Behind::invalid)) return std::nullopt;
  const double seconds = distance / per_second;
  if (!(std::fabs(seconds) < kLongestTime)) return std::nullopt;
  return static_cast<std::int64_t>(std::trunc(seconds));
}

void write_point(std::string& out, std::int64_t seconds, int value_type) {
  out.clear();
  if (value_type != 2) {
    std::array<char, 24> number{};
    const auto printed = std::to_chars(number.data(), number.data() + number.size(), seconds);
    out.append(number.data(), printed.ptr);
  }
  if (value_type == 1) return;
  if (value_type == 3) out.append(" [");
  append_duration(out, seconds, Precision::two_largest);
  if (value_type == 3) out.append("]");
}

}  // namespace

void TimeToGo::forget() {
  go_.reset();
  for (auto& point : points_) point.reset();
}

void TimeToGo::evaluate(const Config& config, const TimeToGoInputs& in, TimePoint now) {
  if (!in.capacity || !in.average || (!config.time_to_go_enable && points_.empty())) return;
  const double interval = std::max(kShortestInterval, config.time_to_soc_recalculate_every);
  if (calculated_ && seconds_between(*calculated_, now) < interval) return;
  calculated_ = now;
  if (*in.capacity == 0 || !in.soc) {
    forget();
  } else {
    calculate(config, in);
  }
}

void TimeToGo::calculate(const Config& config, const TimeToGoInputs& in) {
  const double average = *in.average;
  go_.reset();
  if (config.time_to_go_enable && std::fabs(average) > kNoFlow) {
    go_ = seconds_to(average < 0 ? discharge_floor(config, in.ess) : 100.0, in, Behind::invalid);
  }
  const Behind behind = config.time_to_soc_inc_from ? Behind::negative : Behind::invalid;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const auto seconds = average == 0 ? std::nullopt : seconds_to(config.time_to_soc_points[i], in, behind);
    if (!seconds) {
      points_[i].reset();
      continue;
    }
    if (!points_[i]) points_[i].emplace();
    write_point(*points_[i], *seconds, config.time_to_soc_value_type);
  }
}

}  // namespace serialbattery::control
