#include "config/draft.hpp"

#include <spdlog/fmt/fmt.h>

#include "config/old_names.hpp"
#include "config/references.hpp"
#include "config/text.hpp"

namespace serialbattery::config {

namespace {

constexpr int max_line_issues = 200;  // a file of another kind must not flood the log

bool may_hold_secret(std::string_view text) {
  const std::string upper = upper_case(text);
  return upper.find("PASS") != std::string::npos || upper.find("USERNAME") != std::string::npos;
}

}  // namespace

std::string block_text(Block block) {
  if (block == Block::none) return {};
  return fmt::format("; {} is blocked until this is corrected and the driver restarted",
                     block == Block::charge ? "charging" : "discharging");
}

std::string masked(const Key* key, std::string_view text) {
  if (text.empty()) return {};
  const bool secret = key != nullptr && key->privacy == Privacy::secret;
  return secret || may_hold_secret(text) ? "***" : printable(text);
}

Draft::Draft(std::span<const Source> sources) {
  for (const Source& source : sources) read_source(source);
  resolve_settings();
}

const Setting* Draft::setting(const Key& key) const {
  const auto found = settings_.find(&key);
  return found == settings_.end() ? nullptr : &found->second;
}

void Draft::use_default(const Key& key) {
  put(config, key, default_value(key));
}

void Draft::replace(const Key& key) {
  use_default(key);
  failed_.insert(&key);
}

Block Draft::block_of(const Key& key) const {
  return key.block_while == nullptr || config.*key.block_while ? key.block : Block::none;
}

void Draft::raise(const Key& key, Code code, std::string problem, std::string consequence, Block block) {
  issues.push_back(make_issue(key, code, std::move(problem), std::move(consequence), block));
}

Issue Draft::make_issue(const Key& key, Code code, std::string problem, std::string consequence, Block block) const {
  const Setting* line = setting(key);
  return {.place = line != nullptr ? line->place : Place(),
          .key = std::string(key.name),
          .value = masked(&key, line != nullptr ? line->written : std::string(key.default_text)),
          .code = code,
          .blocked = {.charge = block == Block::charge, .discharge = block == Block::discharge},
          .problem = std::move(problem),
          .consequence = std::move(consequence) + block_text(block),
          .replacement = {}};
}

void Draft::read_source(const Source& source) {
  if (!source.unreadable.empty() && !fatal) fatal = Fatal{"unreadable", {source.name, 0}, "the file can not be read: " + source.unreadable};
  IniFile file = read_ini(source.text);
  if (file.line_before_section) {
    if (!fatal)
      fatal = Fatal{
          "no-section", {source.name, *file.line_before_section}, "a key stands before any section: the first line must be [DEFAULT]"};
    return;
  }
  for (Defect& defect : file.defects) {
    report_line({.place = {source.name, defect.line},
                 .key = masked(nullptr, defect.text),
                 .value = {},
                 .code = defect.code,
                 .blocked = {},
                 .problem = std::move(defect.problem),
                 .consequence = defect.code == Code::unknown_section ? "the section is ignored" : "it is ignored",
                 .replacement = {}});
  }
  for (const Entry& entry : file.entries) take_entry(source, entry);
}

void Draft::take_entry(const Source& source, const Entry& entry) {
  const Place place{source.name, entry.line};
  const Key* key = find_key(entry.key);
  if (key == nullptr) {
    report_unknown_key(place, entry.key, entry.value);
    unknown_[upper_case(entry.key)] = entry.value;
    return;
  }
  const auto earlier = settings_.find(key);
  const int earlier_line = earlier != settings_.end() && earlier->second.place.file == source.name ? earlier->second.place.line : 0;
  settings_.insert_or_assign(key, Setting{.place = place, .written = entry.value, .text = {}, .resolved = true, .layer = source.layer});
  if (line_issues_ > max_line_issues) return;
  if (earlier_line != 0) {
    report_line(make_issue(*key, Code::duplicate, fmt::format("the key stands in line {} too", earlier_line), "the last one counts"));
  }
  if (entry.key != key->name) {
    report_line(make_issue(*key, Code::wrong_case, fmt::format("written as {}", entry.key),
                           "the value is used all the same; write the key in capital letters"));
  }
  if (entry.indented) {
    report_line(
        make_issue(*key, Code::indented, "the line is indented as if it continued the one above", "it is read as a key of its own"));
  }
}

void Draft::report_unknown_key(const Place& place, const std::string& name, const std::string& value) {
  if (line_issues_ > max_line_issues) return;
  Issue issue{.place = place,
              .key = printable(name, 60),
              .value = masked(nullptr, value),
              .code = Code::unknown_key,
              .blocked = {},
              .problem = "there is no such key",
              .consequence = "it is ignored",
              .replacement = {}};
  if (const OldName* old = find_old_name(name); old != nullptr) {
    issue.replacement = old->successor;
    issue.problem = old->successor.empty() ? "a key of an earlier version, without successor"
                                           : fmt::format("a key of an earlier version; now it is {}", old->successor);
    if (!old->remark.empty()) issue.problem += fmt::format(" ({})", old->remark);
  } else if (const Key* near = nearest_key(name); near != nullptr) {
    issue.problem += fmt::format("; did you mean {}?", near->name);
    issue.value = masked(near, value);
  }
  if (may_hold_secret(name)) issue.value = "***";
  report_line(std::move(issue));
}

void Draft::report_line(Issue issue) {
  ++line_issues_;
  if (line_issues_ == max_line_issues) {
    issue = {.place = issue.place,
             .key = {},
             .value = {},
             .code = Code::syntax,
             .blocked = {},
             .problem = "too many lines with problems",
             .consequence = "the further ones are not listed",
             .replacement = {}};
  }
  if (line_issues_ <= max_line_issues) issues.push_back(std::move(issue));
}

std::optional<std::string_view> Draft::referenced_text(const Key& from, const std::string& name) const {
  if (const Key* key = find_key(name)) {
    // A password must not come to light through the value of another key.
    if (key->privacy == Privacy::secret && from.privacy != Privacy::secret) return std::nullopt;
    const Setting* line = setting(*key);
    return line != nullptr ? std::string_view(line->written) : key->default_text;
  }
  const auto found = unknown_.find(name);
  return found == unknown_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

void Draft::resolve_settings() {
  for (auto& [key, line] : settings_) {
    const KeyText key_text = [this, from = key](const std::string& name) { return referenced_text(*from, name); };
    Resolved resolved = resolve_references(line.written, key_text);
    line.text = trim(resolved.text);
    line.resolved = resolved.complete;
  }
}

}  // namespace serialbattery::config
