// The key table and the loader against the vectors config_keys.json and config_cases.json.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <tuple>

#include "config/key_table.hpp"
#include "config/loader.hpp"

namespace serialbattery::config {
namespace {

namespace json = boost::json;

json::value read_vectors(const std::string& name) {
  std::ifstream file(std::filesystem::path(SB_TEST_VECTORS) / "control" / name);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return json::parse(text);
}

std::string_view text_of(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

// The words of config_keys.json for the types, in the order of Member.
constexpr std::string_view vector_types[] = {"boolean", "number",          "integer",          "number or empty", "integer or empty",
                                             "string",  "list of numbers", "list of integers", "list of strings"};

TEST(ConfigKeys, TableEqualsTheKeyVectors) {
  const auto vectors = read_vectors("config_keys.json");
  std::vector<std::tuple<std::string_view, std::string_view, std::string_view>> expected;
  for (const auto& key : vectors.at("keys").as_array()) {
    expected.emplace_back(text_of(key.at("key")), text_of(key.at("type")), text_of(key.at("default")));
  }
  std::vector<std::tuple<std::string_view, std::string_view, std::string_view>> actual;
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      if (section.origin == Origin::drop_in) actual.emplace_back(key.name, vector_types[key.member.index()], key.default_text);
    }
  }
  EXPECT_EQ(expected.size(), 121u);
  EXPECT_EQ(actual, expected);
}

struct Case {
  std::string id;
  json::value data;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.id;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  const auto vectors = read_vectors("config_cases.json");
  for (const auto& data : vectors.at("cases").as_array()) cases.push_back({std::string(text_of(data.at("id"))), data});
  return cases;
}

bool equal(const json::value& expected, double actual) {
  return expected.is_number() && expected.to_number<double>() == actual;
}
bool equal(const json::value& expected, int actual) {
  return expected.is_number() && expected.to_number<double>() == actual;
}
bool equal(const json::value& expected, bool actual) {
  return expected.is_bool() && expected.as_bool() == actual;
}
bool equal(const json::value& expected, const std::string& actual) {
  return expected.is_string() && text_of(expected) == actual;
}

template <typename T>
bool equal(const json::value& expected, const std::optional<T>& actual) {
  return actual ? equal(expected, *actual) : expected.is_null();
}

template <typename T>
bool equal(const json::value& expected, const std::vector<T>& actual) {
  if (!expected.is_array() || expected.as_array().size() != actual.size()) return false;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!equal(expected.as_array()[i], actual[i])) return false;
  }
  return true;
}

std::string_view block_word(const Blocked& blocked) {
  if (blocked.charge) return blocked.discharge ? "both" : "charge";
  return blocked.discharge ? "discharge" : "none";
}

class ConfigCase : public testing::TestWithParam<Case> {};

TEST_P(ConfigCase, GivesTheRequiredResult) {
  const json::value& data = GetParam().data;
  std::vector<Source> sources;
  if (const auto& text = data.at("config_ini"); text.is_string()) sources.push_back({"config.ini", std::string(text_of(text))});
  const Loaded loaded = load(sources);

  const json::object& expect = data.at("expect").as_object();
  if (const auto* fatal = expect.if_contains("fatal")) {
    ASSERT_TRUE(loaded.fatal);
    EXPECT_EQ(loaded.fatal->code, text_of(*fatal));
    return;
  }
  EXPECT_FALSE(loaded.fatal);
  for (const auto& [name, value] : expect.at("values").as_object()) {
    const Key* key = find_key({name.data(), name.size()});
    ASSERT_NE(key, nullptr) << name;
    EXPECT_TRUE(std::visit([&](const auto& actual) { return equal(value, actual); }, get(loaded.config, *key)))
        << name << " should be " << value;
  }

  using Finding = std::tuple<std::string, std::string, std::string, std::string>;
  std::multiset<Finding> expected, actual;
  for (const auto& issue : expect.at("issues").as_array()) {
    const auto* replacement = issue.as_object().if_contains("replacement");
    expected.emplace(text_of(issue.at("key")), text_of(issue.at("code")), text_of(issue.at("class")),
                     replacement ? text_of(*replacement) : "");
  }
  for (const Issue& issue : loaded.issues) {
    actual.emplace(issue.key, to_text(issue.code), severity_of(issue.code) == Severity::error ? "E" : "N", issue.replacement);
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(loaded.config.has_errors, expect.at("error_119").as_bool());
  EXPECT_EQ(block_word(loaded.config.blocked), text_of(expect.at("block")));
}

std::string test_name(const testing::TestParamInfo<Case>& tested) {
  std::string name = tested.param.id;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Vectors, ConfigCase, testing::ValuesIn(all_cases()), test_name);

}  // namespace
}  // namespace serialbattery::config
