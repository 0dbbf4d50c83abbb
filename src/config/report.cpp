#include "config/report.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "config/draft.hpp"
#include "config/key_table.hpp"
#include "config/text.hpp"
#include "config/values.hpp"

namespace serialbattery::config {

namespace {

using Published = decltype(PublishedValue::value);

std::string place_text(const Place& place) {
  if (place.file.empty()) return "built-in";
  return place.line == 0 ? place.file : fmt::format("{} line {}", place.file, place.line);
}

std::string origin_text(const KeyOrigin& origin) {
  const std::string place = place_text(origin.place);
  return origin.replaced ? place + ", corrected" : place;
}

/// "KEY = value", "[section]" or the text of the line.
std::string subject_text(const Issue& issue) {
  if (issue.code == Code::unknown_section) return fmt::format("[{}]", issue.key);
  if (issue.code == Code::syntax) return issue.key.empty() ? "the file" : issue.key;
  return fmt::format("{} = {}", issue.key, issue.value);
}

long count_of(const Loaded& loaded, Severity severity) {
  return std::ranges::count_if(loaded.issues, [severity](const Issue& issue) { return severity_of(issue.code) == severity; });
}

std::string blocked_text(const Blocked& blocked) {
  if (blocked.charge && blocked.discharge) return "Charging and discharging are blocked.";
  if (blocked.charge) return "Charging is blocked.";
  return blocked.discharge ? "Discharging is blocked." : "";
}

std::string counted(long count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string verdict_text(const Loaded& loaded) {
  if (loaded.fatal) return "The driver does not run with this configuration.";
  const long errors = count_of(loaded, Severity::error);
  const long remarks = count_of(loaded, Severity::remark);
  if (errors == 0 && remarks == 0) return "No problems.";
  std::string verdict = fmt::format("{}, {}.", counted(errors, "error"), counted(remarks, "remark"));
  if (const std::string blocked = blocked_text(loaded.config.blocked); !blocked.empty()) verdict += " " + blocked;
  return verdict;
}

struct Publisher {
  Published operator()(bool value) const { return value ? 1 : 0; }
  Published operator()(int value) const { return value; }
  Published operator()(double value) const { return value; }
  Published operator()(const std::string& value) const { return value; }
  template <typename T>
  Published operator()(const std::optional<T>& value) const {
    return value ? Published(*value) : Published();
  }
  template <typename T>
  Published operator()(const std::vector<T>& list) const {
    return to_text(Value(list));
  }
};

}  // namespace

std::string issue_text(const Issue& issue) {
  return fmt::format("{}: {}: {} ({}); {}", place_text(issue.place), subject_text(issue), issue.problem, to_text(issue.code),
                     issue.consequence);
}

std::vector<LogLine> issue_block(const Loaded& loaded) {
  if (loaded.issues.empty()) return {};
  std::vector<LogLine> lines;
  const auto worst = count_of(loaded, Severity::error) > 0 ? spdlog::level::err : spdlog::level::warn;
  lines.push_back({worst, fmt::format("CONFIG ISSUES DETECTED: {}", verdict_text(loaded))});
  for (const Issue& issue : loaded.issues) {
    lines.push_back({severity_of(issue.code) == Severity::error ? spdlog::level::err : spdlog::level::warn, "|- " + issue_text(issue)});
  }
  lines.push_back({worst, "Every key is explained in config.default.ini. Correct config.ini beside it, then restart the driver."});
  return lines;
}

std::vector<LogLine> notice_lines(const Loaded& loaded) {
  std::vector<LogLine> lines;
  for (const Notice& notice : loaded.notices) {
    lines.push_back({spdlog::level::warn, fmt::format("{}: {}: {}", place_text(notice.place), notice.key, notice.text)});
  }
  return lines;
}

std::vector<LogLine> fatal_lines(const Loaded& loaded) {
  if (!loaded.fatal) return {};
  return {{spdlog::level::err, fmt::format("{}: {}", place_text(loaded.fatal->place), loaded.fatal->message)}};
}

std::vector<std::string> effective_lines(const Loaded& loaded) {
  std::vector<std::string> lines;
  const auto keys = all_keys();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Key& key = *keys[i];
    const std::string value = to_text(get(loaded.config, key));
    const std::string shown = key.privacy == Privacy::secret && !value.empty() ? "***" : value;
    lines.push_back(fmt::format("{} = {}  ({})", key.name, shown, origin_text(loaded.origins[i])));
  }
  return lines;
}

CheckReport check_report(const Loaded& loaded) {
  std::string text;
  for (const std::string& line : effective_lines(loaded)) text += line + "\n";
  for (const auto& block : {fatal_lines(loaded), notice_lines(loaded), issue_block(loaded)}) {
    if (!block.empty()) text += "\n";
    for (const LogLine& line : block) text += line.text + "\n";
  }
  text += "\n" + verdict_text(loaded) + "\n";
  return {text, loaded.fatal || loaded.config.has_errors ? 1 : 0};
}

std::vector<PublishedValue> published_values(const Config& config) {
  std::vector<PublishedValue> values;
  for (const Key* key : all_keys()) {
    if (key->privacy == Privacy::open) values.push_back({key->name, std::visit(Publisher(), get(config, *key))});
  }
  return values;
}

}  // namespace serialbattery::config
