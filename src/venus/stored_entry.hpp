// What the settings service holds about serial batteries, and what is to be made of it. Pure; spec settings.md B.2 to B.7.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/persisted.hpp"
#include "venus/value.hpp"

namespace serialbattery::venus {

/// Names of the entries of a battery's group.
namespace entry {
inline constexpr const char* unique_identifier = "UniqueIdentifier";
inline constexpr const char* class_and_instance = "ClassAndVrmInstance";
inline constexpr const char* custom_name = "CustomName";
inline constexpr const char* last_seen = "LastSeen";
inline constexpr const char* allow_max_voltage = "AllowMaxVoltage";
inline constexpr const char* max_voltage_start_time = "MaxVoltageStartTime";
inline constexpr const char* soc_calc = "SocCalc";
inline constexpr const char* soc_reset_last_reached = "SocResetLastReached";
inline constexpr const char* history = "HistoryValues";
inline constexpr const char* bus_address = "BusAddress";  // not of the Python driver: -1 unknown
}  // namespace entry

struct StoredEntry {
  std::string group;  // "serialbattery_AB12"
  std::map<std::string, Value, std::less<>> values;
  [[nodiscard]] const Value* find(std::string_view name) const;
};

/// In the order in which the service lists them.
using StoredEntries = std::vector<StoredEntry>;

/// Groups whose name contains "serialbattery", from the flat listing of /Settings/Devices ("group/name" -> value).
[[nodiscard]] StoredEntries collect_entries(const std::vector<std::pair<std::string, Value>>& listing);

/// The group of this identifier: the one seen last; among equals the later one. nullptr if there is none.
[[nodiscard]] const StoredEntry* find_entry(const StoredEntries& entries, std::string_view id);

/// Numbers in any type that the service may have used; empty texts count as absent.
[[nodiscard]] std::optional<double> stored_number(const StoredEntry& entry, std::string_view name);
[[nodiscard]] std::string stored_text(const StoredEntry& entry, std::string_view name);

struct Restored {
  control::Persisted state;
  std::string custom_name;            // empty: none stored
  std::vector<std::string> problems;  // values that could not be read and are ignored
};
[[nodiscard]] Restored restore(const StoredEntry& entry);

/// HistoryValues. Unknown keys are ignored; a value that is no finite number is reported and left out.
[[nodiscard]] History history_from_json(std::string_view text, std::vector<std::string>& problems);
[[nodiscard]] std::string history_to_json(const History& history);

/// Which identifier a unit takes that calls itself `id`: on a shared cable later units with the same identifier get their address
/// appended, once and for all. `taken`: identifiers of the other units of this process.
struct Unit {
  std::string id;
  std::optional<std::uint8_t> address;
  std::vector<std::uint8_t> line_addresses;  // all addresses of the cable, also of units that are silent now
};
[[nodiscard]] std::string settled_id(const Unit& unit, const StoredEntries& entries, const std::vector<std::string>& taken);

/// Entries to remove from a group.
struct Removal {
  std::string group;
  std::vector<std::string> names;
  std::string reason;
};
/// Stale groups: not seen for 30 days, or without a time stamp at all. Nothing when the clock can not be right.
/// `alive(group, instance)` protects batteries that run now.
[[nodiscard]] std::vector<Removal> stale_entries(const StoredEntries& entries, std::int64_t wall,
                                                 const std::function<bool(const std::string& group, std::optional<int> instance)>& alive);

}  // namespace serialbattery::venus
