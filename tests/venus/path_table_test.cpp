// The path table without a bus: rounding, texts, types, and the reference document.
#include "venus/path_table.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <sstream>

namespace serialbattery::venus {
namespace {

TEST(Values, RoundingDecidesOnTheExactBinaryValue) {
  EXPECT_EQ(rounded(2.675, 2), 2.67);  // the double is a little below
  EXPECT_EQ(rounded(0.5, 0), 0.0);     // exact tie: to even
  EXPECT_EQ(rounded(1.5, 0), 2.0);
  EXPECT_EQ(rounded(0.125, 2), 0.12);
  EXPECT_EQ(rounded(230.00000000000003, 3), 230.0);
  EXPECT_EQ(rounded(-37.126, 2), -37.13);
  EXPECT_EQ(rounded(1e300, 2), 1e300);
  EXPECT_FALSE(std::signbit(*rounded(-0.001, 2)));
  EXPECT_FALSE(rounded(std::numeric_limits<double>::quiet_NaN(), 2));
  EXPECT_FALSE(rounded(-std::numeric_limits<double>::infinity(), 2));
}

TEST(Values, PlainNumbersReadBack) {
  EXPECT_EQ(plain_number(3), "3.0");
  EXPECT_EQ(plain_number(13.28), "13.28");
  EXPECT_EQ(plain_number(1e-5), "1e-05");
  EXPECT_EQ(plain_number(100000), "100000.0");
  EXPECT_EQ(plain_number(1e22), "1e+22");
  EXPECT_EQ(plain_number(0), "0.0");
}

TEST(Values, Texts) {
  EXPECT_EQ(text_of(Value(), plain_text), "---");
  EXPECT_EQ(text_of(Value(53.1), fixed_text(2, "V")), "53.10V");
  EXPECT_EQ(text_of(Value(2.5), fixed_text(0, "W")), "2W");
  EXPECT_EQ(text_of(Value(std::int64_t{47735}), hex_text), "0xBA77");
  EXPECT_EQ(text_of(Value(std::string("a")), plain_text), "a");
}

TEST(Values, Conversions) {
  const auto number = [](const Value& v) { return converted(v, Type::integer); };
  EXPECT_EQ(number(3.9), Value(std::int64_t{3}));
  EXPECT_EQ(number(std::string("7")), Value(std::int64_t{7}));
  EXPECT_EQ(number(std::string("7.5")), std::nullopt);
  EXPECT_EQ(number(std::string("")), std::nullopt);
  EXPECT_EQ(number(1e300), std::nullopt);
  EXPECT_EQ(number(Value()), std::nullopt);
  EXPECT_EQ(converted(std::string("1.5"), Type::real), Value(1.5));
  EXPECT_EQ(converted(std::string("nan"), Type::real), std::nullopt);
  EXPECT_EQ(converted(std::int64_t{1}, Type::text), std::nullopt);
}

TEST(Values, OnlyCleanUtf8GoesToTheBus) {
  EXPECT_TRUE(is_clean_text("Gar\u00e4ge \u20ac \U0001F50B"));
  for (const std::string bad : {"\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"}) EXPECT_FALSE(is_clean_text(bad));
  EXPECT_FALSE(is_clean_text(std::string_view("a\0b", 3)));
  EXPECT_EQ(cleaned_text("a\xE2\x82z"), "a\uFFFD\uFFFDz");
}

ServiceInfo some_info() {
  return {};
}

/// Every kind of path, with all conditions met.
PathTable full_table(const ServiceInfo& info, Config& config, int format) {
  config.battery_cell_data_format = format;
  config.soc_calculation = true;
  config.time_to_soc_points = {0, 50, 100};
  static const Controls controls{true, true, true, true, true, true};
  return make_path_table({info, config, controls, 4});
}

TEST(PathTableRows, AreConsistent) {
  const auto info = some_info();
  for (const int format : {0, 1, 2, 3}) {
    Config config;
    const auto table = full_table(info, config, format);
    ASSERT_EQ(table.items.size(), table.bindings.size());
    for (std::size_t i = 0; i < table.items.size(); ++i) {
      const auto& row = *table.bindings[i].row;
      EXPECT_EQ(row.decimals >= 0, row.type == Type::real) << row.path << ": every real has its rounding, nothing else has";
      EXPECT_EQ(row.path.find('<') != std::string_view::npos, row.repeat != Repeat::once) << row.path;
      EXPECT_EQ(table.items[i].path.find('<'), std::string::npos) << row.path;
      EXPECT_FALSE(row.content.empty()) << row.path;
      EXPECT_EQ(row.when != nullptr && row.when_text.empty(), false) << row.path << " needs its condition in words";
    }
  }
}

TEST(PathTableRows, EveryGetterKeepsItsType) {
  const auto info = some_info();
  Config config;
  const auto table = full_table(info, config, 1);
  control::Snapshot snapshot;
  snapshot.cell_count = 4;
  snapshot.cells.resize(4, {3.3, true});
  const Source source{info, config, snapshot};
  for (std::size_t i = 0; i < table.items.size(); ++i) {
    const auto& [row, n] = table.bindings[i];
    if (row->get == nullptr) continue;
    const auto value = row->get(source, n);
    if (std::holds_alternative<std::monostate>(value)) continue;
    const auto expected = row->type == Type::integer ? 1U : row->type == Type::real ? 2U : 3U;
    EXPECT_EQ(value.index(), expected) << row->path;
  }
}

TEST(PathTableRows, LimitsAreSafeBeforeControlSaidAnything) {
  const auto info = some_info();
  Config config;
  const auto table = full_table(info, config, 1);
  const control::Snapshot nothing;
  for (std::size_t i = 0; i < table.items.size(); ++i) {
    const auto& path = table.items[i].path;
    if (path != "/Info/MaxChargeCurrent" && path != "/Info/MaxDischargeCurrent") continue;
    EXPECT_EQ(table.bindings[i].row->get({info, config, nothing}, 0), ValueView(0.0)) << path;
  }
}

TEST(PathReference, TheCommittedDocumentIsCurrent) {
  std::ifstream file(std::string(SB_SOURCE_DIR) + "/docs/dbus-paths.md");
  std::stringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(committed.str(), path_reference()) << "run: generate-docs dbus-paths > docs/dbus-paths.md";
}

}  // namespace
}  // namespace serialbattery::venus
