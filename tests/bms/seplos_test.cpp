// Conversations of the Seplos V2 driver with the simulated pack.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Seplos : public DriverTest {
 protected:
  Seplos() : DriverTest("Seplos") {}
};

class SeplosChain : public DriverTest {
 protected:
  SeplosChain() : DriverTest("Seplos", {0, 3}) {}
};

}  // namespace

TEST_F(Seplos, ReadsAPack) {
  device().set("current", "12.5");
  device().set("balancing", "5");
  device().set("heater", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().current, 12.5);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().capacity, 100.0);
  EXPECT_EQ(battery().cells[2].balancing, true);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().heater.active, true);
  EXPECT_EQ(battery().identity.unique_id, "SeplosBMS16S_100.0Ah");
  EXPECT_EQ(battery().identity.firmware_version, "2.7");
}

TEST_F(Seplos, FollowsThePackAndKeepsItsIdentifier) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("capacity", "98.5");
  device().set("charge_fet", "off");
  device().set("events", "0008");
  refresh();
  EXPECT_EQ(battery().capacity, 98.5);
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().identity.unique_id, "SeplosBMS16S_100.0Ah");
}

TEST_F(Seplos, AsksOlderPacksForGroupOne) {
  device().set("group_one_only", "on");
  ASSERT_TRUE(identify());
  const auto first = sent("7e3230303034363432453030323030");
  refresh();
  EXPECT_EQ(sent("7e3230303034363432453030323030"), first);  // remembered
}

TEST_F(Seplos, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("silence", "on"), Fault::timeout);
  device().set("soc", "99");
  refresh();
  EXPECT_EQ(battery().soc, 99.0);
}

TEST_F(Seplos, RefusesAChangedNumberOfCells) {
  ASSERT_TRUE(identify());
  device().set("cells", "15");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Seplos, SurvivesLostAnswersAndEcho) {
  device().set_fault("echo", "on");
  device().set_fault("silence", "on");
  device().set_fault("every", "3");
  ASSERT_TRUE(identify());
  for (int i = 0; i < 5; ++i) refresh();
}

TEST_F(SeplosChain, AsksEachPackAtItsAddress) {
  const auto third = make(3, true, true);
  ASSERT_TRUE(identify());
  ASSERT_TRUE(run(third->identify(Effort::thorough)));
  EXPECT_EQ(third->battery().identity.unique_id, "SeplosBMS16S_0x03_100.0Ah");
  device().set("3/soc", "41");
  run(third->refresh());
  refresh();
  EXPECT_EQ(third->battery().soc, 41.0);
  EXPECT_EQ(battery().soc, 60.0);
}

TEST_F(Seplos, TellsEachNewEventOnce) {
  const LogText log;
  ASSERT_TRUE(identify());
  device().set("events", "1003");  // event 1 bit 4; event 2 bits 0 and 1, which an alarm says as well
  refresh();
  refresh();
  EXPECT_EQ(log.count("Seplos events"), 1U);
  EXPECT_EQ(log.count("cell voltages too different"), 1U);
  device().set("events", "1003000000000080");  // event 8 bit 7: nobody knows
  refresh();
  refresh();
  EXPECT_EQ(log.count("Seplos events"), 2U);
  EXPECT_EQ(log.count("0x8000000000000000"), 1U);
}

}  // namespace serialbattery::test
