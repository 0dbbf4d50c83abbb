// Log lines for multilog: one line each on standard output, at once, without time stamps (multilog adds them).
#pragma once

#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "serialbattery/clock.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::daemon {

/// Sets the pattern and the lowest severity: ERROR, WARNING, INFO or DEBUG. Nobody who logs ever waits for the reader of `descriptor`: what
/// finds no room is dropped, and the log says how many lines are missing as soon as there is room again.
void set_up_log(const std::string& level, int descriptor = STDOUT_FILENO);

/// Every frame at DEBUG level.
class FrameLog final : public Tap {
 public:
  explicit FrameLog(std::string port) : port_(std::move(port)) {}
  void sent(Bytes data) override;
  void received(Bytes data) override;

 private:
  std::string port_;
};

/// Hands everything on to several listeners.
class TapList final : public Tap {
 public:
  void add(Tap& tap) { taps_.push_back(&tap); }
  void sent(Bytes data) override {
    for (Tap* tap : taps_) tap->sent(data);
  }
  void received(Bytes data) override {
    for (Tap* tap : taps_) tap->received(data);
  }

 private:
  std::vector<Tap*> taps_;
};

/// Summarises faults that repeat: each cause is told when it occurs, then at most once a minute with the number of times. That holds across
/// recoveries too, so that a line which loses an answer now and then does not fill the log.
class RepeatedFault {
 public:
  static constexpr Duration pause = std::chrono::minutes(1);
  static constexpr std::size_t most_causes = 8;  // told within one pause; further ones are only counted

  /// The line to log now, or empty. `what` names the cause.
  std::string occurred(const std::string& what, TimePoint now);
  /// It works again: the line to log, or empty when nothing was logged since it worked last.
  std::string recovered(TimePoint now);

 private:
  struct Cause {
    std::string what;
    TimePoint reported;
    unsigned unreported = 0;
  };
  std::vector<Cause> causes_;
  unsigned failed_ = 0;  // since it worked last
  bool told_ = false;    // something since it worked last
  TimePoint since_{};
};

}  // namespace serialbattery::daemon
