// The state of control that survives a restart: spec settings.md B.2 and control.md 10.
#pragma once

#include <cstdint>
#include <optional>

#include "serialbattery/battery.hpp"

namespace serialbattery::control {

struct Persisted {
  bool allow_max_voltage = true;
  std::optional<std::int64_t> max_voltage_start_time;  // Unix s, start of the absorption hold
  std::optional<double> soc_calc;                      // %, 3 decimals
  std::int64_t soc_reset_last_reached = 0;             // Unix s, 0 = never
  History history;                                     // without values that the BMS delivers, without unknown ones
  bool operator==(const Persisted&) const = default;
};

}  // namespace serialbattery::control
