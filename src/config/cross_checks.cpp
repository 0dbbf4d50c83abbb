// Checks across keys, in the order of config.md 5; each corrected value is what the following checks see.
#include <spdlog/fmt/fmt.h>

#include "config/draft.hpp"
#include "config/text.hpp"
#include "model/dbus_names.hpp"

namespace serialbattery::config {

namespace {

/// Says that a value is on the wrong side of another key's, and takes the other's value.
void clamp(Draft& draft, double Config::*member, double Config::*bound, Code code) {
  Config& config = draft.config;
  const std::string_view bound_name = key_of(bound).name;
  const std::string_view relation = code == Code::above_max ? "above" : "below";
  draft.raise(key_of(member), code, fmt::format("{} is {} {} ({})", config.*member, relation, bound_name, config.*bound),
              fmt::format("{} is used instead", config.*bound));
  config.*member = config.*bound;
}

void check_cell_voltages(Draft& draft) {
  Config& config = draft.config;
  if (config.min_cell_voltage >= config.max_cell_voltage) {
    draft.raise(key_of(&Config::min_cell_voltage), Code::min_not_below_max,
                fmt::format("{} is not below MAX_CELL_VOLTAGE ({})", config.min_cell_voltage, config.max_cell_voltage), "the values stay",
                Block::charge);
  }
  if (config.float_cell_voltage > config.max_cell_voltage) {
    clamp(draft, &Config::float_cell_voltage, &Config::max_cell_voltage, Code::above_max);
  } else if (config.float_cell_voltage < config.min_cell_voltage) {
    clamp(draft, &Config::float_cell_voltage, &Config::min_cell_voltage, Code::below_min);
  }
}

void check_soc_reset(Draft& draft) {
  Config& config = draft.config;
  if (!config.soc_reset_after_days) return;
  if (draft.failed(key_of(&Config::soc_reset_cell_voltage))) {
    config.soc_reset_after_days.reset();  // a guessed voltage must not be charged to; the unreadable key has been reported
  } else if (!config.cvcm_enable) {
    // Only the change to float ends a reset, and there is none without the state machine.
    draft.raise(key_of(&Config::soc_reset_after_days), Code::needs_cvcm, "needs CVCM_ENABLE = True", "there is no periodic reset");
    config.soc_reset_after_days.reset();
  } else if (config.soc_reset_cell_voltage < config.max_cell_voltage) {
    clamp(draft, &Config::soc_reset_cell_voltage, &Config::max_cell_voltage, Code::below_max);
  }
}

void check_disconnect_window(Draft& draft) {
  Config& config = draft.config;
  if (config.block_on_disconnect) return;
  if (config.block_on_disconnect_voltage_min < config.min_cell_voltage) {
    clamp(draft, &Config::block_on_disconnect_voltage_min, &Config::min_cell_voltage, Code::below_min);
  }
  if (config.block_on_disconnect_voltage_max > config.max_cell_voltage) {
    clamp(draft, &Config::block_on_disconnect_voltage_max, &Config::max_cell_voltage, Code::above_max);
  }
  if (config.block_on_disconnect_voltage_min >= config.block_on_disconnect_voltage_max) {
    draft.raise(key_of(&Config::block_on_disconnect), Code::window_empty,
                fmt::format("BLOCK_ON_DISCONNECT_VOLTAGE_MIN ({}) is not below BLOCK_ON_DISCONNECT_VOLTAGE_MAX ({})",
                            config.block_on_disconnect_voltage_min, config.block_on_disconnect_voltage_max),
                "BLOCK_ON_DISCONNECT = True is used");
    config.block_on_disconnect = true;
  }
}

/// A mistake of the sensor's name costs the sensor, and nothing else: the BMS measures, too.
void check_external_sensor(Draft& draft) {
  const auto check = [&draft](std::string Config::*member, bool (*is_good)(std::string_view), std::string_view what,
                              std::string_view consequence) {
    const std::string& text = draft.config.*member;
    if (text.empty() || is_good(text)) return;
    draft.raise(key_of(member), Code::bad_name, fmt::format("'{}' is no {}", printable(text, 60), what), std::string(consequence));
  };
  check(&Config::external_sensor_dbus_device, is_bus_name, "D-Bus name such as com.victronenergy.battery.ttyS2",
        "there is no external sensor");
  check(&Config::external_sensor_dbus_path_current, is_item_path, "D-Bus path such as /Dc/0/Current", "the current of the BMS is used");
  check(&Config::external_sensor_dbus_path_soc, is_item_path, "D-Bus path such as /Soc", "the state of charge of the BMS is used");
}

void check_soc(Draft& draft) {
  const Config& config = draft.config;
  if (config.soc_calculation && !config.external_sensor_dbus_path_soc.empty()) {
    draft.raise(key_of(&Config::soc_calculation), Code::conflict_external_soc, "EXTERNAL_SENSOR_DBUS_PATH_SOC is set too",
                "the external value is used where it is present");
  }
  constexpr double unreachable_difference = 0.101;  // V
  if (config.switch_to_bulk_soc_threshold <= 0 && config.switch_to_bulk_cell_voltage_diff >= unreachable_difference) {
    draft.raise(key_of(&Config::switch_to_bulk_soc_threshold), Code::bulk_return_unlikely,
                "with this and SWITCH_TO_BULK_CELL_VOLTAGE_DIFF both rules that end float are practically off",
                "the battery may stay in float");
  }
}

void check_lists_and_addresses(Draft& draft) {
  Config& config = draft.config;
  if (config.temperature_source_battery.empty()) {
    const Key& key = key_of(&Config::temperature_source_battery);
    draft.raise(key, Code::out_of_range, "no sensor is named", "all four sensors are used");
    draft.replace(key);
  }
  if (config.lipro_end_address < config.lipro_start_address) {
    draft.raise(key_of(&Config::lipro_end_address), Code::below_min, "below LIPRO_START_ADDRESS", "the defaults of both are used");
    draft.replace(key_of(&Config::lipro_start_address));
    draft.replace(key_of(&Config::lipro_end_address));
  }
  constexpr int shortest_recalculation_s = 5;
  config.time_to_soc_recalculate_every = std::max(config.time_to_soc_recalculate_every, shortest_recalculation_s);
}

}  // namespace

void check_across_keys(Draft& draft) {
  check_cell_voltages(draft);
  check_soc_reset(draft);
  check_disconnect_window(draft);
  check_external_sensor(draft);
  check_soc(draft);
  check_curves(draft);
  check_lists_and_addresses(draft);
}

}  // namespace serialbattery::config
