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

/// Summarises a fault that repeats: the first occurrence is logged, then at most one line per minute that says how often it happened.
class RepeatedFault {
 public:
  static constexpr Duration pause = std::chrono::minutes(1);

  /// The line to log now, or empty. `what` names the cause; another cause is logged at once.
  std::string occurred(const std::string& what, TimePoint now);
  /// It works again: the line to log, or empty when nothing was logged before.
  std::string recovered(TimePoint now);

 private:
  std::string cause_;
  unsigned unreported_ = 0;
  unsigned total_ = 0;
  TimePoint since_{};
  TimePoint reported_{};
};

}  // namespace serialbattery::daemon
