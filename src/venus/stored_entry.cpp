#include "venus/stored_entry.hpp"

#include "venus/identity.hpp"

namespace serialbattery::venus {
namespace {

constexpr std::string_view group_prefix = "serialbattery_";
constexpr std::int64_t stale_after = 30 * 86400;
constexpr std::int64_t earliest_plausible_clock = 1704067200;  // 2024-01-01

bool is_blank(const Value* value) {
  if (value == nullptr || !is_valid(*value)) return true;
  const auto* text = std::get_if<std::string>(value);
  return text != nullptr && text->empty();
}

std::optional<int> instance_of(const StoredEntry& entry) {
  const auto parsed = parse_class_and_instance(stored_text(entry, entry::class_and_instance));
  return parsed ? std::optional(parsed->instance) : std::nullopt;
}

bool is_group_of(const StoredEntry& stored, std::string_view id) {
  return stored_text(stored, entry::unique_identifier) == id;
}

}  // namespace

const Value* StoredEntry::find(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

StoredEntries collect_entries(const std::vector<std::pair<std::string, Value>>& listing) {
  StoredEntries entries;
  for (const auto& [key, value] : listing) {
    const auto slash = key.find('/');
    if (slash == std::string::npos || key.find('/', slash + 1) != std::string::npos) continue;
    const auto group = key.substr(0, slash);
    if (group.find("serialbattery") == std::string::npos) continue;
    auto found = std::find_if(entries.begin(), entries.end(), [&](const StoredEntry& stored) { return stored.group == group; });
    if (found == entries.end()) found = entries.insert(entries.end(), {group, {}});
    found->values[key.substr(slash + 1)] = value;
  }
  return entries;
}

std::optional<double> stored_number(const StoredEntry& stored, std::string_view name) {
  const auto* value = stored.find(name);
  return value != nullptr ? as_number(*value) : std::nullopt;
}

std::string stored_text(const StoredEntry& stored, std::string_view name) {
  const auto* value = stored.find(name);
  return value != nullptr && is_valid(*value) ? text_of(*value, plain_text) : std::string();
}

const StoredEntry* find_entry(const StoredEntries& entries, std::string_view id) {
  const StoredEntry* winner = nullptr;
  double newest = 0;
  for (const auto& stored : entries) {
    if (!is_group_of(stored, id)) continue;
    const double seen = stored_number(stored, entry::last_seen).value_or(0);
    if (winner != nullptr && seen < newest) continue;
    winner = &stored;
    newest = seen;
  }
  return winner;
}

Restored restore(const StoredEntry& stored) {
  Restored result;
  result.custom_name = stored_text(stored, entry::custom_name);
  const auto number = [&](const char* name) -> std::optional<double> {
    if (is_blank(stored.find(name))) return std::nullopt;
    const auto value = stored_number(stored, name);
    if (!value) result.problems.push_back(fmt::format("{} '{}' is no number", name, stored_text(stored, name)));
    return value;
  };
  constexpr double latest = 1e11;  // Unix seconds, year 5138
  const auto time = [&](const char* name) -> std::optional<std::int64_t> {
    const auto value = number(name);
    if (!value || *value <= 0 || *value > latest) return std::nullopt;
    return static_cast<std::int64_t>(*value);
  };
  if (const auto allowed = number(entry::allow_max_voltage)) result.state.allow_max_voltage = *allowed == 1;
  result.state.max_voltage_start_time = time(entry::max_voltage_start_time);
  result.state.soc_reset_last_reached = time(entry::soc_reset_last_reached).value_or(0);
  if (const auto soc = number(entry::soc_calc)) {
    if (*soc >= 0 && *soc <= 100) {
      result.state.soc_calc = *soc;
    } else {
      result.problems.push_back(fmt::format("{} {} is no state of charge", entry::soc_calc, *soc));
    }
  }
  result.state.history = history_from_json(stored_text(stored, entry::history), result.problems);
  return result;
}

std::string settled_id(const Unit& unit, const StoredEntries& entries, const std::vector<std::string>& taken) {
  if (!unit.address) return unit.id;
  const auto own = id_with_address(unit.id, *unit.address);
  if (find_entry(entries, own) != nullptr) return own;
  if (unit.line_addresses.size() < 2) return unit.id;
  if (std::find(taken.begin(), taken.end(), unit.id) != taken.end()) return own;
  if (const auto* stored = find_entry(entries, unit.id)) {
    // The unit that had this identifier alone keeps it, also while it is silent.
    const double owner = stored_number(*stored, entry::bus_address).value_or(-1);
    const auto is_owner = [&](std::uint8_t address) { return owner == address; };
    const bool owner_on_line = std::any_of(unit.line_addresses.begin(), unit.line_addresses.end(), is_owner);
    if (owner_on_line && !is_owner(*unit.address)) return own;
  }
  return unit.id;
}

std::vector<Removal> stale_entries(const StoredEntries& entries, std::int64_t wall,
                                   const std::function<bool(const std::string&, std::optional<int>)>& alive) {
  if (wall < earliest_plausible_clock) return {};
  for (const auto& stored : entries) {
    if (stored_number(stored, entry::last_seen).value_or(0) > static_cast<double>(wall)) return {};
  }
  std::vector<Removal> removals;
  for (const auto& stored : entries) {
    if (!stored.group.starts_with(group_prefix) || alive(stored.group, instance_of(stored))) continue;
    if (stored.find(entry::last_seen) == nullptr) {
      if (stored.find(entry::class_and_instance) != nullptr) {
        removals.push_back({stored.group, {entry::class_and_instance}, "left by a very old version"});
      }
      continue;
    }
    const auto seen = stored_number(stored, entry::last_seen);
    if (!seen || *seen < static_cast<double>(earliest_plausible_clock)) continue;  // written before the clock was set
    if (static_cast<double>(wall) - *seen <= static_cast<double>(stale_after)) continue;
    removals.push_back(
        {stored.group,
         {entry::unique_identifier, entry::class_and_instance, entry::custom_name, entry::last_seen, entry::allow_max_voltage,
          entry::max_voltage_start_time, entry::soc_calc, entry::soc_reset_last_reached, entry::history, entry::bus_address},
         "not seen for 30 days"});
  }
  return removals;
}

}  // namespace serialbattery::venus
