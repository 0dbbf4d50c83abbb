// Conversations of the Pace driver with the simulated pack.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Pace : public DriverTest {
 protected:
  Pace() : DriverTest("Pace") {}
};

class PacePair : public DriverTest {
 protected:
  PacePair() : DriverTest("Pace", {1, 2}) {}
};

}  // namespace

TEST_F(Pace, ReadsAPack) {
  device().set("current", "-22.5");
  device().set("balancing", "0x8001");
  device().set("warn2", "0x80");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().current, -22.5);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().cells[15].balancing, true);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().soh, std::nullopt);
  EXPECT_EQ(battery().alarms[Alarm::low_soc], AlarmLevel::warning);
  EXPECT_EQ(battery().identity.hardware_version, "P16S100A-1812-1.00");
  EXPECT_EQ(battery().identity.unique_id, "1812101380309D");
}

TEST_F(Pace, FollowsThePack) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("discharge_fet", "off");
  device().set("protect1", "2");
  device().set("warn1", "2");
  refresh();
  EXPECT_EQ(battery().discharge_fet, false);
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::alarm);
}

TEST_F(Pace, AcceptsTheTailsOfOtherMakers) {
  device().set("analog_tail", "4d2710271027102710640000cf990000");
  device().set("states_tail", "00");
  device().set("cells", "15");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells.size(), 15U);
  EXPECT_EQ(battery().soc, 60.0);
}

TEST_F(Pace, FewSensorsHaveNoMosfetAmongThem) {
  device().set("sensor_count", "4");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().mos_temperature, std::nullopt);
  EXPECT_EQ(battery().temperatures[3], 25.0);
}

TEST_F(Pace, IgnoresTheSearchForSlaves) {
  device().set("searching", "on");
  ASSERT_TRUE(identify());
  for (int i = 0; i < 10; ++i) {
    wait(170ms);
    refresh();
  }
}

TEST_F(Pace, ReadsItsOwnPackFromTheAnswerAboutAStack) {
  device().set("all_only", "on");
  device().set("packs", "8");  // its answer takes a second
  device().set("current", "-3");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().current, -3.0);
  device().set("current", "4");
  refresh();
  EXPECT_EQ(battery().current, 4.0);
}

TEST_F(Pace, KeepsItsIdentifierWhenAnAnswerIsLost) {
  device().set_fault("silence", "on");
  device().set_fault("every", "4");  // 42, 44, C1, C2
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().identity.unique_id, "1812101380309D");
}

TEST_F(Pace, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("exception", "4"), Fault::rejected);
  device().set("cells", "14");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(PacePair, EqualSerialNumbersGiveTwoIdentifiers) {
  const auto first = make(1, true, true), second = make(2, true, true);
  ASSERT_TRUE(run(first->identify(Effort::thorough)));
  ASSERT_TRUE(run(second->identify(Effort::thorough)));
  EXPECT_EQ(first->battery().identity.unique_id, "1812101380309D");
  EXPECT_EQ(second->battery().identity.unique_id, "1812101380309D_0x02");
}

}  // namespace serialbattery::test
