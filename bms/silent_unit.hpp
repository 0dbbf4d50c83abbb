// A unit that has fallen silent on a line with others is asked only once a turn until it answers: it costs them one time-out.
#pragma once

#include "serialbattery/driver.hpp"

namespace serialbattery {

class SilentUnit {
 public:
  explicit SilentUnit(const DriverContext& context) : shared_line_(context.shared_line) {}

  /// How often to ask, where `usual` would be right for a unit that answers.
  [[nodiscard]] int attempts(int usual) const { return silent_ && shared_line_ ? 1 : usual; }
  void answered() { silent_ = false; }
  /// All attempts have failed like this.
  void failed(Fault fault) { silent_ = fault == Fault::timeout; }

 private:
  const bool shared_line_;
  bool silent_ = false;
};

}  // namespace serialbattery
