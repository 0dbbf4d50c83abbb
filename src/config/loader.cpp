#include "config/loader.hpp"

#include <spdlog/fmt/fmt.h>

#include "config/draft.hpp"
#include "config/items.hpp"
#include "config/text.hpp"

namespace serialbattery::config {

namespace {

std::string substitute_text(const Key& key) {
  if (key.default_text.empty()) return key.empty ? fmt::format("read as empty ({})", key.empty->means) : "read as empty";
  return fmt::format("{}{}{} is used instead", key.default_text, key.unit.empty() ? "" : " ", key.unit);
}

Reading read_setting(const Key& key, const Setting& setting) {
  Reading reading = parse_value(key, setting.text);
  const bool reported_anyway = !reading.failures.empty();
  if (!setting.resolved && !reported_anyway) {
    return {.value = std::nullopt, .failures = {{Code::bad_value, "the references to other keys go in a circle or too deep"}}};
  }
  return reading;
}

void report_value(Draft& draft, const Key& key, const Reading& reading) {
  if (reading.comment_removed) {
    draft.raise(key, Code::inline_comment, "a comment stands behind the value", "it is left out; put comments on lines of their own");
  }
  for (const Failure& failure : reading.failures) {
    if (reading.value) {
      draft.raise(key, failure.code, failure.problem, "the entry is left out");
    } else {
      draft.raise(key, failure.code, failure.problem, substitute_text(key), draft.block_of(key));
    }
  }
}

/// First all values, then the issues: whether one blocks depends on other keys.
void apply_settings(Draft& draft) {
  std::vector<std::pair<const Key*, Reading>> remarkable;
  for (const Key* key : all_keys()) {
    const Setting* setting = draft.setting(*key);
    if (setting == nullptr) {
      draft.use_default(*key);
      continue;
    }
    Reading reading = read_setting(*key, *setting);
    if (reading.value) {
      put(draft.config, *key, *reading.value);
    } else {
      draft.replace(*key);
    }
    if (reading.comment_removed || !reading.failures.empty()) remarkable.emplace_back(key, std::move(reading));
  }
  for (const auto& [key, reading] : remarkable) report_value(draft, *key, reading);
}

Notice planned_type_notice(const Place& place, const std::string& name) {
  return {place, "BMS_TYPE", fmt::format("the driver for {} is not built into this version yet; the name has no effect", name)};
}

Fatal unknown_type(const Place& place, const std::string& name, std::span<const std::string_view> built) {
  const std::vector<std::string> names(built.begin(), built.end());
  const std::string_view suggestion = suggested_type(name, built);
  const std::string hint = suggestion.empty() ? "" : fmt::format(" Did you mean {}?", suggestion);
  return {"unknown-bms-type", place,
          fmt::format("BMS_TYPE: there is no type {}.{} Known types: {}", printable(name, 60), hint, join(names, ", "))};
}

void check_bms_types(Loaded& loaded, const Place& place, std::span<const std::string_view> built) {
  if (built.empty()) return;
  for (const std::string& name : loaded.config.bms_type) {
    const TypeState state = type_state(name, built);
    if (state == TypeState::unknown && !loaded.fatal) loaded.fatal = unknown_type(place, name, built);
    if (state == TypeState::planned) loaded.notices.push_back(planned_type_notice(place, name));
  }
}

/// Settings of the user without effect in this version.
std::vector<Notice> collect_notices(const Draft& draft) {
  std::vector<Notice> notices;
  for (const Key* key : all_keys()) {
    const Setting* setting = draft.setting(*key);
    const bool by_user = setting != nullptr && setting->layer == Layer::user;
    if (by_user && !key->notice.empty() && get(draft.config, *key) != default_value(*key)) {
      notices.push_back({setting->place, std::string(key->name), std::string(key->notice)});
    }
  }
  return notices;
}

std::vector<KeyOrigin> collect_origins(const Draft& draft) {
  std::vector<KeyOrigin> origins;
  for (const Key* key : all_keys()) {
    const Setting* setting = draft.setting(*key);
    if (setting == nullptr) {
      const bool corrected = get(draft.config, *key) != default_value(*key);
      origins.push_back({Place(), corrected});
    } else {
      const Reading reading = parse_value(*key, setting->text);
      const bool as_written = !draft.failed(*key) && reading.value && reading.failures.empty() && *reading.value == get(draft.config, *key);
      origins.push_back({setting->place, !as_written});
    }
  }
  return origins;
}

/// In the order of the files and their lines; issues of unset keys come last.
void sort_issues(std::vector<Issue>& issues, std::span<const Source> sources) {
  const auto rank = [sources](const Issue& issue) {
    const auto file = std::ranges::find(sources, issue.place.file, &Source::name) - sources.begin();
    return std::pair(file, issue.place.line);
  };
  std::ranges::stable_sort(issues, {}, rank);
}

/// One line per erroneous key, for /Info/ChargeModeDebug.
std::vector<std::string> issue_lines(std::span<const Issue> issues) {
  std::vector<std::string> keys;
  std::vector<std::string> lines;
  for (const Issue& issue : issues) {
    const bool listed = std::ranges::find(keys, issue.key) != keys.end();
    if (severity_of(issue.code) != Severity::error || listed) continue;
    keys.push_back(issue.key);
    lines.push_back(fmt::format("Config: {} {}", issue.key, to_text(issue.code)));
  }
  return lines;
}

void summarise(Loaded& loaded) {
  for (const Issue& issue : loaded.issues) {
    if (severity_of(issue.code) == Severity::error) loaded.config.has_errors = true;
    if (issue.blocked.charge) loaded.config.blocked.charge = true;
    if (issue.blocked.discharge) loaded.config.blocked.discharge = true;
  }
  loaded.config.issue_lines = issue_lines(loaded.issues);
}

bool capacity_stated_by_user(const Draft& draft) {
  const Key& key = key_of(&Config::battery_capacity);
  const Setting* setting = draft.setting(key);
  return setting != nullptr && setting->layer == Layer::user && !draft.failed(key);
}

}  // namespace

Loaded load(std::span<const Source> sources, std::span<const std::string_view> built_types) {
  Draft draft(sources);
  apply_settings(draft);
  check_across_keys(draft);

  Loaded loaded;
  loaded.fatal = draft.fatal;
  loaded.notices = collect_notices(draft);
  loaded.origins = collect_origins(draft);
  loaded.config = draft.config;
  loaded.config.battery_capacity_in_user_file = capacity_stated_by_user(draft);
  loaded.issues = std::move(draft.issues);
  sort_issues(loaded.issues, sources);
  summarise(loaded);
  const Setting* types = draft.setting(key_of(&Config::bms_type));
  check_bms_types(loaded, types != nullptr ? types->place : Place(), built_types);
  return loaded;
}

}  // namespace serialbattery::config

namespace serialbattery {

Config default_config() {
  return config::load({}).config;
}

}  // namespace serialbattery
