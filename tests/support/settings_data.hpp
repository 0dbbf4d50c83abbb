// The rules of the settings service without the bus: types, conversions, limits, unique instances, the file. Spec settings.md A.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "venus/value.hpp"

namespace serialbattery::test {

using venus::Value;

struct Setting {
  char type = 'i';  // i integer, f real, s text
  Value value;
  Value initial;
  double min = 0;  // both 0: unlimited
  double max = 0;
  bool silent = false;
};

/// One setting of an AddSettings call.
struct NewSetting {
  std::optional<std::string> path;
  char type = 0;  // from the D-Bus type of the default; 0: none that the service knows
  Value initial;
  double min = 0;
  double max = 0;
  bool silent = false;
};

struct AddResult {
  int error = 0;
  bool created = false;
  bool attributes_changed = false;
};

class SettingsData {
 public:
  /// `path` of the new setting is absolute.
  AddResult add(const NewSetting& wanted);
  /// 0 done or equal, -1 refused. `changed` tells whether the value differs now.
  struct SetResult {
    int code;
    bool changed;
  };
  SetResult set(const std::string& path, const Value& value);
  bool remove(const std::string& path) { return settings_.erase(path) > 0; }

  [[nodiscard]] const Setting* find(const std::string& path) const;
  [[nodiscard]] const std::map<std::string, Setting>& all() const { return settings_; }
  [[nodiscard]] bool is_group(const std::string& path) const;

  /// Puts a setting there as an older driver left it, without any check.
  void preset(const std::string& path, Value value);

  void store(const std::filesystem::path& file) const;
  void load(const std::filesystem::path& file);

 private:
  [[nodiscard]] Value unique_instance(const std::string& path, const std::string& text) const;
  std::map<std::string, Setting> settings_;
};

}  // namespace serialbattery::test
