#include "support/loop_weather.hpp"

#include <cmath>
#include <numbers>

namespace serialbattery::loop {
namespace {

constexpr double hour = 3600, minute = 60, day_length = 24 * hour;
constexpr double peak = 6000, spike = 2000;  // W
constexpr double sunrise = 6.5 * hour, sunset = 18.5 * hour;
constexpr double haze_lifts = 10.5 * hour, haze_gone = 12.5 * hour;
constexpr double haze = 0.45;

}  // namespace

double Weather::clouds(int day, double of_day) const {
  const auto kind = day % 3;  // clear, broken clouds, hazy morning then mixed
  if (kind == 0) return 1;
  if (kind == 2 && of_day < haze_gone) {
    return of_day < haze_lifts ? haze : haze + (1 - haze) * (of_day - haze_lifts) / (haze_gone - haze_lifts);
  }
  const auto period = static_cast<std::uint64_t>(day) * 1000 + static_cast<std::uint64_t>(of_day / (6 * minute));
  if (std::fmod(of_day, 6 * minute) < 4 * minute) return 1;
  if (kind == 2 && random_.uniform(Stream::cloud, 2 * period + 1) < 0.5) return 1;
  return random_.uniform(Stream::cloud, 2 * period, 0.15, 0.55);
}

double Weather::sun(double seconds) const {
  const auto day = static_cast<int>(seconds / day_length);
  const double of_day = seconds - day * day_length;
  if (of_day <= sunrise || of_day >= sunset) return 0;
  return peak * std::pow(std::sin(std::numbers::pi * (of_day - sunrise) / (sunset - sunrise)), 1.3) * clouds(day, of_day);
}

double Weather::load(double seconds) {
  const auto day = static_cast<int>(seconds / day_length);
  const double of_day = seconds - day * day_length;
  if (day != spikes_of_) roll_spikes(day);
  double watts = of_day < 6 * hour || of_day >= 23 * hour ? 420 : of_day < 18 * hour ? 500 : 1150;
  watts *= 1 + 0.03 * random_.uniform(Stream::load, static_cast<std::uint64_t>(seconds / 10), -1, 1);
  for (const Spike& one : spikes_) {
    if (of_day >= one.begin && of_day < one.end) watts += spike;
  }
  return watts;
}

void Weather::roll_spikes(int day) {
  spikes_of_ = day;
  for (std::size_t i = 0; i < spikes_.size(); ++i) {
    const auto index = static_cast<std::uint64_t>(day) * spikes_.size() + i;
    const double begin = std::floor(random_.uniform(Stream::spike_start, index, 0, day_length));
    spikes_[i] = {begin, begin + std::floor(random_.uniform(Stream::spike_length, index, 1 * minute, 5 * minute))};
  }
}

}  // namespace serialbattery::loop
