// The configuration as control needs it: curves precomputed, directions prepared. Made once, never changed.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "control/controller.hpp"
#include "control/current_limit.hpp"
#include "control/curve.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

/// Value used = reading x slope + offset.
struct TemperatureAdjustment {
  double offset = 0;  // degrees Celsius
  double slope = 1;
};

struct Settings {
  Settings(const Config& configuration, const Traits& facts);

  Config config;
  Traits traits;  // without its poll interval, which may change: State holds that
  LimitRules charge;
  LimitRules discharge;
  std::optional<Curve> current_correction;  // none: the two lists are equal
  std::array<bool, 4> temperature_selected{};
  std::array<TemperatureAdjustment, 4> temperature_adjustment;
  TemperatureAdjustment mos_adjustment;
  std::array<const std::string*, 4> temperature_names;  // into config
  double plausible_cell = 0;                            // V: a higher cell voltage is unknown

  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
};

}  // namespace serialbattery::control
