// Conversations of the EG4-LL driver with the simulated board.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Eg4Ll : public DriverTest {
 protected:
  explicit Eg4Ll(const std::vector<std::uint8_t>& addresses = {}) : DriverTest("EG4_LL", addresses) {}
};

class TwoEg4Lls : public Eg4Ll {
 protected:
  TwoEg4Lls() : Eg4Ll({0x10, 0x01}) {}
};

}  // namespace

TEST_F(Eg4Ll, ReadsTheBattery) {
  device().set("status", "0x8000");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().cell_count, 4U);
  EXPECT_EQ(battery().voltage, 13.2);
  EXPECT_EQ(battery().capacity, 400.0);
  EXPECT_EQ(battery().capacity_remaining, 240.0);
  EXPECT_EQ(battery().temperatures[1], 25.0);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
  EXPECT_EQ(battery().limits.charge_current, 100.0);
  EXPECT_EQ(battery().limits.discharge_current, std::nullopt);
  EXPECT_EQ(battery().heater.active, true);
  EXPECT_EQ(battery().identity.unique_id, "4S1240019050001");
  EXPECT_EQ(driver().details().at("bms_thresholds").at("cell_ov_protect").to_number<double>(), 3.9);
  EXPECT_EQ(driver().details().at("bms_thresholds").at("discharge_ut_warn").to_number<double>(), -15);
}

TEST_F(Eg4Ll, WorksWithoutConfiguration) {
  device().set("no_configuration", "on");
  EXPECT_TRUE(identify());
  EXPECT_FALSE(driver().details().contains("bms_thresholds"));
}

TEST_F(Eg4Ll, ACoolSensorDoesNotGetLost) {
  ASSERT_TRUE(identify());
  device().set("temperature1", "0");
  refresh();
  EXPECT_EQ(battery().temperatures[0], 0.0);  // it showed 24 before
  device().set("temperature1", "-3");
  device().set("sensors", "3");
  device().set("temperature3", "0");
  refresh();
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
  device().set("mos_temperature", "4");
  refresh();
  EXPECT_EQ(battery().temperatures[2], 0.0);
}

TEST_F(Eg4Ll, ACoolSensorDoesNotGetLostWithTheConnection) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().temperatures[0], 24.0);
  device().set("temperature1", "0");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().temperatures[0], 0.0);
}

TEST_F(Eg4Ll, FetsFollowTheProtections) {
  ASSERT_TRUE(identify());
  device().set("warnings", "0x0002");
  refresh();
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::warning);
  device().set("protections", "0x0002");
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::alarm);
}

TEST_F(Eg4Ll, RemainingCapacityThatAgreesWithTheSocInNoUnitIsUnknown) {
  device().set("remaining", "250");  // of 400 Ah, at 60 %
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity_remaining, 250.0);
  device().set("remaining", "260");
  refresh();
  EXPECT_EQ(battery().capacity_remaining, std::nullopt);
}

TEST_F(Eg4Ll, AnImpossibleChargeCurrentIsNoLimit) {
  device().set("ccl", "600");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 600.0);
  device().set("ccl", "601");
  refresh();
  EXPECT_EQ(battery().limits.charge_current, std::nullopt);
}

TEST_F(Eg4Ll, ALowCapacityBitOfAFullBatteryIsNoAlarm) {
  device().set("protections", "0x1000");
  device().set("soc", "31");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().alarms[Alarm::low_soc], AlarmLevel::ok);
  device().set("soc", "30");
  refresh();
  EXPECT_EQ(battery().alarms[Alarm::low_soc], AlarmLevel::alarm);
}

TEST_F(Eg4Ll, ACellWithoutVoltageDoesNotCostTheReading) {
  device().set("voltage", "13.2");
  device().set("cell2", "0");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells[1].voltage, 0.0);
  device().set("cell2", "2.2");
  EXPECT_EQ(failing_refresh(), std::nullopt);  // 9.1 % off
  device().set("cell2", "1.8");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Eg4Ll, WaitsForASlowBoard) {
  device().set_fault("delay", "1200");
  EXPECT_FALSE(identify(Effort::quick));
  EXPECT_TRUE(identify(Effort::thorough));
  refresh();
}

TEST_F(Eg4Ll, ALateAnswerOfAnotherBlockIsNotTaken) {
  ASSERT_TRUE(identify());
  device().set_fault("previous", "on");
  device().set_fault("count", "1");
  refresh();
  EXPECT_EQ(battery().soc, 60.0);
}

TEST_F(Eg4Ll, RefusesImplausibleReadings) {
  ASSERT_TRUE(identify());
  device().set("soc", "101");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("soc", "60");
  device().set("voltage", "20");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(TwoEg4Lls, AreTwoBatteriesOnOneLine) {
  const auto master = make(0x10, true, true), other = make(0x01, true, true);
  ASSERT_TRUE(run(master->identify(Effort::quick)));
  ASSERT_TRUE(run(other->identify(Effort::quick)));
  EXPECT_EQ(master->battery().identity.unique_id, "4S12400190500016");
  device().set("16/soc", "33");
  run(master->refresh());
  run(other->refresh());
  EXPECT_EQ(master->battery().soc, 33.0);
  EXPECT_EQ(other->battery().soc, 60.0);
}

}  // namespace serialbattery::test
