// Conversations of the Seplos V3 driver with the simulated pack, alone and as the master of a stack.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Seplosv3 : public DriverTest {
 protected:
  Seplosv3() : DriverTest("Seplosv3") {}
};

}  // namespace

TEST_F(Seplosv3, ReadsAPackAlone) {
  device().set("current", "12.5");
  device().set("balancing", "5");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().current, 12.5);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().cells[2].balancing, true);
  EXPECT_EQ(battery().balancing, true);
  EXPECT_EQ(battery().temperatures[3], 25.0);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().limits.charge_current, 140.0);
  EXPECT_NEAR(*battery().limits.charge_voltage, 56.8, 0.001);
  EXPECT_NEAR(*battery().limits.low_voltage, 43.2, 0.001);
  EXPECT_EQ(battery().identity.unique_id, "SP05B2311260061");
  EXPECT_EQ(battery().identity.firmware_version, "1.3");
  EXPECT_EQ(battery().history[HistoryValue::total_ah_drawn], 480.0);
}

TEST_F(Seplosv3, FollowsThePack) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("current", "-20");
  device().set("charge_fet", "off");
  device().set("events", "020000000000000010");
  refresh();
  EXPECT_EQ(battery().current, -20.0);
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::cell_imbalance], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], AlarmLevel::ok);
}

TEST_F(Seplosv3, TakesTheLowerOfAllowedAndAskedCurrent) {
  device().set("asked_ccl", "90");
  device().set("dcl", "0");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 90.0);
  EXPECT_EQ(battery().limits.discharge_current, 0.0);
}

TEST_F(Seplosv3, SendsNothingWhereSomebodyElseTalks) {
  context_.busy_line = true;
  EXPECT_FALSE(identify());
  EXPECT_EQ(sent_so_far(), 0U);
}

TEST_F(Seplosv3, MoreRemainingThanFullIsUnknown) {
  device().set("remaining", "104");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity_remaining, 104.0);
  device().set("remaining", "106");
  refresh();
  EXPECT_EQ(battery().capacity_remaining, std::nullopt);
}

TEST_F(Seplosv3, AChargeVoltageAboveTheProtectionCountsAsNotStated) {
  device().set("charge_voltage", "60");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_voltage, std::nullopt);
}

TEST_F(Seplosv3, SplitsBlocksThatOlderFirmwareRefuses) {
  device().set("short_pack", "on");
  device().set("split_parameters", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 140.0);
  EXPECT_EQ(sent("000413350035"), 1U);
  refresh();
  EXPECT_EQ(sent("000410000012"), 1U);  // the choice is remembered
  EXPECT_EQ(sent("000410000011"), 2U);
}

TEST_F(Seplosv3, ReadsTheParametersOnceAMinute) {
  ASSERT_TRUE(identify());
  device().set("asked_ccl", "50");
  refresh();
  EXPECT_EQ(battery().limits.charge_current, 140.0);
  wait(61s);
  refresh();
  EXPECT_EQ(battery().limits.charge_current, 50.0);
}

TEST_F(Seplosv3, RefusesAnotherMaker) {
  device().set("factory", "ACME-ONE Co.,Ltd");
  EXPECT_FALSE(identify());
}

TEST_F(Seplosv3, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("truncate", "-3"), Fault::timeout);
  EXPECT_EQ(failing_refresh("silence", "on"), Fault::timeout);
  device().set("soc", "101");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("soc", "42");
  refresh();
  EXPECT_EQ(battery().soc, 42.0);
}

TEST_F(Seplosv3, SurvivesLostAnswersAndEcho) {
  device().set_fault("echo", "on");
  device().set_fault("silence", "on");
  device().set_fault("every", "3");
  ASSERT_TRUE(identify());
  for (int i = 0; i < 5; ++i) refresh();
}

TEST_F(Seplosv3, AddressZeroIsNoBroadcastAndOthersAreSearchedSlowly) {
  const auto slave = make(5);
  EXPECT_FALSE(run(slave->identify(Effort::quick)));
  EXPECT_TRUE(stream_.written().empty());
  EXPECT_FALSE(run(slave->identify(Effort::thorough)));
  EXPECT_GT(sent("0504"), 0U);
}

TEST_F(Seplosv3, OverhearsAStackWithoutAWord) {
  device().set("stack", "3");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().identity.unique_id, "test__0x01");
  EXPECT_EQ(battery().identity.hardware_version, "Seplos v3");
  EXPECT_EQ(battery().limits.charge_voltage, std::nullopt);
  const auto third = make(3, true, true);
  ASSERT_TRUE(run(third->identify(Effort::quick)));
  EXPECT_EQ(third->battery().soc, 58.0);
  wait(1s);
  device().set("soc", "50");
  refresh();
  run(third->refresh());
  EXPECT_EQ(battery().soc, 50.0);
  EXPECT_EQ(third->battery().soc, 48.0);
  EXPECT_TRUE(stream_.written().empty());
}

TEST_F(Seplosv3, APackThatIsMissingInTheStackIsNotFoundAndASilentOneIsLost) {
  device().set("stack", "2");
  EXPECT_FALSE(run(make(7, true, true)->identify(Effort::thorough)));
  EXPECT_FALSE(run(make(0, true, true)->identify(Effort::thorough)));
  ASSERT_TRUE(identify());
  device().set("stack", "0");
  wait(2s);
  const TimePoint start = stream_.now();
  EXPECT_EQ(failing_refresh(), Fault::timeout);
  EXPECT_LE(stream_.now() - start, 6s);
  EXPECT_TRUE(stream_.written().empty());
}

}  // namespace serialbattery::test
