// Conversations of the Felicity driver with the simulated battery.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Felicity : public DriverTest {
 protected:
  Felicity() : DriverTest("Felicity") { config_.battery_capacity = 250; }
};

}  // namespace

TEST_F(Felicity, ReadsTheBattery) {
  device().set("current", "12.3");
  device().set("faults", "0x0008");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().current, 12.3);
  EXPECT_EQ(battery().capacity, 250.0);
  EXPECT_EQ(battery().capacity_remaining, 150.0);
  EXPECT_EQ(battery().cells.size(), 16U);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().identity.unique_id, "100011002424470238");
  device().set("current", "0");
  refresh();
  EXPECT_FALSE(std::signbit(*battery().current));  // its sign is turned round
  EXPECT_EQ(sent("0103131C"), 0U);                 // limits are not read unless wanted
  EXPECT_EQ(battery().limits, BmsLimits{});
}

TEST_F(Felicity, StatesLimitsWhenWanted) {
  config_.use_bms_dvcc_values = true;
  device().set("ccl", "0");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 0.0);
  EXPECT_EQ(battery().limits.discharge_current, 150.0);
  EXPECT_EQ(battery().limits.charge_voltage, 57.6);
  device().set("ccl", "75");
  refresh();
  EXPECT_EQ(battery().limits.charge_current, 75.0);
}

TEST_F(Felicity, AVoltageThatWasNeverSetIsNoLimit) {
  config_.use_bms_dvcc_values = true;
  device().set("cvl", "0");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_voltage, std::nullopt);
  EXPECT_EQ(battery().limits.low_voltage, 48.0);
}

TEST_F(Felicity, FallsBackToSmallReads) {
  device().set("small_reads", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells.size(), 16U);
  EXPECT_EQ(battery().temperatures[0], 13.0);
  refresh();
  EXPECT_EQ(sent("0103132A0018"), 1U);
}

TEST_F(Felicity, EmptySlotsAreNoCellsAndABrokenWireDoesNotShiftThem) {
  device().set("cells", "8");
  device().set("gap", "3");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells.size(), 8U);
  device().set("cells", "7");  // the last slot reads empty now
  refresh();
  ASSERT_EQ(battery().cells.size(), 8U);
  EXPECT_EQ(battery().cells[7].voltage, std::nullopt);
  EXPECT_EQ(battery().cells[6].voltage, 3.3);
}

TEST_F(Felicity, OneDegreeBelowZeroIsNoMissingSensor) {
  device().set("temperature1", "-1");
  device().set("mos_temperature", "-1");
  device().set("sensors", "2");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().temperatures[0], -1.0);
  EXPECT_EQ(battery().mos_temperature, -1.0);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
}

TEST_F(Felicity, RefusesOtherDevicesAtAddressOne) {
  device().set("firmware", "0");
  EXPECT_FALSE(identify());
  device().set("firmware", "418");
  device().set("cells", "3");
  EXPECT_FALSE(identify());
  device().set("cells", "16");
  device().set("voltage", "60");
  EXPECT_FALSE(identify());
  device().set("voltage", "auto");
  EXPECT_TRUE(identify());
}

TEST_F(Felicity, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("wrong_byte_count", "on"), Fault::length);
  EXPECT_EQ(failing_refresh("exception", "4"), Fault::exception);
  device().set("soc", "120");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

}  // namespace serialbattery::test
