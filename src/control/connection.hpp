// Supervision of the link to the BMS: errors, outages, offline, leaving (control.md 9).
#pragma once

#include <optional>
#include <string>

#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

class Connection {
 public:
  static constexpr std::size_t kLongestText = 128;
  Connection() { text_.reserve(kLongestText); }

  /// What a failed poll means for the limits.
  struct Outcome {
    bool went_offline = false;  // in this poll: voltage, current, power unknown; CVL capped
    bool block = false;         // with went_offline: CCL and DCL 0
    bool leave = false;         // the service ends after publishing this poll
  };

  /// A good poll: ends an outage.
  void good(TimePoint now);

  /// A failed poll. `lowest`, `highest`: shown cell voltages of the last good poll.
  Outcome failed(const Config& config, std::optional<double> lowest, std::optional<double> highest, TimePoint now);

  [[nodiscard]] bool online() const { return online_; }
  [[nodiscard]] bool must_leave() const { return leave_; }
  [[nodiscard]] int cable_alarm() const { return cable_alarm_; }          // 0, 1, 2
  [[nodiscard]] const std::string& information() const { return text_; }  // /ConnectionInformation

 private:
  void write_lost(std::int64_t lost, std::int64_t left);  // s
  void write_connected(TimePoint now);

  // failures of the error window, for the text and the alarm
  unsigned failures_ = 0;
  TimePoint first_failure_{}, last_failure_{};
  // the uninterrupted series of failures
  std::optional<TimePoint> series_;
  std::optional<bool> cells_good_;  // the verdict, once per series

  bool online_ = false;
  bool leave_ = false;
  int cable_alarm_ = 0;
  std::string text_;
};

}  // namespace serialbattery::control
