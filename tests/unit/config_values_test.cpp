// Typed values, ranges, curves and cross checks: config.md 2.3, 2.4, 4, 5, beyond the cases of the vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "config/key_table.hpp"
#include "config/values.hpp"
#include "unit/config_findings.hpp"

namespace serialbattery::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ConfigTable, EveryMemberHasOneKeyAndEveryDefaultIsValid) {
  std::set<std::string_view> names;
  for (const Key* key : all_keys()) {
    EXPECT_TRUE(names.insert(key->name).second) << key->name;
    const Reading reading = parse_value(*key, key->default_text);
    EXPECT_TRUE(reading.value) << key->name;
    EXPECT_THAT(reading.failures, IsEmpty()) << key->name;
    EXPECT_FALSE(key->doc.empty()) << key->name;
    EXPECT_EQ(std::ranges::count_if(all_keys(), [key](const Key* other) { return other->member == key->member; }), 1) << key->name;
    const bool whole =
        std::holds_alternative<int Config::*>(key->member) || std::holds_alternative<std::vector<int> Config::*>(key->member);
    EXPECT_FALSE(whole && std::holds_alternative<std::monostate>(key->allowed))
        << key->name << ": a whole number without range could overflow";
  }
}

TEST(ConfigTable, DefaultConfigurationIsFreeOfIssues) {
  EXPECT_THAT(load({}).issues, IsEmpty());
  EXPECT_FALSE(default_config().has_errors);
  EXPECT_EQ(default_config().max_battery_charge_current, 50.0);
  EXPECT_EQ(default_config().temperature_4_name, "Temp 4");
}

