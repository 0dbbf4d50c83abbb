// The one table of all keys of config.ini.
//
// Type, default, range, meaning and consequences of each key stand here once (in the files keys_*.cpp, one per group of sections).
// The loader, the validator, config.default.ini, docs/configuration.md and the tests are derived from it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serialbattery/config.hpp"

namespace serialbattery::config {

/// Where the value of a key lives. The type of the member is the type of the key: there is no second statement of it.
using Member =
    std::variant<bool Config::*, double Config::*, int Config::*, std::optional<double> Config::*, std::optional<int> Config::*,
                 std::string Config::*, std::vector<double> Config::*, std::vector<int> Config::*, std::vector<std::string> Config::*>;

/// A value of any key; the alternatives stand in the order of Member.
using Value = std::variant<bool, double, int, std::optional<double>, std::optional<int>, std::string, std::vector<double>, std::vector<int>,
                           std::vector<std::string>>;

/// Inclusive bounds; for a list they hold for each item.
struct Range {
  double low = 0;
  double high = 0;
};

/// Two single numbers.
struct Either {
  int first = 0;
  int second = 0;
};

/// Words, in any letter case.
struct Words {
  std::span<const std::string_view> words;
};

using Allowed = std::variant<std::monostate, Range, Either, Words>;

/// Rules of single keys beyond type and range.
enum class Rule : std::uint8_t {
  none,
  curve,            // half of a pair of lists, checked by curves.cpp
  drop_outside,     // list items outside the range are dropped, the others stay
  bus_addresses,    // hex bytes; bad or repeated ones are skipped
  bluetooth_pairs,  // "Type MAC, Type MAC"; bad ones are skipped
  bms_types,        // names of BMS types; an unknown one is fatal
  offset_slope,     // two numbers, offset_range and slope_range
};

inline constexpr Range offset_range{-50, 50};  // degC
inline constexpr Range slope_range{0.1, 10};

/// What an empty value is read as, and what the user is told about it.
struct EmptyValue {
  std::string_view reads_as;
  std::string_view means;
};

/// The direction that is blocked when the value is invalid (config.md 3.3).
enum class Block : std::uint8_t { none, charge, discharge };

enum class Privacy : std::uint8_t {
  open,
  local,   // never on D-Bus
  secret,  // never on D-Bus and masked in every text
};

struct Key {
  std::string_view name;
  Member member;
  std::string_view default_text = {};  // as written in config.default.ini; parsed like a user's value
  std::string_view unit = {};
  Allowed allowed = {};
  std::optional<EmptyValue> empty = {};  // nullopt: an empty value is an error
  Rule rule = Rule::none;
  Block block = Block::none;
  bool Config::*block_while = nullptr;  // blocks only while this feature is on; nullptr: always
  Privacy privacy = Privacy::open;
  std::string_view notice =
      {};                     // said once in the log when a user's file changes the key: the feature is not built yet, or does nothing here
  std::string_view doc = {};  // plain words for the user
};

/// Keys of the drop-in part are those of the Python driver; ours stand in sections of their own at the end of the default file.
enum class Origin : std::uint8_t { drop_in, ours };

struct Section {
  std::string_view heading;
  std::string_view introduction;
  std::span<const Key> keys;
  Origin origin = Origin::drop_in;
};

/// All sections in the order of the default file.
std::span<const Section> sections();

/// All keys in the order of the default file.
std::span<const Key* const> all_keys();

/// Looked up without regard to letter case; nullptr when there is no such key.
const Key* find_key(std::string_view name);

/// The key that lives in this member.
template <typename T>
const Key& key_of(T Config::*member) {
  const Member wanted = member;
  for (const Key* key : all_keys()) {
    if (key->member == wanted) return *key;
  }
  std::abort();  // every member is in the table; a test proves it
}

/// The known key that a misspelled one was probably meant to be; nullptr when none is near.
const Key* nearest_key(std::string_view misspelled);

/// The value of a key in a configuration, and the other way round. `value` has the alternative of the key's type.
Value get(const Config& config, const Key& key);
void put(Config& config, const Key& key, const Value& value);

// Groups of sections, one file each.
std::span<const Section> battery_sections();
std::span<const Section> connection_sections();
std::span<const Section> charging_sections();
std::span<const Section> curve_sections();
std::span<const Section> service_sections();
std::span<const Section> bms_sections();

}  // namespace serialbattery::config
