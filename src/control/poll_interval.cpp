// The poll interval and its adaptation.
#include "control/poll_interval.hpp"

#include <algorithm>

namespace serialbattery::control {
namespace {

using namespace std::chrono_literals;
constexpr int kSlowPolls = 5;
constexpr Duration kMargin = 50ms;
constexpr Duration kStep = 500ms;
constexpr Duration kLongest = 60s;

Duration interval_for(Duration runtime) {
  const auto steps = (runtime + kMargin + kStep - Duration{1}) / kStep;  // rounded up
  return std::min<Duration>(steps * kStep, kLongest);
}

}  // namespace

PollInterval::Verdict PollInterval::finished(Duration refresh, Duration runtime) {
  Verdict verdict;
  if (refresh <= interval_) {
    slow_ = 0;
    return verdict;
  }
  ++slow_;
  if (slow_ > 1) verdict.polls_left = kSlowPolls - slow_;
  if (slow_ < kSlowPolls) return verdict;
  slow_ = 0;
  const Duration raised = std::max(interval_, interval_for(runtime));  // never falls
  verdict.raised = raised != interval_;
  interval_ = raised;
  return verdict;
}

}  // namespace serialbattery::control
