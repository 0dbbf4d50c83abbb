// Properties of the configuration loader: config.md 12, items 3 and 4, and its speed.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "config/key_table.hpp"
#include "config/report.hpp"
#include "config/values.hpp"
#include "support/config_invariants.hpp"
#include "unit/config_findings.hpp"

namespace serialbattery::config {
namespace {

void holds(const std::string& bytes) {
  const Loaded loaded = load_text(bytes);
  RC_ASSERT(broken_invariant(loaded) == "");
  RC_ASSERT(check_report(loaded).exit_status == (loaded.fatal || loaded.config.has_errors ? 1 : 0));
}

RC_GTEST_PROP(ConfigProperties, AnyBytesGiveACompleteConfiguration, (const std::string& bytes)) {
  holds(bytes);
}

rc::Gen<std::string> any_key() {
  return rc::gen::map(rc::gen::elementOf(std::vector<const Key*>(all_keys().begin(), all_keys().end())),
                      [](const Key* key) { return std::string(key->name); });
}

/// Values that are wrong in the ways people are wrong, among right ones.
rc::Gen<std::string> any_value() {
  return rc::gen::oneOf(
      rc::gen::element<std::string>("", "True", "false", "yes", "nan", "1e400", "-1", "3,45", "3.5 ; V", "0, 1", "1, 0", "0, 1, 0.5",
                                    "%(MAX_CELL_VOLTAGE)s", "%(LOGGING)s%(LOGGING)s", "0x01, 0x02", "Jkbms_Ble C8:47:8C:00:00:00"),
      rc::gen::map(rc::gen::inRange(-10, 6000), [](int n) { return std::to_string(n); }),
      rc::gen::map(rc::gen::inRange(0, 60000), [](int n) { return std::to_string(n / 1000.0); }),
      rc::gen::map(rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 120)),
                   [](const std::vector<int>& numbers) {
                     std::string list;
                     for (const int n : numbers) list += std::to_string(n) + ", ";
                     return list;
                   }),
      rc::gen::container<std::string>(rc::gen::character<char>()));
}

rc::Gen<std::string> any_line() {
  return rc::gen::mapcat(any_key(), [](const std::string& key) {
    return rc::gen::map(any_value(), [key](const std::string& value) { return key + " = " + value + "\n"; });
  });
}

RC_GTEST_PROP(ConfigProperties, AnySettingsGiveACompleteConfiguration, ()) {
  std::string text = "[DEFAULT]\n";
  for (const std::string& line : *rc::gen::container<std::vector<std::string>>(any_line())) text += line;
  holds(text);
}

/// A value's text as a file has to write it: a further line is indented, a percent sign doubled.
std::string in_file(std::string_view text) {
  std::string written;
  for (const char c : text) {
    written += c;
    if (c == '\n') written += ' ';
    if (c == '%') written += '%';
  }
  return written;
}

RC_GTEST_PROP(ConfigProperties, TheConfigurationInUseLoadsToItself, ()) {
  std::string text = "[DEFAULT]\n";
  for (const std::string& line : *rc::gen::container<std::vector<std::string>>(any_line())) text += line;
  const Loaded first = load_text(text);
  RC_PRE(!first.fatal);
  std::string written = "[DEFAULT]\n";
  for (const Key* key : all_keys()) {
    const Value value = get(first.config, *key);
    if (!std::holds_alternative<std::string>(value)) written += std::string(key->name) + " = " + in_file(to_text(value)) + "\n";
  }
  const Loaded second = load_text(written);
  for (const Key* key : all_keys()) {
    const Value value = get(first.config, *key);
    // What the checks across keys object to again may be corrected again; everything else is a fixed point.
    const bool objected = std::ranges::any_of(second.issues, [key](const Issue& issue) { return issue.key == key->name; });
    if (!std::holds_alternative<std::string>(value) && !objected) RC_ASSERT(get(second.config, *key) == value);
  }
}

std::string repeated(std::string_view line, std::size_t size) {
  std::string text = "[DEFAULT]\n";
  while (text.size() + line.size() <= size) text += line;
  return text;
}

TEST(ConfigSpeed, SixtyFourKibibytesTakeLittleTime) {
  constexpr std::size_t size = 64 * 1024;
  std::string references = "[DEFAULT]\n";
  for (int i = 0; i < 200; ++i)
    references += "K" + std::to_string(i) + " = " + repeated("%(K" + std::to_string(i + 1) + ")s", 300).substr(10) + "\n";
  for (const Key* key : all_keys()) references += std::string(key->name) + " = %(K0)s\n";
  const std::string texts[] = {
      repeated("MAX_CELL_VOLTAG = 1\n", size),
      repeated("LOGGING = INFO\n", size),
      repeated("x\n", size),
      repeated("[s]\n", size),
      repeated("LOGGING = X\n y\n", size),
      repeated("LOGGING=\n LOGGING=\n", size),
      repeated("%(LOGGING)s", size),
      references,
      "[DEFAULT]\nTEMPERATURE_1_NAME = " + repeated("%(", size).substr(10),
      "[DEFAULT]\nTIME_TO_SOC_POINTS = " + repeated("101,", size).substr(10),
      "[DEFAULT]\nBATTERY_ADDRESSES = " + repeated("zz,", size).substr(10),
  };
  for (const std::string& text : texts) {
    const auto start = std::chrono::steady_clock::now();
    const Loaded loaded = load_text(text);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    // Required are 50 ms; sanitizers and a loaded machine need room. What grows with the square of the size is far beyond.
    EXPECT_LT(elapsed, std::chrono::seconds(10)) << text.substr(0, 40);
    RecordProperty("microseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()));
    if (std::getenv("SB_SHOW_TIMES") != nullptr)
      std::printf("%ld us  %.30s\n", static_cast<long>(elapsed / std::chrono::microseconds(1)), text.c_str() + 10);
    EXPECT_EQ(broken_invariant(loaded), "");
  }
}

}  // namespace
}  // namespace serialbattery::config
