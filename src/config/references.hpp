// The percent sign in values: %% and %(KEY)s (config.md 2.2).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace serialbattery::config {

/// The raw text of a key, by its upper-case name; nullopt when there is no such key.
using KeyText = std::function<std::optional<std::string_view>(const std::string& upper_case_name)>;

struct Resolved {
  std::string text;
  bool complete = true;  // false: references go deeper than 10 levels (or in a circle), or grow without bound; they stay as written
};

/// %% becomes %, %(KEY)s the value of that key; every other % stands for itself.
Resolved resolve_references(std::string_view text, const KeyText& key_text);

}  // namespace serialbattery::config
