// The vocabulary of the path table: one row per D-Bus path (or family of paths) of a battery service.
//
// The rows stand in rows_*.cpp, one file per section of the tree; path_table.hpp makes items and the reference from them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/snapshot.hpp"
#include "serialbattery/config.hpp"
#include "serialbattery/driver.hpp"
#include "venus/item_tree.hpp"
#include "venus/value.hpp"

namespace serialbattery::venus {

/// One configuration value to publish below /Info/Config.
struct ConfigItem {
  std::string key;
  Type type = Type::text;
  Value value;
};

/// The item that holds all others as one text; filled by the service itself.
inline constexpr std::string_view json_path = "/JsonData";

enum class LinkSecurity : std::uint8_t { wired, wireless };

/// What is known of a battery before its first snapshot and does not come from control.
struct ServiceInfo {
  std::string service_name;     // com.victronenergy.battery.ttyUSB0
  std::string process_name;     // /Mgmt/ProcessName
  std::string process_version;  // /Mgmt/ProcessVersion
  std::string connection;       // /Mgmt/Connection
  LinkSecurity security = LinkSecurity::wired;
  int device_instance = 0;
  std::string product_name;      // contains "SerialBattery"
  std::string firmware_version;  // version of this driver
  std::string serial;            // identifier of the battery, original case
  std::string manufacturer;      // type text
  std::string custom_name;
  std::vector<ConfigItem> config_values;  // empty unless PUBLISH_CONFIG_VALUES
};

/// What a written path does.
enum class Write : std::uint8_t {
  none,
  custom_name,
  clear_history,
  charge_off,
  discharge_off,
  balance_off,
  heat_off,
  soc_target,
  soc_apply,
};

/// What decides which paths exist.
struct Layout {
  const ServiceInfo& info;
  const Config& config;
  const Controls& controls;
  unsigned cell_count;
};

/// Where the values come from.
struct Source {
  const ServiceInfo& info;
  const Config& config;
  const control::Snapshot& snapshot;
};

/// A row with a placeholder stands for several paths.
enum class Repeat : std::uint8_t {
  once,
  cell,        // <n> = 1..number of cells
  sensor,      // <n> = 1..4
  soc_point,   // <n> = each entry of TIME_TO_SOC_POINTS
  config_key,  // <KEY> = each published configuration value
};

/// Reads the value; `n` counts the paths of the row from 0. Rows without a getter keep their start value until somebody writes them.
using Getter = ValueView (*)(const Source& source, unsigned n);
using Condition = bool (*)(const Layout& layout);

struct PathRow {
  std::string_view path;
  Type type;
  int decimals = -1;  // rounding of reals
  TextFormat format = plain_text;
  Getter get = nullptr;
  std::string_view content;  // for the reference: meaning and unit
  Write write = Write::none;
  Repeat repeat = Repeat::once;
  Condition when = nullptr;           // nullptr: always
  std::string_view when_text = {};    // the condition in words
  std::optional<Limits> limits = {};  // also gives the start value
};

/// A value or "invalid".
template <typename T>
ValueView maybe(const std::optional<T>& value) {
  if (!value) return std::monostate{};
  if constexpr (std::is_floating_point_v<T>) {
    return *value;
  } else {
    return static_cast<std::int64_t>(*value);
  }
}

/// A text; an empty one means "not known".
inline ValueView maybe_text(std::string_view text) {
  return text.empty() ? ValueView() : ValueView(text);
}

inline ValueView number(int value) {
  return std::int64_t{value};
}

/// The sections in the order of the tree.
[[nodiscard]] std::span<const PathRow> identity_rows();
[[nodiscard]] std::span<const PathRow> dc_rows();
[[nodiscard]] std::span<const PathRow> info_rows();
[[nodiscard]] std::span<const PathRow> system_rows();
[[nodiscard]] std::span<const PathRow> cell_rows();
[[nodiscard]] std::span<const PathRow> alarm_rows();
[[nodiscard]] std::span<const PathRow> history_rows();
[[nodiscard]] std::span<const PathRow> settings_rows();

}  // namespace serialbattery::venus
