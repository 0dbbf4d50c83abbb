// From the text of config.default.ini and config.ini to a Config.
//
// Layers, lowest first: the built-in table, config.default.ini, config.ini; a later one replaces single keys. Pure but for load_folder().
// The loader always returns a complete set of values inside their ranges, whatever the bytes: a wrong value is replaced, listed as
// an issue, and blocks the direction whose safety it decides (config.md 3.3).
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/issue.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::config {

enum class Layer : std::uint8_t { shipped, user };

/// One file.
struct Source {
  std::string name;  // for messages: "config.ini"
  std::string text;  // its bytes
  Layer layer = Layer::user;
  std::string unreadable = {};  // why the file exists but could not be read
};

/// A mistake with which the process must not run: it logs the message, waits 60 s and leaves with code 1 (config.md 3.4, 4.16).
struct Fatal {
  std::string code;  // "no-section", "unknown-bms-type" or "unreadable"
  Place place;
  std::string message;
  bool operator==(const Fatal&) const = default;
};

/// A remark about a key that has no effect in this version. Not an issue.
struct Notice {
  Place place;
  std::string key;
  std::string text;
  bool operator==(const Notice&) const = default;
};

/// Where the value in use comes from.
struct KeyOrigin {
  Place place;            // no file: the built-in table
  bool replaced = false;  // the text at `place` was unusable or was corrected
  bool operator==(const KeyOrigin&) const = default;
};

struct Loaded {
  Config config;
  std::vector<Issue> issues;  // by file and line
  std::vector<Notice> notices;
  std::optional<Fatal> fatal;
  std::vector<KeyOrigin> origins;  // one per key, in the order of all_keys()
};

/// `built_types`: the names of the driver registry; empty: names in BMS_TYPE are not checked.
Loaded load(std::span<const Source> sources, std::span<const std::string_view> built_types = {});

/// Reads config.default.ini and config.ini of the folder. A missing file is no issue; one that exists and can not be read is
/// fatal, because the whole configuration of the user would be ignored.
Loaded load_folder(const std::filesystem::path& folder, std::span<const std::string_view> built_types = {});

}  // namespace serialbattery::config
