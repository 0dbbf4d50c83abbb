// Counting of internal, non-fatal errors and the error code.
#include "control/internal_errors.hpp"

#include <algorithm>

#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kWindow = 10800;     // s
constexpr double kCheckEvery = 3600;  // s

}  // namespace

InternalErrors::InternalErrors(Configuration configuration) {
  if (configuration == Configuration::invalid) code_ = kSettingsInvalid;
}

double InternalErrors::age_of_oldest(TimePoint now) const {
  return seconds_between(times_[size_ < kErrors ? 0 : next_], now);
}

void InternalErrors::count(TimePoint now) {
  times_[next_] = now;
  next_ = (next_ + 1) % kErrors;
  size_ = std::min(size_ + 1, kErrors);
  if (size_ == kErrors && age_of_oldest(now) <= kWindow && code_ != kSettingsInvalid) code_ = kInternalCalculation;
}

void InternalErrors::check_hourly(TimePoint now) {
  if (!last_check_) last_check_ = now;
  if (seconds_between(*last_check_, now) <= kCheckEvery) return;
  last_check_ = now;
  if (size_ == kErrors && age_of_oldest(now) > kWindow && code_ != kSettingsInvalid) code_.reset();
}

}  // namespace serialbattery::control