TEST(ConfigValues, Numbers) {
  for (const auto& [text, value] :
       {std::pair("50", 50.0), {"50.0", 50.0}, {".5", 0.5}, {"5.", 5.0}, {"1e2", 100.0}, {"+3", 3.0}, {"-1.5E-1", -0.15}}) {
    EXPECT_EQ(parse_number(text), value) << text;
  }
  for (const char* text : {"", ".", "-", "3,45", "nan", "inf", "-inf", "0x10", "50 A", "1e", "e5", "1_000", "--1", "1.2.3", "1 2",
                           "\xC2\xA0"
                           "5"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
  EXPECT_FALSE(std::signbit(*parse_number("-0")));
  EXPECT_TRUE(std::isinf(*parse_number("1e999")));
}

TEST(ConfigValues, RangesAreInclusive) {
  EXPECT_THAT(findings("[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 5000\nPOLL_INTERVAL = 0.1\nMQTT_BROKER_PORT = 65535\n"), IsEmpty());
  EXPECT_THAT(findings("[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 5000.1\n"), ElementsAre("MAX_BATTERY_CHARGE_CURRENT out-of-range E"));
  EXPECT_THAT(findings("[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 1e999\n"), ElementsAre("MAX_BATTERY_CHARGE_CURRENT out-of-range E"));
  EXPECT_THAT(findings("[DEFAULT]\nMQTT_BROKER_PORT = 99999999999999999999\n"), ElementsAre("MQTT_BROKER_PORT out-of-range E"));
  EXPECT_THAT(findings("[DEFAULT]\nINVERT_CURRENT_MEASUREMENT = 0\n"), ElementsAre("INVERT_CURRENT_MEASUREMENT out-of-range E"));
  EXPECT_EQ(load_text("[DEFAULT]\nINVERT_CURRENT_MEASUREMENT = -1\n").config.invert_current_measurement, -1);
}

TEST(ConfigValues, WholeNumbersHaveNoExponent) {
  EXPECT_THAT(findings("[DEFAULT]\nSWITCH_TO_FLOAT_WAIT_FOR_SEC = 6e2\n"), ElementsAre("SWITCH_TO_FLOAT_WAIT_FOR_SEC bad-number E"));
  EXPECT_EQ(load_text("[DEFAULT]\nSWITCH_TO_FLOAT_WAIT_FOR_SEC = 600.\n").config.switch_to_float_wait_for_sec, 600);
}

TEST(ConfigValues, EmptyTextIsAnErrorWhereTheTableSaysSo) {
  EXPECT_THAT(findings("[DEFAULT]\nMQTT_BROKER_ADDRESS =\nLOGGING =\nBMS_CABLE_ALARM =\nCHARGE_MODE =\n"),
              ElementsAre("MQTT_BROKER_ADDRESS empty E", "LOGGING empty E", "BMS_CABLE_ALARM bad-bool E", "CHARGE_MODE empty E"));
  EXPECT_THAT(findings("[DEFAULT]\nTEMPERATURE_1_NAME =\nPOLL_INTERVAL =\nBMS_TYPE =\nMQTT_USERNAME =\n"), IsEmpty());
}

TEST(ConfigValues, PointsOutsideOfTheRangeAreDropped) {
  const Loaded loaded = load_text("[DEFAULT]\nTIME_TO_SOC_POINTS = 100, 101, 50, -1\n");
  EXPECT_THAT(loaded.config.time_to_soc_points, ElementsAre(100, 50));
  EXPECT_THAT(findings(loaded), ElementsAre("TIME_TO_SOC_POINTS out-of-range E", "TIME_TO_SOC_POINTS out-of-range E"));
  EXPECT_THAT(load_text("[DEFAULT]\nTIME_TO_SOC_POINTS = 100, x\n").config.time_to_soc_points, IsEmpty());
}

TEST(ConfigValues, BadAndRepeatedBusAddressesAreSkippedAndTheTextIsKept) {
  const Loaded loaded = load_text("[DEFAULT]\nBATTERY_ADDRESSES = 0x01, 1, 0a, 0x0A, zz, 0x, 0x0102, -1\n");
  EXPECT_THAT(loaded.config.battery_addresses, ElementsAre("0x01", "0a"));
  EXPECT_THAT(findings(loaded),
              ElementsAre("BATTERY_ADDRESSES bad-value E", "BATTERY_ADDRESSES duplicate E", "BATTERY_ADDRESSES bad-value E",
                          "BATTERY_ADDRESSES bad-value E", "BATTERY_ADDRESSES bad-value E", "BATTERY_ADDRESSES bad-value E"));
}

TEST(ConfigValues, BadBluetoothPairsAreSkipped) {
  const Loaded loaded = load_text(
      "[DEFAULT]\nBLUETOOTH_BMS = Jkbms_Ble C8:47:8c:00:00:00, Jkbms_Ble, Nothing C8:47:8C:00:00:01,"
      " aiobmsble_redodo_bms  C8:47:80:00:00:00\n");
  EXPECT_EQ(loaded.config.bluetooth_bms, "Jkbms_Ble C8:47:8c:00:00:00, aiobmsble_redodo_bms  C8:47:80:00:00:00");
  EXPECT_THAT(findings(loaded), ElementsAre("BLUETOOTH_BMS bad-value E", "BLUETOOTH_BMS bad-value E"));
}

TEST(ConfigValues, UnknownBmsTypeIsFatalAndPlannedOnesAreNoticed) {
  constexpr std::string_view built[] = {"LltJbd", "EG4_Lifepower"};
  EXPECT_FALSE(load_text("[DEFAULT]\nBMS_TYPE = LltJbd\n", built).fatal);

  const auto unknown = load_text("[DEFAULT]\n\nBMS_TYPE = LltJbd, lltjbd\n", built).fatal;
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code, "unknown-bms-type");
  EXPECT_EQ(unknown->place, (Place{"config.ini", 3}));
  EXPECT_THAT(unknown->message, HasSubstr("Did you mean LltJbd? Known types: LltJbd, EG4_Lifepower"));
  EXPECT_THAT(load_text("[DEFAULT]\nBMS_TYPE = Lifepower\n", built).fatal->message, HasSubstr("EG4_Lifepower"));

  const Loaded planned = load_text("[DEFAULT]\nBMS_TYPE = LltJbd, Xdzn_Ble\n", built);
  EXPECT_FALSE(planned.fatal);
  ASSERT_EQ(planned.notices.size(), 1u);
  EXPECT_THAT(planned.notices[0].text, HasSubstr("Xdzn_Ble is not built"));
  EXPECT_THAT(load_text("[DEFAULT]\nBMS_TYPE = LltJbd ; the small one\n", built).config.bms_type, ElementsAre("LltJbd"));
}

TEST(ConfigValues, NoticesComeForChangedKeysOfTheUserOnly) {
  EXPECT_THAT(load_text("[DEFAULT]\nMQTT_TLS_ENABLED = False\n").notices, IsEmpty());
  EXPECT_EQ(load_text("[DEFAULT]\nCAN_PORT = can0\n").notices.size(), 1u);
  const Source shipped{"config.default.ini", "[DEFAULT]\nCAN_PORT = can0\n", Layer::shipped};
  EXPECT_THAT(load(std::span(&shipped, 1)).notices, IsEmpty());
}

TEST(ConfigValues, CapacityOfTheUserIsKnownAsSuch) {
  EXPECT_TRUE(load_text("[DEFAULT]\nBATTERY_CAPACITY = 99\n").config.battery_capacity_in_user_file);
  EXPECT_FALSE(load_text("[DEFAULT]\nBATTERY_CAPACITY = x\n").config.battery_capacity_in_user_file);
  const Source shipped{"config.default.ini", "[DEFAULT]\nBATTERY_CAPACITY = 99\n", Layer::shipped};
  EXPECT_FALSE(load(std::span(&shipped, 1)).config.battery_capacity_in_user_file);
}

TEST(ConfigCurves, OneListUnreadableReplacesThePair) {
  const Loaded loaded =
      load_text("[DEFAULT]\nSOC_WHILE_CHARGING = 90, 80\nMAX_CHARGE_CURRENT_SOC_FRACTION = 0.1, a\nCCCM_SOC_ENABLE = True\n");
  EXPECT_THAT(loaded.config.soc_while_charging, ElementsAre(98, 95, 90, 85));
  EXPECT_THAT(findings(loaded), ElementsAre("MAX_CHARGE_CURRENT_SOC_FRACTION bad-list E"));
  EXPECT_TRUE(loaded.config.blocked.charge);
}

TEST(ConfigCurves, MosfetCurvesAreDangerousAtTheHotEndInBothDirections) {
  EXPECT_THAT(
      findings("[DEFAULT]\nMAX_CHARGE_CURRENT_T_MOSFET_FRACTION = 0, 0.25, 1\nMAX_DISCHARGE_CURRENT_T_MOSFET_FRACTION = 0, 0.25, 1\n"),
      ElementsAre("MAX_CHARGE_CURRENT_T_MOSFET_FRACTION reversed E", "MAX_DISCHARGE_CURRENT_T_MOSFET_FRACTION reversed E"));
}

TEST(ConfigCurves, CorrectionNeedsTwoPointsAndMayHaveAnyCurrents) {
  EXPECT_THAT(findings("[DEFAULT]\nCURRENT_REPORTED_BY_BMS = 1\nCURRENT_MEASURED_BY_USER = 1\n"),
              ElementsAre("CURRENT_REPORTED_BY_BMS length-mismatch E"));
  EXPECT_THAT(findings("[DEFAULT]\nCURRENT_REPORTED_BY_BMS = 0, 100\nCURRENT_MEASURED_BY_USER = 3, 90\n"), IsEmpty());
}

TEST(ConfigCurves, InfinitePointsAreUnreadable) {
  EXPECT_THAT(findings("[DEFAULT]\nCURRENT_REPORTED_BY_BMS = 0, 1e999\n"), ElementsAre("CURRENT_REPORTED_BY_BMS bad-list E"));
}

TEST(ConfigCurves, BothEndChecksMayFail) {
  EXPECT_THAT(findings("[DEFAULT]\nMAX_CELL_VOLTAGE = 3.55\nSOC_RESET_AFTER_DAYS = 30\n"),
              ElementsAre("CELL_VOLTAGES_WHILE_CHARGING top-below-max E", "CELL_VOLTAGES_WHILE_CHARGING top-below-soc-reset E"));
}

TEST(ConfigCrossChecks, UnreadableResetVoltageSwitchesTheResetOff) {
  const Loaded loaded = load_text("[DEFAULT]\nSOC_RESET_AFTER_DAYS = 30\nSOC_RESET_CELL_VOLTAGE = 3,65\n");
  EXPECT_FALSE(loaded.config.soc_reset_after_days);
  EXPECT_THAT(findings(loaded), ElementsAre("SOC_RESET_CELL_VOLTAGE bad-number E"));
}

TEST(ConfigCrossChecks, NoTemperatureSourceMeansAll) {
  const Loaded loaded = load_text("[DEFAULT]\nTEMPERATURE_SOURCE_BATTERY =\n");
  EXPECT_THAT(loaded.config.temperature_source_battery, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(findings(loaded), ElementsAre("TEMPERATURE_SOURCE_BATTERY out-of-range E"));
}

TEST(ConfigCrossChecks, NamesThatCanNotBeOnTheBusAreReported) {
  EXPECT_THAT(findings("[DEFAULT]\nEXTERNAL_SENSOR_DBUS_DEVICE = x\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = Dc/0/Current\n"
                       "EXTERNAL_SENSOR_DBUS_PATH_SOC = Soc\n"),
              ElementsAre("EXTERNAL_SENSOR_DBUS_DEVICE bad-name N", "EXTERNAL_SENSOR_DBUS_PATH_CURRENT bad-name N",
                          "EXTERNAL_SENSOR_DBUS_PATH_SOC bad-name N"));
  EXPECT_THAT(findings("[DEFAULT]\nEXTERNAL_SENSOR_DBUS_DEVICE = com.victronenergy.battery.ttyS2\n"
                       "EXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\nEXTERNAL_SENSOR_DBUS_PATH_SOC = /Soc\n"),
              ElementsAre());
}

TEST(ConfigCrossChecks, UnreadableEnableSwitchStillBlocksWithItsDefault) {
  EXPECT_TRUE(load_text("[DEFAULT]\nDCCM_T_ENABLE = no\nTEMPERATURES_WHILE_DISCHARGING = x\n").config.blocked.discharge);
  EXPECT_FALSE(load_text("[DEFAULT]\nTEMPERATURES_WHILE_DISCHARGING = x\nDCCM_T_ENABLE = False\n").config.blocked.discharge);
}

TEST(ConfigIssues, LinesForTheBusNameEachErroneousKeyOnce) {
  const Loaded loaded = load_text("[DEFAULT]\nmax_cell_voltage = x\nMIN_CELL_VOLTAGE = 2.95 ; V\nTYPO = 1\n");
  EXPECT_THAT(loaded.config.issue_lines, ElementsAre("Config: MAX_CELL_VOLTAGE wrong-case", "Config: TYPO unknown-key"));
}

TEST(ConfigIssues, NearestKeyIsNamed) {
  EXPECT_THAT(load_text("[DEFAULT]\nMAX_CELL_VOLTAG = 3.5\n").issues[0].problem, HasSubstr("did you mean MAX_CELL_VOLTAGE?"));
  EXPECT_THAT(load_text("[DEFAULT]\nmax-battery charge_current = 3.5\n").issues[0].problem, HasSubstr("MAX_BATTERY_CHARGE_CURRENT?"));
  EXPECT_EQ(nearest_key("SOMETHING_ELSE"), nullptr);
}

}  // namespace
}  // namespace serialbattery::config
