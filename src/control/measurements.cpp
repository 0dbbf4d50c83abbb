// Temperatures, current, averages, capacity, midpoint.
#include "control/measurements.hpp"

#include <algorithm>
#include <cmath>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kColdest = -20, kHottest = 100;  // degrees Celsius: what a sensor is believed
constexpr double kAverageWindow = 300;            // s

std::optional<double> adjusted(std::optional<double> raw, const TemperatureAdjustment& by) {
  if (!raw) return std::nullopt;
  return without_minus_zero(round_to(std::clamp(*raw, kColdest, kHottest), 1) * by.slope + by.offset);
}

}  // namespace

void Temperatures::take(const Settings& settings, const Battery& reading) {
  lowest_.reset();
  highest_.reset();
  battery_.reset();
  lost_ = false;
  double sum = 0;
  int known = 0;
  for (std::size_t i = 0; i < sensors_.size(); ++i) {
    sensors_[i] = adjusted(reading.temperatures[i], settings.temperature_adjustment[i]);
    if (!settings.temperature_selected[i]) continue;
    if (!sensors_[i]) {
      lost_ = lost_ || ever_known_[i];
      continue;
    }
    ever_known_[i] = true;
    sum += *sensors_[i];
    ++known;
    if (!lowest_ || *sensors_[i] < *sensors_[*lowest_]) lowest_ = i;
    if (!highest_ || *sensors_[i] >= *sensors_[*highest_]) highest_ = i;
  }
  if (known > 0) battery_ = round_to(sum / known, 1);
  mosfet_ = adjusted(reading.mos_temperature, settings.mos_adjustment);
  mosfet_ever_known_ = mosfet_ever_known_ || mosfet_;
}

void Temperatures::forget() {
  sensors_.fill(std::nullopt);
  mosfet_.reset();
  battery_.reset();
  lowest_.reset();
  highest_.reset();
}

std::optional<double> Temperatures::lowest() const {
  return lowest_ ? sensors_[*lowest_] : std::nullopt;
}
std::optional<double> Temperatures::highest() const {
  return highest_ ? sensors_[*highest_] : std::nullopt;
}

std::optional<double> current_in_use(const Settings& settings, const Battery& reading, std::optional<double> external) {
  std::optional<double> current = finite(external);
  if (current) {
    current = round_to(*current, 3);
  } else if (reading.current && settings.current_correction) {
    current = round_to(settings.current_correction->at(*reading.current, Between::linear), 3);
  } else {
    current = reading.current;
  }
  if (!current) return std::nullopt;
  if (reading.discharge_fet == false) current = std::max(0.0, *current);
  if (reading.charge_fet == false) current = std::min(0.0, *current);
  return without_minus_zero(*current);
}

void AverageCurrent::add(std::optional<double> current, TimePoint now) {
  value_.reset();
  if (!current) return;
  if (samples_.size() >= kMostSamples) samples_.erase(samples_.begin());
  samples_.push_back({now, *current});
  const auto old = [now](const Sample& sample) { return seconds_between(sample.time, now) >= kAverageWindow; };
  samples_.erase(samples_.begin(), std::find_if_not(samples_.begin(), samples_.end(), old));
  double sum = 0;
  for (const auto& sample : samples_) sum += sample.current;
  value_ = round_to(sum / static_cast<double>(samples_.size()), 2);
}

std::optional<double> remaining_capacity(const Config& config, const Battery& reading, std::optional<double> soc) {
  std::optional<double> from_soc;
  if (reading.capacity && soc) from_soc = without_minus_zero(*reading.capacity * *soc / 100);
  if (config.soc_calculation && from_soc) return from_soc;
  if (reading.capacity_remaining) return reading.capacity_remaining;
  return from_soc;
}

std::optional<double> consumed(std::optional<double> capacity, std::optional<double> remaining) {
  if (!capacity || !remaining) return std::nullopt;
  return finite(-std::fabs(*capacity - *remaining));
}

std::optional<Midpoint> midpoint(const Config& config, const Cells& cells) {
  if (!config.midpoint_enable || cells.count() < 4 || !cells.exact_number() || !cells.complete()) return std::nullopt;
  const auto& list = cells.cells();
  const std::size_t half = list.size() / 2;
  double lower = 0;
  double upper = 0;
  for (std::size_t i = 0; i < half; ++i) {
    lower += *list[i].voltage;
    upper += *list[list.size() - half + i].voltage;
  }
  const double middle = list.size() % 2 == 1 ? *list[half].voltage / 2 : 0;
  return Midpoint{std::fabs(lower + middle), std::fabs((upper - lower) / (upper + lower) * 100)};
}

}  // namespace serialbattery::control
