// What a configuration does to the running program: files of the Python driver work unchanged, mistakes are named and never guessed around.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/text.hpp"
#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr double pack_voltage = 52.8;  // of the simulated board
constexpr const char* heading = "CONFIG ISSUES DETECTED";

std::string python_configuration(const std::string& name) {
  std::ifstream stream(std::filesystem::path(SB_SOURCE_DIR) / "tests/box/python-driver" / name);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Configured : public Served {
 protected:
  // The whole file, so that line numbers are those of the test.
  void serve_with(const std::string& file) {
    std::ofstream(rig_.folder() / "config.ini") << file;
    serve();
  }
  std::string line_with(const std::string& words) {
    std::istringstream lines(program_->output());
    for (std::string line; std::getline(lines, line);) {
      if (line.find(words) != std::string::npos) return line;
    }
    return "no line of the log holds: " + words;
  }
  bool issues_are_logged() { return program_->wait_for_output("Correct config.ini beside it", 20s); }
};

}  // namespace

// --- files of the Python driver ---------------------------------------------------------------------------------------------------

TEST_F(Configured, AShortPythonFileWorksUnchanged) {
  serve_with(python_configuration("config-plain.ini"));
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 70.0);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 90.0);
  EXPECT_EQ(number(*client_, "/State"), 9);
  EXPECT_THAT(program_->output(), Not(HasSubstr(heading)));
}

TEST_F(Configured, ALongPythonFileWorksUnchanged) {
  serve_with(python_configuration("config-large.ini"));
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 100.0);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 120.0);
  EXPECT_NEAR(*number(*client_, "/Info/BatteryLowVoltage"), 16 * 2.9, 0.001);
  EXPECT_EQ(number(*client_, "/State"), 9);
  EXPECT_THAT(program_->output(), Not(HasSubstr(heading)));
}

TEST_F(Configured, APythonFileWithOldKeysWorksAndEachIsReportedWithItsSuccessor) {
  serve_with(python_configuration("config-old-names.ini"));
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 40.0);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 45.0);
  EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 1);
  EXPECT_EQ(number(*client_, "/State"), 10);
  EXPECT_EQ(number(*client_, "/ErrorCode"), 119);
  ASSERT_TRUE(issues_are_logged());
  constexpr std::pair<const char*, const char*> successors[] = {
      {"LINEAR_LIMITATION_ENABLE", "CHARGE_MODE"},
      {"LINEAR_RECALCULATION_EVERY", "CVL_RECALCULATION_EVERY"},
      {"LINEAR_RECALCULATION_ON_PERC_CHANGE", "CVL_RECALCULATION_ON_MAX_PERCENTAGE_CHANGE"},
      {"MAX_VOLTAGE_TIME_SEC", "SWITCH_TO_FLOAT_WAIT_FOR_SEC"},
      {"SOC_LEVEL_TO_RESET_VOLTAGE_LIMIT", "SWITCH_TO_BULK_SOC_THRESHOLD"},
      {"CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_UNTIL", "SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF"},
      {"BULK_CELL_VOLTAGE", "SOC_RESET_CELL_VOLTAGE"},
      {"TEMP_BATTERY", "TEMPERATURE_SOURCE_BATTERY"},
      {"BLUETOOTH_ENABLED", "without successor"},
  };
  for (const auto& [old_name, successor] : successors) {
    EXPECT_THAT(line_with(std::string(old_name) + " ="), HasSubstr(successor));
    EXPECT_THAT(text(*client_, "/Info/ChargeModeDebug"), HasSubstr(std::string("Config: ") + old_name + " unknown-key"));
  }
}

// --- mistakes ---------------------------------------------------------------------------------------------------------------------

