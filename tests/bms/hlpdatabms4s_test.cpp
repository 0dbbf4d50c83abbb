// Conversations of the HLP Data BMS4S driver with the simulated device: text without checksums or end marks.
#include "bms/hlpdatabms4s.hpp"
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Bms4s : public DriverTest {
 protected:
  Bms4s() : DriverTest("HLPdataBMS4S") { driver_ = make(true); }
  std::unique_ptr<Driver> make(bool named) {
    return find_driver("HLPdataBMS4S")->make({.link = link_, .config = config_, .type_configured = named});
  }
};

}  // namespace

TEST_F(Bms4s, ReadsVersionSettingsAndState) {
  device().set("cell2", "3.311");
  device().set("current", "-1.663");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().identity.hardware_version, "BMS4S sw 4.1.89");
  EXPECT_EQ(battery().identity.unique_id, "BMS4S_100");
  EXPECT_EQ(battery().cell_count, 4U);
  EXPECT_EQ(battery().cells[0].voltage, 3.3);
  EXPECT_EQ(battery().cells[1].voltage, 3.311);
  EXPECT_NEAR(*battery().voltage, 13.211, 1e-9);
  EXPECT_EQ(battery().current, -1.663);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().capacity_remaining, 60.0);
  EXPECT_EQ(battery().temperatures[0], 25.0);
  EXPECT_EQ(battery().temperatures[1], 24.0);
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(driver().controls(), Controls{});
}

TEST_F(Bms4s, NeverSendsAnythingButItsThreeCommands) {
  ASSERT_TRUE(identify());
  for (int i = 0; i < 3; ++i) refresh();
  EXPECT_EQ(sent("0a") + sent("70760a") + sent("70730a") + sent("6d310a"), stream_.written().size());
  EXPECT_EQ(sent("70730a"), 1U) << "settings are read once";
}

TEST(Bms4sText, SettingsNeedNeitherEchoNorTitleInFrontOfThem) {
  for (const char* front : {"", "ps\r\n", "> ", "ps\r\nSetup\r\n"})
    EXPECT_EQ(hlpdatabms4s::parse_settings(std::string(front) + "BatterySize= 100 Ah\r\n").capacity, 100.0) << front;
  const auto settings = hlpdatabms4s::parse_settings("BatterySize= 100 Ah\r\nMaxVoltHigh= 3.900 V\r\nVoltHigh= 3.600 V\r\n");
  EXPECT_EQ(settings.cell_high, 3.6) << "not the end of a longer name";
}

TEST(Bms4sText, SettingsThatAreNoVoltageOfACellAreNotGiven) {
  const auto settings = hlpdatabms4s::parse_settings("BatterySize= 100 Ah\r\nVoltHigh= 14.400 V\r\nVoltLow= 0.000 V\r\n");
  EXPECT_EQ(settings.cell_high, std::nullopt);
  EXPECT_EQ(settings.cell_low, std::nullopt);
}

TEST(Bms4sText, OutputsAreNoughtOrOneAndSensorsWithinReason) {
  const auto line = [](std::string_view outputs, std::string_view sensors) {
    return fmt::format("m1\r\n3.300,3.300,3.300,3.300,1.5,50,{},13.1,50,0,0,0{}\r\n", outputs, sensors);
  };
  Battery battery;
  EXPECT_THROW(hlpdatabms4s::decode_state(line("2,1", ""), battery), FrameError);
  EXPECT_THROW(hlpdatabms4s::decode_state(line("1,x", ""), battery), FrameError);
  hlpdatabms4s::decode_state(line("1,0", ",b1 200,b2 -70"), battery);
  EXPECT_EQ(battery.charge_fet, true);
  EXPECT_EQ(battery.discharge_fet, false);
  EXPECT_EQ(battery.temperatures[0], std::nullopt);
}

