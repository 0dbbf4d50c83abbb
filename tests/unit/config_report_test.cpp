// What the user sees: issue block, --check-config, /Info/Config, and the generated files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/generate.hpp"
#include "config/key_table.hpp"
#include "config/report.hpp"
#include "unit/config_findings.hpp"

namespace serialbattery::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string committed(const std::string& file) {
  std::ifstream stream(std::filesystem::path(SB_SOURCE_DIR) / file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> block(const Loaded& loaded) {
  std::vector<std::string> texts;
  for (const LogLine& line : issue_block(loaded)) texts.push_back(line.text);
  return texts;
}

TEST(ConfigReport, BlockNamesPlaceValueProblemAndConsequence) {
  EXPECT_THAT(
      block(load_text("[DEFAULT]\n\nMAX_CELL_VOLTAGE = 3,45\n")),
      ElementsAre("CONFIG ISSUES DETECTED: 1 error, 0 remarks. Charging is blocked.",
                  "|- config.ini line 3: MAX_CELL_VOLTAGE = 3,45: not a number, allowed is 0.5 to 5 V/cell (bad-number); 3.450 V/cell is "
                  "used instead; charging is blocked until this is corrected and the driver restarted",
                  HasSubstr("config.default.ini")));
  EXPECT_THAT(block(load_text("[DEFAULT]\n")), IsEmpty());
}

TEST(ConfigReport, RemarksAreWarnings) {
  for (const LogLine& line : issue_block(load_text("[DEFAULT]\nPOLL_INTERVAL = 2 ; s\n")))
    EXPECT_EQ(line.level, spdlog::level::warn) << line.text;
}

TEST(ConfigReport, IssuesStandInTheOrderOfFilesAndLines) {
  const Source shipped{"config.default.ini", "[DEFAULT]\nHISTORY_ENABLE = 1\n", Layer::shipped};
  const Source user{"config.ini", "[DEFAULT]\nTELEMETRY = 0\nrubbish\nLOGGING = X\nMAX_CELL_VOLTAGE = 3.55\n"};
  const Loaded loaded = load(std::array{shipped, user});
  EXPECT_THAT(findings(loaded), ElementsAre("HISTORY_ENABLE bad-bool E", "TELEMETRY bad-bool E", "rubbish syntax E", "LOGGING bad-value E",
                                            "CELL_VOLTAGES_WHILE_CHARGING top-below-max E"));
  EXPECT_THAT(issue_text(loaded.issues[0]), testing::StartsWith("config.default.ini line 2: HISTORY_ENABLE = 1"));
  EXPECT_THAT(issue_text(loaded.issues[4]), testing::StartsWith("built-in: CELL_VOLTAGES_WHILE_CHARGING = 3.500, "));
}

TEST(ConfigReport, SecretsAreMaskedHoweverTheyAreMisspelled) {
  for (const char* line :
       {"MQTT_PASSWORD = hunter2", "mqtt_password = hunter2", "MQTT_PASWORD = hunter2", "MQTT_PASSWORD hunter2", "MQTT_USER_NAME = hunter2",
        "[MQTT_PASSWORD hunter2", "LOGGING = INFO\n MQTT PASSWORD hunter2", "MQTT_PASSWORD = x\nMQTT_PASSWORD = hunter2"}) {
    const Loaded loaded = load_text(std::string("[DEFAULT]\n") + line + "\n");
    EXPECT_THAT(check_report(loaded).text, Not(HasSubstr("hunter2"))) << line;
    for (const std::string& text : loaded.config.issue_lines) EXPECT_THAT(text, Not(HasSubstr("hunter2"))) << line;
  }
}

TEST(ConfigReport, TextsOfTheFileCanNotForgeLogLines) {
  const Loaded loaded = load_text("[DEFAULT]\nLOGGING = a\n  b\n  \x1B[31m\nrubb\rish\n");
  for (const LogLine& line : issue_block(loaded))
    EXPECT_TRUE(std::ranges::none_of(line.text, [](char c) { return c >= 0 && c < 0x20; })) << line.text;
}

TEST(ConfigReport, CheckShowsValuesOriginsAndVerdict) {
  const CheckReport report =
      check_report(load_text("[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 80\nFLOAT_CELL_VOLTAGE = 3.5\nCAN_PORT = can0\n"));
  EXPECT_EQ(report.exit_status, 1);
  EXPECT_THAT(report.text, HasSubstr("\nMAX_BATTERY_CHARGE_CURRENT = 80  (config.ini line 2)\n"));
  EXPECT_THAT(report.text, HasSubstr("\nFLOAT_CELL_VOLTAGE = 3.45  (config.ini line 3, corrected)\n"));
  EXPECT_THAT(report.text, HasSubstr("\nMAX_CELL_VOLTAGE = 3.45  (built-in)\n"));
  EXPECT_THAT(report.text, HasSubstr("config.ini line 4: CAN_PORT: CAN is not built into this version yet"));
  EXPECT_THAT(report.text, HasSubstr("1 error, 0 remarks."));
}

TEST(ConfigReport, CheckSucceedsWithoutErrors) {
  EXPECT_EQ(check_report(load_text("[DEFAULT]\nPOLL_INTERVAL = 2 ; s\n")).exit_status, 0);
  EXPECT_EQ(check_report(load({})).exit_status, 0);
  EXPECT_THAT(check_report(load({})).text, HasSubstr("No problems."));
  const CheckReport fatal = check_report(load_text("LOGGING = INFO\n"));
  EXPECT_EQ(fatal.exit_status, 1);
  EXPECT_THAT(fatal.text, HasSubstr("does not run"));
}

TEST(ConfigReport, PublishedValuesHaveTheTypesOfTheBusAndNoSecrets) {
  std::map<std::string_view, decltype(PublishedValue::value)> values;
  const Loaded loaded =
      load_text("[DEFAULT]\nMQTT_USERNAME = me\nMQTT_PASSWORD = hunter2\nMQTT_TLS_PATH_TO_CA = /data/ca.pem\nPOLL_INTERVAL = 1.5\n");
  for (const PublishedValue& item : published_values(loaded.config)) values[item.key] = item.value;
  using Value = decltype(PublishedValue::value);
  EXPECT_EQ(values.size(), all_keys().size() - 3);
  EXPECT_FALSE(values.contains("MQTT_USERNAME") || values.contains("MQTT_PASSWORD") || values.contains("MQTT_TLS_PATH_TO_CA"));
  EXPECT_EQ(values["CVCM_ENABLE"], Value(1));
  EXPECT_EQ(values["CHARGE_MODE"], Value(1));
  EXPECT_EQ(values["MAX_CELL_VOLTAGE"], Value(3.45));
  EXPECT_EQ(values["POLL_INTERVAL"], Value(1.5));
  EXPECT_EQ(values["SOC_RESET_AFTER_DAYS"], Value());
  EXPECT_EQ(values["LOGGING"], Value("INFO"));
  EXPECT_EQ(values["CELL_VOLTAGES_WHILE_CHARGING"], Value("3.5, 3.45, 3.425, 3.4, 3.375"));
  EXPECT_EQ(values["BMS_TYPE"], Value(""));
}

TEST(ConfigFiles, DefaultFileIsGenerated) {
  EXPECT_EQ(committed("config/config.default.ini"), default_ini()) << "generate-docs default-ini > config/config.default.ini";
}

TEST(ConfigFiles, ReferenceIsGenerated) {
  EXPECT_EQ(committed("docs/configuration.md"), config_reference()) << "generate-docs config-reference > docs/configuration.md";
}

TEST(ConfigFiles, ShippedFilesLoadAsTheBuiltInTable) {
  const Loaded loaded = load_folder(std::filesystem::path(SB_SOURCE_DIR) / "config");
  EXPECT_THAT(loaded.issues, IsEmpty());
  EXPECT_FALSE(loaded.fatal);
  EXPECT_EQ(loaded.config, default_config());
  for (const KeyOrigin& origin : loaded.origins) EXPECT_EQ(origin.place.file, "config.default.ini");
}

TEST(ConfigFiles, MissingFilesAreNoIssueAndUnreadableOnesAreFatal) {
  char name[] = "/tmp/config-test-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name);
  EXPECT_EQ(load_folder(folder).config, default_config());
  std::ofstream(folder / "config.ini") << "[DEFAULT]\nMAX_CELL_VOLTAGE = 3.5\n";
  EXPECT_EQ(load_folder(folder).config.max_cell_voltage, 3.5);
  std::filesystem::remove(folder / "config.ini");
  std::filesystem::create_directory(folder / "config.ini");
  const Loaded loaded = load_folder(folder);
  ASSERT_TRUE(loaded.fatal);
  EXPECT_EQ(loaded.fatal->code, "unreadable");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace serialbattery::config
