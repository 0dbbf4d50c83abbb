// Conversations of the ANT driver with the simulated board, in its old and new protocol.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

using testing::ElementsAre;
using testing::Optional;

class Ant : public DriverTest {
 protected:
  Ant() : DriverTest("ANT") {}
};

// Both status frames say the same.
class AntStatus : public Ant, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { device().set("profile", GetParam()); }
};

constexpr const char* read_all = "dbdb";
constexpr const char* read_by_register = "5a5a0000";
constexpr const char* read_new = "7ea101";

}  // namespace

TEST_P(AntStatus, ReadsAPack) {
  device().set("current", "-20.5");
  device().set("soc", "77");
  device().set("capacity", "200");
  device().set("balancing", "0x8001");
  device().set("cell7", "3.301");
  device().set("temperature1", "-11");
  device().set("mos_temperature", "31");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().cells[6].voltage, 3.301);
  EXPECT_EQ(battery().cells[15].balancing, true);
  EXPECT_EQ(battery().cells[14].balancing, false);
  EXPECT_EQ(battery().balancing, true);
  EXPECT_THAT(battery().voltage, Optional(testing::DoubleNear(52.8, 0.01)));
  EXPECT_EQ(battery().current, -20.5);
  EXPECT_EQ(battery().soc, 77.0);
  EXPECT_EQ(battery().capacity, 200.0);
  EXPECT_EQ(battery().capacity_remaining, 154.0);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 6.0);
  EXPECT_THAT(battery().temperatures, ElementsAre(-11.0, 22.0, std::nullopt, std::nullopt));
  EXPECT_EQ(battery().mos_temperature, 31.0);
  EXPECT_EQ(battery().identity.hardware_version, "ANT BMS 16S");
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_200.0Ah");
}

TEST_P(AntStatus, FollowsTheSwitches) {
  ASSERT_TRUE(identify());
  device().set("charge_code", "2");
  device().set("discharge_fet", "off");
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, false);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::ok) << "switched off by hand";
  device().set("charge_code", "1");
  refresh();
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::ok);
}

TEST_P(AntStatus, WarnsOfLowCells) {
  ASSERT_TRUE(identify());
  for (const auto& [volts, level] : {std::pair{"2.95", AlarmLevel::ok}, {"2.85", AlarmLevel::warning}, {"2.79", AlarmLevel::alarm}}) {
    device().set("cell4", volts);
    refresh();
    EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], level) << volts;
  }
}

TEST_P(AntStatus, RefusesWhatCanNotBe) {
  ASSERT_TRUE(identify());
  for (const auto& [name, value, normal] : {std::array{"soc", "101", "60"},
                                            {"current", "-1000.5", "0"},
                                            {"cell_count", "0", "-1"},
                                            {"cell_count", "33", "-1"},
                                            {"cell_count", "15", "-1"},
                                            {"voltage", "81", "auto"}}) {
    device().set(name, value);
    const auto fault = failing_refresh();
    EXPECT_TRUE(fault == Fault::implausible || fault == Fault::length) << name << " " << value;
    device().set(name, normal);
  }
  refresh();
}

TEST_P(AntStatus, AsksAgain) {
  ASSERT_TRUE(identify());
  device().set("current", "7");
  for (const char* fault : {"silence", "checksum"}) {
    device().set_fault("count", "1");
    device().set_fault(fault, "on");
    refresh();
    EXPECT_EQ(battery().current, 7.0) << fault;
    device().set_fault(fault, "off");
  }
  device().set_fault("count", "0");
  device().set_fault("checksum", "on");
  EXPECT_EQ(failing_refresh(), Fault::checksum);
  device().set_fault("checksum", "off");
  device().set_fault("truncate", "100");
  EXPECT_EQ(failing_refresh(), Fault::timeout);
}

TEST_P(AntStatus, SkipsWhatTheBluetoothModuleCausesOnTheLine) {
  ASSERT_TRUE(identify());
  device().set_fault("prefix", "5a5aff0000ff55aa00aa557ea121");
  device().set("current", "3");
  refresh();
  EXPECT_EQ(battery().current, 3.0);
}

TEST_P(AntStatus, CountsSensorsThreeAndFourIfTheyAreFitted) {
  device().set("sensors", "4");
  device().set("temperature3", "13");
  device().set("temperature4", "14");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().temperatures[3], 14.0);
  device().set("temperature4", "0");
  device().set("temperature3", "-40");
  refresh();
  EXPECT_EQ(battery().temperatures[3], 0.0);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Protocol, AntStatus, testing::Values("2019", "2021", "5A-only", "new-only"), [](const auto& profile) {
  std::string name = profile.param;
  std::erase(name, '-');
  return name;
});

TEST_F(Ant, KeepsTheRequestThatWasAnswered) {
  device().set("profile", "5A-only");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(sent(read_all), 1U);
  EXPECT_EQ(sent(read_by_register), 1U);
  refresh();
  EXPECT_EQ(sent(read_all), 1U);
  EXPECT_EQ(sent(read_by_register), 2U);
}

TEST_F(Ant, FindsABoardThatOnlySpeaksTheNewProtocol) {
  device().set("profile", "new-only");
  for (const char* plain : {"off", "on"}) {  // with and without the 6 strange bytes
    device().set("plain_device_frame", plain);
    ASSERT_TRUE(identify());
    EXPECT_EQ(battery().identity.firmware_version, "16ZMUB00-211026A");
    EXPECT_EQ(battery().identity.model, "16ZM");
    EXPECT_EQ(battery().soh, 100.0);
  }
  refresh();
  EXPECT_EQ(sent(read_new), 3U);
}

TEST_F(Ant, ReadsTheConfiguredCapacityWhereTheStatusHasNone) {
  device().set("hides_capacity", "on");
  device().set("capacity", "230");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 230.0);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 5.0);
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_0.0Ah");
  refresh();
  EXPECT_EQ(battery().capacity, 230.0);
}

TEST_F(Ant, EstimatesTheCapacityOnce) {
  device().set("hides_capacity", "on");
  device().set("hides_configuration", "on");
  device().set("capacity", "123");
  device().set("soc", "41");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 120.0);
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_0.0Ah");
  device().set("capacity", "200");
  refresh();
  EXPECT_EQ(battery().capacity, 120.0) << "an estimate doesn't wander";
}

TEST_F(Ant, UsesBatteryCapacityWhenTheSocSaysTooLittle) {
  device().set("hides_capacity", "on");
  device().set("hides_configuration", "on");
  device().set("soc", "19");
  config_.battery_capacity = 99;
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 99.0);
  config_.battery_capacity = 0;
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, std::nullopt);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], std::nullopt);
}

TEST_F(Ant, SensorsThatReadZeroAtFirstAreNotFitted) {
  device().set("missing_sensor", "0");
  device().set("profile", "2019");
  ASSERT_TRUE(identify());
  EXPECT_THAT(battery().temperatures, ElementsAre(21.0, 22.0, std::nullopt, std::nullopt));
}

TEST_F(Ant, WritesNothing) {
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(driver().controls(), Controls{});
  EXPECT_EQ(sent("a5a5") + sent("7ea151") + sent("7ea123"), 0U);
}

TEST_F(Ant, KeepsThePauseBetweenRequests) {
  ASSERT_TRUE(identify());
  const TimePoint before = stream_.now();
  refresh();
  // 100 ms of silence, 6 bytes there, 30 ms in the board, 140 bytes back.
  EXPECT_NEAR(std::chrono::duration<double>(stream_.now() - before).count(), 0.100 + 0.003 + 0.030 + 0.073, 0.005);
}

}  // namespace serialbattery::test
