// Conversations of the EG4 LifePower driver with the simulated pack.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Eg4Lifepower : public DriverTest {
 protected:
  Eg4Lifepower() : DriverTest("EG4_Lifepower") {}
};

class Eg4LifepowerPair : public DriverTest {
 protected:
  Eg4LifepowerPair() : DriverTest("EG4_Lifepower", {1, 2}) {}
};

}  // namespace

TEST_F(Eg4Lifepower, ReadsAPack) {
  device().set("current", "-39.59");
  device().set("balancing", "2");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().current, -39.59);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().cells[1].balancing, true);
  EXPECT_EQ(battery().cells[0].balancing, false);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().charge_fet, std::nullopt);
  EXPECT_EQ(battery().identity.firmware_version, "QT-YS00-16SV100A-V3.5");
  EXPECT_EQ(battery().identity.unique_id, "B_100.0Ah");
}

TEST_F(Eg4Lifepower, FollowsThePack) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("status", "00000009001000000002");
  refresh();
  EXPECT_EQ(battery().alarms[Alarm::high_charge_current], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::high_discharge_current], AlarmLevel::ok);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::warning);
}

TEST_F(Eg4Lifepower, DataFullOfEndBytesIsNoProblem) {
  device().set("cell", "3.341");  // 0D0D
  ASSERT_TRUE(identify());
  EXPECT_NEAR(*battery().cells[15].voltage, 3.341, 1e-9);
}

TEST_F(Eg4Lifepower, GroupsMayBeMissingOrUnknown) {
  device().set("counters", "on");
  ASSERT_TRUE(identify());
  device().set("short_form", "on");
  refresh();
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().capacity, std::nullopt);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], std::nullopt);
  EXPECT_EQ(battery().mos_temperature, std::nullopt);
}

TEST_F(Eg4Lifepower, FindsTheOlderStartByte) {
  device().set("older", "on");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(sent("7e010100fe0d"), 1U);
}

TEST_F(Eg4Lifepower, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("truncate", "-3"), Fault::timeout);
  device().set("cells", "15");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Eg4Lifepower, SurvivesLostAnswersAndEcho) {
  device().set_fault("echo", "on");
  device().set_fault("silence", "on");
  device().set_fault("every", "3");
  ASSERT_TRUE(identify());
  for (int i = 0; i < 5; ++i) refresh();
}

TEST_F(Eg4LifepowerPair, EqualPacksGiveTwoIdentifiers) {
  const auto first = make(1, true, true), second = make(2, true, true);
  ASSERT_TRUE(run(first->identify(Effort::thorough)));
  ASSERT_TRUE(run(second->identify(Effort::thorough)));
  EXPECT_EQ(first->battery().identity.unique_id, "B_100.0Ah");
  EXPECT_EQ(second->battery().identity.unique_id, "B_100.0Ah_0x02");
}

}  // namespace serialbattery::test
