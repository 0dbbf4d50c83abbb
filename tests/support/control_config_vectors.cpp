// The kinds "config" and "config-keys" of the control vectors, through the loader.
#include <array>
#include <boost/json.hpp>
#include <set>

#include "config/key_table.hpp"
#include "config/loader.hpp"
#include "support/control_vectors.hpp"

namespace serialbattery::test {
namespace {

namespace json = boost::json;

json::value to_json(const config::Value& value) {
  return std::visit([](const auto& alternative) { return json::value_from(alternative); }, value);
}

std::string block_text(const Blocked& blocked) {
  if (blocked.charge && blocked.discharge) return "both";
  if (blocked.charge) return "charge";
  return blocked.discharge ? "discharge" : "none";
}

std::string issue_text(std::string_view key, std::string_view code, std::string_view severity) {
  return std::string(key) + " " + std::string(code) + " (" + std::string(severity) + ")";
}

config::Loaded load(const json::value& ini) {
  if (ini.is_null()) return config::load({});
  const std::array sources{config::Source{.name = "config.ini", .text = std::string(ini.as_string())}};
  return config::load(sources);
}

void compare_issues(const json::array& expected, const std::vector<config::Issue>& got, VectorResult& result) {
  std::set<std::string> wanted;
  std::set<std::string> found;
  for (const auto& value : expected) {
    const auto& issue = value.as_object();
    wanted.insert(issue_text(issue.at("key").as_string(), issue.at("code").as_string(), issue.at("class").as_string()));
    if (!issue.contains("replacement")) continue;
    for (const auto& one : got) {
      if (one.key != issue.at("key").as_string()) continue;
      if (auto text = difference("replacement of " + one.key, issue.at("replacement"), json::string(one.replacement)); !text.empty()) {
        result.problems.push_back(std::move(text));
      }
    }
  }
  for (const auto& issue : got) {
    found.insert(issue_text(issue.key, to_text(issue.code), severity_of(issue.code) == config::Severity::error ? "E" : "N"));
  }
  for (const auto& text : wanted) {
    if (!found.contains(text)) result.problems.push_back("missing issue: " + text);
  }
  for (const auto& text : found) {
    if (!wanted.contains(text)) result.problems.push_back("unexpected issue: " + text);
  }
}

void compare(std::string_view name, const json::value& expected, const json::value& got, VectorResult& result) {
  if (expected.is_array() && got.is_array() && expected.as_array().size() == got.as_array().size()) {
    for (std::size_t i = 0; i < expected.as_array().size(); ++i) compare(name, expected.as_array()[i], got.as_array()[i], result);
    return;
  }
  if (auto text = difference(name, expected, got); !text.empty()) result.problems.push_back(std::move(text));
}

void run_case(const json::object& one, VectorResult& result) {
  const auto loaded = load(one.at("config_ini"));
  const auto& expect = one.at("expect").as_object();
  if (const auto* fatal = expect.if_contains("fatal")) {
    compare("fatal", *fatal, loaded.fatal ? json::value(loaded.fatal->code) : nullptr, result);
    return;
  }
  if (loaded.fatal) result.problems.push_back("unexpected fatal error " + loaded.fatal->code);
  for (const auto& [name, value] : expect.at("values").as_object()) {
    const auto* key = config::find_key(name);
    if (key == nullptr) {
      result.problems.push_back("no key " + std::string(name));
      continue;
    }
    compare(name, value, to_json(config::get(loaded.config, *key)), result);
  }
  compare_issues(expect.at("issues").as_array(), loaded.issues, result);
  compare("error_119", expect.at("error_119"), loaded.config.has_errors, result);
  compare("block", expect.at("block"), json::string(block_text(loaded.config.blocked)), result);
}

// The types of the vectors, in the order of config::Value.
constexpr std::array<std::string_view, std::variant_size_v<config::Value>> kTypes{"boolean",         "number",           "integer",
                                                                                  "number or empty", "integer or empty", "string",
                                                                                  "list of numbers", "list of integers", "list of strings"};

}  // namespace

std::vector<VectorResult> run_config_cases(const json::object& file) {
  std::vector<VectorResult> results;
  for (const auto& value : file.at("cases").as_array()) {
    const auto& one = value.as_object();
    VectorResult result{std::string(one.at("id").as_string()), {}};
    run_case(one, result);
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<VectorResult> run_config_keys(const json::object& file) {
  std::vector<VectorResult> results;
  for (const auto& value : file.at("keys").as_array()) {
    const auto& entry = value.as_object();
    VectorResult result{std::string(entry.at("key").as_string()), {}};
    const auto* key = config::find_key(result.id);
    if (key == nullptr || key->name != result.id) {
      result.problems.emplace_back("missing in the key table");
    } else {
      compare("type", entry.at("type"), json::string(kTypes[key->member.index()]), result);
      const auto written = load(json::string("[DEFAULT]\n" + result.id + " = " + std::string(entry.at("default").as_string()) + "\n"));
      compare("default", to_json(config::get(written.config, *key)), to_json(config::get(default_config(), *key)), result);
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace serialbattery::test