namespace {

struct Mistake {
  const char* line;
  const char* code;
  const char* allowed;  // what the message says about right values; empty where nothing can be said
};

constexpr Mistake mistakes[] = {
    {"MAX_BATTERY_CHARGE_CURRENT = 50 A", "bad-number", "0 to 5000 A"},
    {"MAX_BATTERY_DISCHARGE_CURRENT =", "empty", "0 to 5000 A"},
    {"MIN_CELL_VOLTAGE = 29", "out-of-range", "0.5 to 5 V/cell"},
    {"FLOAT_CELL_VOLTAGE = 3,375", "bad-number", "0.5 to 5 V/cell"},
    {"CVCM_ENABLE = yes", "bad-bool", "True and False"},
    {"LOGGING = LOUD", "bad-value", "ERROR, WARNING, INFO, DEBUG"},
    {"CELL_VOLTAGES_WHILE_CHARGING = 3.5, 3.45", "length-mismatch", "MAX_CHARGE_CURRENT_CV_FRACTION has 5"},
    {"TEMPERATURES_WHILE_CHARGING = 0, cold", "bad-list", "number"},
    {"CELL_VOLTAGES_WHILE_DISCHARGING = 2.7, 3.2, 2.9, 3.1, 3.0", "not-monotonic", "rise nor fall"},
    {"MAX_DISCHARGE_CURRENT_T_FRACTION = 0, 25, 50, 100, 100, 50, 25, 0", "fraction-range", "0 to 1"},
    {"MAX_CHARGE_CURRENT_SOC_FRACTION = 1, 0.5, 0.1, 0.1", "reversed", "dangerous end"},
    {"SOC_RESET_AFTER_DAYS = 0", "out-of-range", "1 to 3650 days"},
    {"TEMPERATURE_SOURCE_BATTERY = 7", "out-of-range", "1, 2, 3, 4"},
    {"BATTERY_ADDRESSES = 0xZZ", "", ""},
    {"charge_mode = 2", "wrong-case", "capital letters"},
    {"MAX_CELL_VOLTAG = 3.45", "unknown-key", "MAX_CELL_VOLTAGE"},
    {"a line of words", "syntax", ""},
    {"[Bettery]", "unknown-section", ""},
};

}  // namespace

TEST_F(Configured, EveryKindOfMistakeIsNamedWithFileLineKeyValueAndWhatIsAllowed) {
  std::string file = "[DEFAULT]\n";
  for (const Mistake& mistake : mistakes) file += std::string(mistake.line) + "\n";
  serve_with(file);
  ASSERT_TRUE(issues_are_logged());
  int line = 1;
  for (const Mistake& mistake : mistakes) {
    const std::string found = line_with("config.ini line " + std::to_string(++line) + ": ");
    EXPECT_THAT(config::upper_case(found), HasSubstr(config::upper_case(mistake.line))) << "key and value";
    EXPECT_THAT(found, HasSubstr(mistake.code));
    EXPECT_THAT(found, HasSubstr(mistake.allowed));
  }
  EXPECT_EQ(number(*client_, "/State"), 10);
  EXPECT_EQ(number(*client_, "/ErrorCode"), 119);
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 0.0);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 0.0);
}

namespace {

struct Case {
  const char* name;
  const char* lines;
  friend void PrintTo(const Case& s, std::ostream* out) { *out << s.name; }
};

class BlocksCharging : public Configured, public testing::WithParamInterface<Case> {};
class BlocksDischarging : public Configured, public testing::WithParamInterface<Case> {};
class BlocksNothing : public Configured, public testing::WithParamInterface<Case> {};

constexpr auto name_of = [](const auto& info) { return std::string(info.param.name); };

}  // namespace

TEST_P(BlocksCharging, AndSaysSoOnTheBus) {
  serve_with(std::string("[DEFAULT]\n") + GetParam().lines);
  for (int reading = 1; reading <= 2; ++reading) {
    rig_.set("current", std::to_string(reading));
    ASSERT_TRUE(becomes("/Dc/0/Current", reading));
    EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 0.0);
    EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 0);
    EXPECT_THAT(text(*client_, "/Info/ChargeLimitation"), HasSubstr("Config error"));
    EXPECT_LE(*number(*client_, "/Info/MaxChargeVoltage"), pack_voltage + 0.005) << "for chargers that follow only the voltage";
    EXPECT_EQ(number(*client_, "/State"), 10);
    EXPECT_EQ(number(*client_, "/ErrorCode"), 119);
    EXPECT_EQ(number(*client_, "/Io/AllowToDischarge"), 1) << "the other direction goes on";
    EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 60.0);
  }
  EXPECT_THAT(text(*client_, "/Info/ChargeModeDebug"), testing::StartsWith("Config: "));
  ASSERT_TRUE(issues_are_logged());
  EXPECT_THAT(line_with(heading), EndsWith("Charging is blocked."));
}

