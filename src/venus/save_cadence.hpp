// When to write which setting. Every isolated write costs a rewrite of the device's settings file in flash: spec settings.md B.6.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/persisted.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/clock.hpp"

namespace serialbattery::venus {

/// The settings that follow the state of control.
enum class Saved : std::uint8_t { allow_max_voltage, max_voltage_start_time, soc_calc, soc_reset_last_reached, history, count };

/// Why a save is considered now.
enum class Occasion : std::uint8_t {
  poll,     // the ordinary cycle
  soc_set,  // the user or the full-charge event set the SoC
  history_clear,
  all,  // shutdown, or the settings service came back: everything that differs
};

class SaveCadence {
 public:
  /// `stored`: what the settings hold now.
  SaveCadence(const control::Persisted& stored, TimePoint now);

  /// What is to be written now. It counts as written from here on, unless failed() says otherwise.
  std::vector<Saved> due(const control::Persisted& current, Occasion occasion, TimePoint now);

  /// A write did not succeed: it is due again after a while.
  void failed(Saved which, TimePoint now);

 private:
  struct Record {
    TimePoint written;
    std::optional<TimePoint> retry;  // set: the last write failed
  };
  [[nodiscard]] bool differs(Saved which, const control::Persisted& current) const;
  [[nodiscard]] bool is_due(Saved which, const control::Persisted& current, Occasion occasion, TimePoint now) const;
  void take_over(Saved which, const control::Persisted& current);

  control::Persisted stored_;
  std::string history_text_;
  EnumArray<Saved, Record> records_;
};

}  // namespace serialbattery::venus
