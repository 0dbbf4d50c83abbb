// Conversations of the Sinowealth driver with the simulated board.
#include "bms/sinowealth.hpp"
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Sinowealth : public DriverTest {
 protected:
  Sinowealth() : DriverTest("Sinowealth") { spdlog::set_level(spdlog::level::off); }
  ~Sinowealth() override { spdlog::set_level(spdlog::level::info); }

  /// From now on these registers are silent.
  void silence(std::initializer_list<unsigned> registers) {
    unsigned mask = 0;
    for (const unsigned at : registers) mask |= 1U << at;
    device().set("missing", std::to_string(mask));
  }
};

}  // namespace

TEST_F(Sinowealth, ReadsAPack) {
  device().set("current", "-12.345");
  device().set("soc", "71");
  device().set("cell3", "3.342");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 4U);
  EXPECT_EQ(battery().cells[2].voltage, 3.342);
  EXPECT_EQ(battery().cells[2].balancing, std::nullopt);
  EXPECT_EQ(battery().voltage, 13.332);
  EXPECT_EQ(battery().current, -12.345);
  EXPECT_EQ(battery().soc, 71.0);
  EXPECT_EQ(battery().capacity, 280.0);
  EXPECT_EQ(battery().capacity_remaining, 198.8);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 12.0);
  EXPECT_EQ(battery().temperatures[0], 21.0);
  EXPECT_EQ(battery().temperatures[1], 22.5);
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().identity.hardware_version, "Daly/Sinowealth BMS 4S");
  EXPECT_EQ(battery().identity.unique_id, "DalySinowealthBMS4S_280.0Ah");
  EXPECT_EQ(driver().controls(), Controls{});
}

TEST_F(Sinowealth, FollowsThePack) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("charge_fet", "off");
  device().set("alarms", "0x0408");
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::low_charge_temperature], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::high_discharge_current], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::high_charge_current], AlarmLevel::ok);
}

TEST_F(Sinowealth, AsksOneSensorWhereThereIsOne) {
  device().set("sensors", "1");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(sent("0a0d"), 0U);
  EXPECT_EQ(battery().temperatures[1], std::nullopt);
}

TEST_F(Sinowealth, ReadsLongerWhereNothingElseIsAnswered) {
  device().set("only_long_reads", "on");
  EXPECT_FALSE(identify(Effort::quick));
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().voltage, 13.32);
  refresh();
  EXPECT_GT(sent("0a1304"), 0U);
}

TEST_F(Sinowealth, DropsCellsThatAreAnnouncedOnly) {
  device().set("cell_count", "7");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 4U);
  EXPECT_EQ(battery().identity.hardware_version, "Daly/Sinowealth BMS 4S");
}

TEST_F(Sinowealth, ACellThatReadsZeroLaterIsNotDropped) {
  ASSERT_TRUE(identify());
  device().set("cell4", "0");
  refresh();
  EXPECT_EQ(battery().cells.size(), 4U);
  EXPECT_EQ(battery().cells[3].voltage, 0.0);
}

TEST_F(Sinowealth, RefusesBoardsWithMoreThanTenCells) {
  device().set("cells", "16");
  EXPECT_FALSE(identify());
}

TEST_F(Sinowealth, RefusesCellsThatContradictThePack) {
  ASSERT_TRUE(identify());
  device().set("voltage", "14.1");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_FALSE(identify());
}

TEST_F(Sinowealth, ACellThatIsNotToldIsUnknown) {
  ASSERT_TRUE(identify());
  silence({2});
  refresh();
  EXPECT_EQ(battery().cells[0].voltage, 3.33);
  EXPECT_EQ(battery().cells[1].voltage, std::nullopt);
  silence({});
  refresh();
  EXPECT_EQ(battery().cells[1].voltage, 3.33);
}

TEST_F(Sinowealth, FailsWithoutWhatItNeeds) {
  ASSERT_TRUE(identify());
  for (const unsigned at : {0x0BU, 0x10U, 0x13U, 0x15U, 0x16U}) {
    silence({at});
    EXPECT_EQ(failing_refresh(), Fault::timeout) << at;
  }
}

