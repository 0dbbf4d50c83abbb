#include "config/items.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "config/bus_address.hpp"
#include "config/text.hpp"

namespace serialbattery::config {

namespace {

constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_word_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Six hex octets with colons.
bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_hex(text[i])) return false;
  }
  return true;
}

constexpr std::string_view bluetooth_types[] = {"Jkbms_Ble", "Kilovault_Ble", "LiTime_Ble", "LltJbd_Ble", "Xdzn_Ble"};

bool is_bluetooth_type(std::string_view type) {
  constexpr std::string_view generic = "aiobmsble_";
  if (type.starts_with(generic)) return type.size() > generic.size() && std::ranges::all_of(type, is_word_char);
  return std::ranges::find(bluetooth_types, type) != std::end(bluetooth_types);
}

bool is_bluetooth_pair(std::string_view pair) {
  const std::size_t end = pair.find_first_of(" \t\n");
  return end != std::string_view::npos && is_bluetooth_type(pair.substr(0, end)) && is_mac(trim(pair.substr(end)));
}

// Types of the Python driver, so that a name which it knows is not called a mistake before its driver is built.
constexpr std::string_view familiar_types[] = {
    "ANT",          "Daly",      "Daren485",      "EG4_LL",     "EG4_Lifepower", "Ecs",          "Felicity",     "HLPdataBMS4S",
    "HeltecModbus", "Jkbms",     "Jkbms_pb",      "KS48100",    "LltJbd",        "LltJbd_Up16s", "MNB",          "Pace",
    "Renogy",       "Seplos",    "Seplosv3",      "Sinowealth", "Daly_Can",      "Jkbms_Can",    "LltJbd_Can",   "RV_C_Can",
    "Ubms_Can",     "Jkbms_Ble", "Kilovault_Ble", "LiTime_Ble", "LltJbd_Ble",    "Xdzn_Ble",     "Generic_Mqtt",
};

constexpr std::pair<std::string_view, std::string_view> renamed_types[] = {{"Lifepower", "EG4_Lifepower"}};

}  // namespace

Reading read_bus_addresses(std::string_view text) {
  std::vector<std::string> addresses;
  std::set<std::uint8_t> seen;
  std::vector<Failure> dropped;
  for (const std::string_view item : split_items(text, ',')) {
    const auto address = bus_address(item);
    if (!address) {
      add_failure(dropped, {Code::bad_value, fmt::format("'{}' is no hex byte such as 0x0A", printable(item, 40))});
    } else if (!seen.insert(*address).second) {
      add_failure(dropped, {Code::duplicate, fmt::format("'{}' stands in the list twice", printable(item, 40))});
    } else {
      addresses.emplace_back(item);
    }
  }
  return {.value = std::move(addresses), .failures = std::move(dropped)};
}

Reading read_bluetooth_pairs(std::string_view text) {
  std::vector<std::string> pairs;
  std::vector<Failure> dropped;
  for (const std::string_view item : split_items(text, ',')) {
    if (is_bluetooth_pair(item)) {
      pairs.emplace_back(item);
    } else {
      add_failure(dropped, {Code::bad_value, fmt::format("'{}' is no pair of Bluetooth type and MAC address", printable(item, 60))});
    }
  }
  return {.value = join(pairs, ", "), .failures = std::move(dropped)};
}

std::optional<Failure> check_offset_slope(std::span<const double> list) {
  const auto inside = [](double number, Range range) { return number >= range.low && number <= range.high; };
  if (list.size() != 2) return Failure{Code::bad_list, "two numbers are needed, offset and slope"};
  if (!inside(list[0], offset_range)) return Failure{Code::out_of_range, "the offset is outside of -50 to 50"};
  if (!inside(list[1], slope_range)) return Failure{Code::out_of_range, "the slope is outside of 0.1 to 10"};
  return std::nullopt;
}

TypeState type_state(std::string_view name, std::span<const std::string_view> built) {
  if (std::ranges::find(built, name) != built.end()) return TypeState::built;
  const bool generic_bluetooth = name.starts_with("aiobmsble_") && is_bluetooth_type(name);
  const bool familiar = std::ranges::find(familiar_types, name) != std::end(familiar_types);
  return familiar || generic_bluetooth ? TypeState::planned : TypeState::unknown;
}

std::string_view suggested_type(std::string_view name, std::span<const std::string_view> built) {
  for (const auto& [old_name, new_name] : renamed_types) {
    if (equal_without_case(name, old_name)) return new_name;
  }
  const auto same = [name](std::string_view other) { return equal_without_case(name, other); };
  if (const auto found = std::ranges::find_if(built, same); found != built.end()) return *found;
  const auto* familiar = std::ranges::find_if(familiar_types, same);
  return familiar == std::end(familiar_types) ? std::string_view() : *familiar;
}

}  // namespace serialbattery::config
