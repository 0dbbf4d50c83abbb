// A configuration in the making: the layered settings, the values so far, and what was found wrong with them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/ini_file.hpp"
#include "config/issue.hpp"
#include "config/key_table.hpp"
#include "config/loader.hpp"
#include "config/values.hpp"

namespace serialbattery::config {

/// The line that decides about a key: the last one of the topmost file that names it.
struct Setting {
  Place place;
  std::string written;  // as in the file
  std::string text;     // with references resolved
  bool resolved = true;
  Layer layer = Layer::user;
};

class Draft {
 public:
  Config config;

  /// Reads the files from the bottom up. Findings about lines become issues, a refused file a Fatal.
  explicit Draft(std::span<const Source> sources);

  /// nullptr: no file names the key.
  [[nodiscard]] const Setting* setting(const Key& key) const;

  /// The key's own text was unusable and its default stands in.
  [[nodiscard]] bool failed(const Key& key) const { return failed_.contains(&key); }

  /// Sets the built-in default.
  void use_default(const Key& key);

  /// Puts the default in place of an unusable text and remembers that.
  void replace(const Key& key);

  /// Records an issue of a key. `block`: the direction it blocks.
  void raise(const Key& key, Code code, std::string problem, std::string consequence, Block block = Block::none);

  /// The direction that an invalid value of this key blocks under the present configuration.
  [[nodiscard]] Block block_of(const Key& key) const;

  std::vector<Issue> issues;
  std::optional<Fatal> fatal;

 private:
  void read_source(const Source& source);
  void take_entry(const Source& source, const Entry& entry);
  void report_unknown_key(const Place& place, const std::string& name, const std::string& value);
  void report_line(Issue issue);
  [[nodiscard]] Issue make_issue(const Key& key, Code code, std::string problem, std::string consequence, Block block = Block::none) const;
  [[nodiscard]] std::optional<std::string_view> referenced_text(const Key& from, const std::string& name) const;
  void resolve_settings();

  std::map<const Key*, Setting> settings_;
  std::map<std::string, std::string> unknown_;  // values of unknown keys by upper-case name: references may name them
  std::set<const Key*> failed_;
  int line_issues_ = 0;
};

/// Checks of config.md 5 and 2.4, in their order; corrects the draft's values.
void check_across_keys(Draft& draft);
void check_curves(Draft& draft);

/// "charging is blocked until ..." or empty.
std::string block_text(Block block);

/// "***" for what may be a password.
std::string masked(const Key* key, std::string_view text);

}  // namespace serialbattery::config
