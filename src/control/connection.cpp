// Supervision of the link to the BMS.
#include "control/connection.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "control/duration_text.hpp"
#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

constexpr double kErrorWindow = 60;     // s without a failure until the errors are forgotten
constexpr double kOfflineAfter = 10;    // s
constexpr double kCableAlarm = 60;      // s
constexpr double kShortThreshold = 60;  // s: when the battery is not left running on its last limits

std::int64_t whole(double seconds) {
  return static_cast<std::int64_t>(std::trunc(seconds));
}

}  // namespace

void Connection::good(TimePoint now) {
  if (failures_ > 0 && seconds_between(last_failure_, now) > kErrorWindow) {
    failures_ = 0;
    cable_alarm_ = 0;
  }
  series_.reset();
  cells_good_.reset();
  online_ = true;
  leave_ = false;
  write_connected(now);
}

Connection::Outcome Connection::failed(const Config& config, std::optional<double> lowest, std::optional<double> highest, TimePoint now) {
  if (failures_ == 0) first_failure_ = now;
  ++failures_;
  last_failure_ = now;
  Outcome outcome;
  if (!series_) {
    series_ = now;
    return outcome;
  }
  if (!cells_good_) {
    cells_good_ =
        lowest && highest && *lowest > config.block_on_disconnect_voltage_min && *highest < config.block_on_disconnect_voltage_max;
  }
  const double lost = seconds_between(*series_, now);
  const bool short_outage = config.block_on_disconnect || !*cells_good_;
  const double threshold = config.block_on_disconnect ? kShortThreshold : 60.0 * config.block_on_disconnect_timeout_minutes;
  if (lost >= kOfflineAfter && online_) {
    online_ = false;
    outcome.went_offline = true;
    outcome.block = short_outage;
  }
  write_lost(whole(lost), whole(threshold - lost));
  text_.append(" | Threshold: ");
  append_duration(text_, whole(threshold), Precision::seconds);
  if (config.bms_cable_alarm && lost > kCableAlarm) cable_alarm_ = 1;
  outcome.leave = (lost >= kShortThreshold && short_outage) || lost >= threshold;
  leave_ = outcome.leave;
  if (leave_) cable_alarm_ = config.bms_cable_alarm ? 2 : 0;
  return outcome;
}

void Connection::write_lost(std::int64_t lost, std::int64_t left) {
  text_.assign("Lost for: ");
  append_duration(text_, lost, Precision::seconds);
  text_.append(" | Disconnect in: ");
  append_duration(text_, left, Precision::seconds);
}

void Connection::write_connected(TimePoint now) {
  text_.assign("Connected");
  if (failures_ == 0) return;
  std::array<char, 16> number{};
  const auto printed = std::to_chars(number.data(), number.data() + number.size(), failures_);
  text_.append(" (").append(number.data(), printed.ptr).append(" errors in the last ");
  append_duration(text_, whole(seconds_between(first_failure_, now)), Precision::seconds);
  text_.append(")");
}

}  // namespace serialbattery::control