TEST_F(Bms4s, LimitsOnlyOnRequest) {
  device().set("volt_high", "3.55");
  device().set("decimal_comma", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits, BmsLimits{});
  config_.use_bms_dvcc_values = true;
  ASSERT_TRUE(identify());
  EXPECT_NEAR(*battery().limits.charge_voltage, 14.2, 1e-9);
  EXPECT_NEAR(*battery().limits.low_voltage, 11.6, 1e-9);
}

TEST_F(Bms4s, FollowsOutputsAlarmsAndSensors) {
  ASSERT_TRUE(identify());
  device().set("charge_fet", "off");
  device().set("beeper", "3");
  device().set("sensors", "1");
  device().set("temperature1", "-5.5");
  device().set("more_sensors", ",a1 85");
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::high_charge_temperature], AlarmLevel::warning);
  EXPECT_EQ(battery().alarms[Alarm::high_voltage], AlarmLevel::ok);
  EXPECT_EQ(battery().temperatures[0], -5.5);
  EXPECT_EQ(battery().temperatures[1], std::nullopt);
  device().set("beeper", "5");
  device().set("sensors", "0");
  refresh();
  EXPECT_EQ(battery().alarms[Alarm::high_charge_temperature], AlarmLevel::ok);
  EXPECT_EQ(battery().alarms[Alarm::high_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().temperatures[0], std::nullopt);
}

TEST_F(Bms4s, ReadsWithoutEchoAndBehindAPrompt) {
  device().set("echo", "off");
  device().set("prompt", "> ");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells[0].voltage, 3.3);
}

TEST_F(Bms4s, WaitsForSlowBluetooth) {
  device().set_fault("delay", "450");
  ASSERT_TRUE(identify());
  refresh();
}

TEST_F(Bms4s, RefusesAnotherDeviceOfText) {
  device().set("other_device", "on");
  EXPECT_FALSE(identify(Effort::quick));
  EXPECT_FALSE(identify());
  EXPECT_EQ(sent("6d31"), 0U);
}

TEST_F(Bms4s, AsksAgainAfterALostOrCutAnswer) {
  ASSERT_TRUE(identify());
  device().set_fault("truncate", "20");
  device().set_fault("count", "2");
  device().set("soc", "61");
  refresh();
  EXPECT_EQ(battery().soc, 61.0);
}

TEST_F(Bms4s, RefusesWhatIsNoState) {
  ASSERT_TRUE(identify());
  device().set("soc", "120");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("soc", "60");
  device().set("cell3", "5.1");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("cell3", "3.3");
  device().set("sensors", "0");
  device().set("cells", "3");  // a field less
  EXPECT_EQ(failing_refresh(), Fault::length);
  device().set("cells", "4");
  device().set_fault("silence", "on");
  EXPECT_EQ(failing_refresh(), Fault::timeout);
}

// Three attempts: the first is doubted, the second confirms it.
TEST_F(Bms4s, AVoltageThatJumpsMustBeRepeated) {
  ASSERT_TRUE(identify());
  const auto before = sent("6d31");
  device().set("cell", "2.4");
  refresh();
  EXPECT_NEAR(*battery().voltage, 9.6, 1e-9);
  EXPECT_EQ(sent("6d31"), before + 2);
  refresh();
  EXPECT_EQ(sent("6d31"), before + 3);
}

// Its text confuses other devices for a while.
TEST_F(Bms4s, UnlessNamedItIsAskedLateAndOnce) {
  driver_ = make(false);
  EXPECT_FALSE(identify(Effort::quick));
  EXPECT_TRUE(stream_.written().empty());
  EXPECT_TRUE(identify(Effort::thorough));
  device().set_fault("silence", "on");
  const TimePoint start = stream_.now();
  EXPECT_FALSE(identify(Effort::thorough));
  EXPECT_GT(stream_.now() - start, 1100ms) << "wake, question, and the pause afterwards";
  EXPECT_LT(stream_.now() - start, 1200ms);
}

}  // namespace serialbattery::test