TEST_F(Sinowealth, KeepsATemperatureForTwoPolls) {
  ASSERT_TRUE(identify());
  silence({0x0C, 0x12, 0x14});
  for (int poll = 0; poll < 2; ++poll) {
    refresh();
    EXPECT_EQ(battery().temperatures[0], 21.0);
  }
  refresh();
  EXPECT_EQ(battery().temperatures[0], std::nullopt);
  EXPECT_EQ(battery().temperatures[1], 22.5);
  EXPECT_EQ(battery().capacity_remaining, 168.0);
}

TEST_F(Sinowealth, AsksForTheCapacityOnceAMinute) {
  ASSERT_TRUE(identify());
  device().set("capacity", "270");
  refresh();
  EXPECT_EQ(battery().capacity, 280.0);
  wait(60s);
  refresh();
  EXPECT_EQ(battery().capacity, 270.0);
  EXPECT_EQ(battery().identity.unique_id, "DalySinowealthBMS4S_280.0Ah");
  EXPECT_EQ(sent("0a11"), 2U);
}

TEST_F(Sinowealth, AsksDamagedAnswersAgain) {
  ASSERT_TRUE(identify());
  device().set("current", "5.5");
  for (const auto& [fault, value, off] : {std::array{"checksum", "on", "off"},
                                          {"truncate", "1", "0"},
                                          {"noise_after", "2", "0"},
                                          {"noise_before", "2", "0"},
                                          {"silence", "on", "off"},
                                          {"delay", "280", "0"}}) {
    device().set_fault("every", "4");
    device().set_fault(fault, value);
    refresh();
    EXPECT_EQ(battery().current, 5.5) << fault;
    device().set_fault(fault, off);
  }
}

TEST_F(Sinowealth, BytesBehindAnAnswerMakeItWorthless) {
  ASSERT_TRUE(identify());
  device().set_fault("suffix", "00");
  EXPECT_EQ(failing_refresh(), Fault::length);
  device().set_fault("gap", "5");  // later than the answer
  EXPECT_EQ(failing_refresh(), Fault::length);
}

TEST_F(Sinowealth, LivesWithEchoes) {
  device().set_fault("echo", "on");
  ASSERT_TRUE(identify());
  device().set("current", "4");
  refresh();
  EXPECT_EQ(battery().current, 4.0);
  device().set_fault("silence", "on");
  EXPECT_EQ(failing_refresh(), Fault::timeout);
}

TEST_F(Sinowealth, ReadsACycleInTime) {
  ASSERT_TRUE(identify());
  const TimePoint before = stream_.now();
  refresh();
  EXPECT_LT(stream_.now() - before, 700ms);
}

TEST(SinowealthRegisters, RangesAndUnknownValues) {
  using namespace sinowealth;
  Battery battery;
  Board board;
  const auto take = [&](std::uint8_t command, unsigned value) {
    ByteVector data;
    wire::put_u16be(data, value);
    decode(command, data, battery, board);
  };
  take(pack_config, 0x01);  // four cells
  take(pack_voltage, 6000);
  EXPECT_EQ(battery.voltage, 6.0);
  take(pack_voltage, 20000);
  EXPECT_THROW(take(pack_voltage, 5999), FrameError) << "1.5 V per cell";
  EXPECT_THROW(take(pack_voltage, 20001), FrameError);
  take(state_of_charge, 0x0164);
  EXPECT_EQ(battery.soc, 100.0) << "the low byte counts";
  EXPECT_THROW(take(state_of_charge, 101), FrameError);
  take(sensor_1, 2731 - 400);
  EXPECT_EQ(battery.temperatures[0], -40.0);
  EXPECT_THROW(take(sensor_1, 2731 - 401), FrameError);
  take(sensor_2, 2731 + 1200);
  EXPECT_EQ(battery.temperatures[1], 120.0);
  EXPECT_THROW(take(sensor_2, 2731 + 1201), FrameError);
  take(sensor_2, 0);
  EXPECT_EQ(battery.temperatures[1], std::nullopt) << "not fitted";
}

}  // namespace serialbattery::test