INSTANTIATE_TEST_SUITE_P(All, BlocksCharging,
                         testing::Values(Case{"charge_current_unreadable", "MAX_BATTERY_CHARGE_CURRENT = many\n"},
                                         Case{"charge_current_empty", "MAX_BATTERY_CHARGE_CURRENT =\n"},
                                         Case{"charge_current_negative", "MAX_BATTERY_CHARGE_CURRENT = -50\n"},
                                         Case{"maximum_with_decimal_comma", "MAX_CELL_VOLTAGE = 3,45\n"},
                                         Case{"maximum_of_the_pack", "MAX_CELL_VOLTAGE = 55.2\n"},
                                         Case{"minimum_empty", "MIN_CELL_VOLTAGE =\n"},
                                         Case{"float_out_of_range", "FLOAT_CELL_VOLTAGE = 54\n"},
                                         Case{"minimum_above_maximum", "MIN_CELL_VOLTAGE = 3.5\nMAX_CELL_VOLTAGE = 3.4\n"},
                                         Case{"lists_of_different_length", "CELL_VOLTAGES_WHILE_CHARGING = 3.5, 3.4\n"},
                                         Case{"fraction_above_one", "MAX_CHARGE_CURRENT_CV_FRACTION = 0, 5, 50, 80, 100\n"},
                                         Case{"temperatures_unsorted", "TEMPERATURES_WHILE_CHARGING = 0, 5, 2, 10, 15, 20, 35, 40, 55\n"}),
                         name_of);

TEST_P(BlocksDischarging, AndSaysSoOnTheBus) {
  serve_with(std::string("[DEFAULT]\n") + GetParam().lines);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 0.0);
  EXPECT_EQ(number(*client_, "/Io/AllowToDischarge"), 0);
  EXPECT_THAT(text(*client_, "/Info/DischargeLimitation"), HasSubstr("Config error"));
  EXPECT_EQ(number(*client_, "/State"), 10);
  EXPECT_EQ(number(*client_, "/ErrorCode"), 119);
  EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 1) << "the other direction goes on";
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 50.0);
  ASSERT_TRUE(issues_are_logged());
  EXPECT_THAT(line_with(heading), EndsWith("Discharging is blocked."));
}

INSTANTIATE_TEST_SUITE_P(All, BlocksDischarging,
                         testing::Values(Case{"discharge_current_unreadable", "MAX_BATTERY_DISCHARGE_CURRENT = 60A\n"},
                                         Case{"lists_of_different_length", "CELL_VOLTAGES_WHILE_DISCHARGING = 2.7, 3.1\n"}),
                         name_of);

TEST_P(BlocksNothing, ButShowsTheError) {
  serve_with(std::string("[DEFAULT]\n") + GetParam().lines);
  EXPECT_EQ(number(*client_, "/State"), 10);
  EXPECT_EQ(number(*client_, "/ErrorCode"), 119);
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 50.0);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 60.0);
  EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 1);
  EXPECT_EQ(number(*client_, "/Io/AllowToDischarge"), 1);
}

INSTANTIATE_TEST_SUITE_P(All, BlocksNothing,
                         testing::Values(Case{"float_above_maximum", "FLOAT_CELL_VOLTAGE = 3.5\n"},
                                         Case{"curve_that_is_switched_off",
                                              "CCCM_CV_ENABLE = False\nCELL_VOLTAGES_WHILE_CHARGING = 3.5, 3.4\n"},
                                         Case{"misspelt_key", "MAX_BATTERY_CHARGE_CURENT = 10\n"}),
                         name_of);

TEST_F(Configured, AKeyBeforeTheFirstSectionLeavesThePortAlone) {
  rig_.connect("LltJbd");
  std::ofstream(rig_.folder() / "config.ini") << "MAX_BATTERY_CHARGE_CURRENT = 10\n";
  program_ = rig_.start();
  ASSERT_TRUE(program_->wait_for_output("the first line must be [DEFAULT]", 20s)) << program_->output();
  EXPECT_THAT(program_->output(), HasSubstr("config.ini line 1"));
  EXPECT_TRUE(program_->running()) << "it waits, so that restarts do not flood the log";
  EXPECT_EQ(rig_.host().statistics().bytes_in, 0U);
  program_->signal(SIGTERM);
  EXPECT_EQ(ended(), 0);
}

}  // namespace serialbattery::test
