// Conversations of the Daren and KS48100 drivers with the simulated boards.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Daren485 : public DriverTest {
 protected:
  Daren485() : DriverTest("Daren485") {}
};

class DarenPair : public DriverTest {
 protected:
  DarenPair() : DriverTest("Daren485", {1, 2}) {}
};

class Ks48100 : public DriverTest {
 protected:
  Ks48100() : DriverTest("KS48100") {}
};

}  // namespace

TEST_F(Daren485, ReadsABoard) {
  device().set("current", "-11.16");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().current, -11.16);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().capacity_remaining, 60.0);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().limits.charge_current, 120.0);
  EXPECT_EQ(battery().limits.discharge_current, 120.0);
  EXPECT_EQ(battery().identity.serial_number, "JD2M02150860 2");
  EXPECT_EQ(battery().identity.unique_id, "JD2M02150860 2 ");
  EXPECT_EQ(battery().identity.hardware_version, "HUANY04 16S100A T1_G 01.00.02 ");
  EXPECT_EQ(battery().history[HistoryValue::total_ah_drawn], 153.0);
  EXPECT_NEAR(*battery().history[HistoryValue::charged_energy], 12.9, 1e-9);
}

TEST_F(Daren485, FetsThatAreOffLimitTheCurrent) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("charge_fet", "off");
  device().set("voltage_state", "0x0001");
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().limits.charge_current, 0.0);
  EXPECT_EQ(battery().limits.discharge_current, 120.0);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::alarm);
}

TEST_F(Daren485, ReadsParametersAndCountersOnceAMinute) {
  ASSERT_TRUE(identify());
  device().set("charge_limit", "50");
  device().set("discharged", "160");
  refresh();
  EXPECT_EQ(battery().limits.charge_current, 120.0);
  wait(61s);
  refresh();
  EXPECT_EQ(battery().limits.charge_current, 50.0);
  EXPECT_EQ(battery().history[HistoryValue::total_ah_drawn], 160.0);
}

TEST_F(Daren485, ShowsPulsedBalancingForTenSeconds) {
  device().set("balancing", "4");
  ASSERT_TRUE(identify());
  device().set("balancing", "0");
  wait(5s);
  refresh();
  EXPECT_EQ(battery().cells[2].balancing, true);
  wait(6s);
  refresh();
  EXPECT_EQ(battery().cells[2].balancing, false);
  EXPECT_EQ(battery().balancing, false);
}

TEST_F(Daren485, WakesASleepingBoardThatWasConfigured) {
  device().set("asleep", "2");
  const auto configured = make(1, true);
  EXPECT_TRUE(run(configured->identify(Effort::thorough)));
}

TEST_F(Daren485, OverflowingCountersOfEnergyAreNotShown) {
  device().set("charged", "15239");
  device().set("energy_in", "1763.3");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().history[HistoryValue::charged_energy], std::nullopt);
  EXPECT_EQ(battery().history[HistoryValue::discharged_energy], std::nullopt);
}

TEST_F(Daren485, WithoutSerialNumberTheBarCodeIdentifies) {
  device().set("no_serial", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "DJM2205180061");
}

TEST_F(Daren485, OlderFirmwareEndsEarlier) {
  device().set("reading_size", "86");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells[0].balancing, false);
  device().set("reading_size", "75");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Daren485, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("truncate", "-1"), Fault::timeout);
  refresh();
}

TEST_F(DarenPair, AsksForTheGroupOfTheAddressWhereOneIsRefused) {
  device().set("own_group_only", "on");
  const auto second = make(2, true, true);
  ASSERT_TRUE(run(second->identify(Effort::thorough)));
  EXPECT_EQ(second->battery().limits.charge_current, 120.0);
  const std::size_t before = sent_so_far();
  run(second->refresh());
  EXPECT_EQ(sent_so_far(), before + 1) << "the group is remembered";
}

TEST_F(DarenPair, EqualSerialNumbersAreToldApartByTheirSecondHalf) {
  device().set("1/serial", "JD2M02150860 2 A");
  device().set("2/serial", "JD2M02150860 2 B");
  const auto first = make(1, true, true), second = make(2, true, true);
  ASSERT_TRUE(run(first->identify(Effort::thorough)));
  ASSERT_TRUE(run(second->identify(Effort::thorough)));
  EXPECT_NE(first->battery().identity.unique_id, second->battery().identity.unique_id);
}

TEST_F(Ks48100, ReadsABoard) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().capacity_remaining, 60.0);
  EXPECT_EQ(battery().limits.charge_current, 120.0);
  EXPECT_EQ(battery().identity.serial_number, "JD2M02150860 2");
}

TEST_F(Ks48100, WaitsForASlowAnswerAndLongerWhenItIsConfigured) {
  device().set("delay", "1200");
  EXPECT_FALSE(identify(Effort::quick));
  EXPECT_TRUE(identify());
  device().set("delay", "2500");
  EXPECT_TRUE(run(make(1, true)->identify(Effort::thorough)));
}

TEST_F(Ks48100, FallsBackToTheRequestsOfEarlierDrivers) {
  device().set("older_requests_only", "on");
  ASSERT_TRUE(identify());
  refresh();
  const auto asked = [this](std::string_view text) {
    return sent(wire::to_hex(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
  };
  EXPECT_GT(asked(">220142420000FDAF\r"), 1U);
  EXPECT_EQ(asked(">22014247E00201FD32\r"), 1U);
  EXPECT_EQ(asked(">220142510000FDAF\r"), 1U);
  EXPECT_EQ(asked(">22014AB0600A010103FF56FB61\r"), 1U);
  EXPECT_EQ(battery().limits.charge_current, 120.0);
  EXPECT_EQ(battery().identity.serial_number, "JD2M02150860 2");
}

TEST_F(Ks48100, BelievesTenthsOfAmperesOnlyWhenBothFlagsSaySo) {
  device().set("current", "-100");
  device().set("coarse_current", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().current, -100.0);
}

TEST_F(Ks48100, WhatAShortReadingLacksIsUnknown) {
  device().set("reading_size", "55");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().current, 0.0);
  EXPECT_EQ(battery().charge_fet, std::nullopt);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], std::nullopt);
}

TEST_F(Daren485, TellsOnceThatCellTemperaturesDiffer) {
  const LogText log;
  ASSERT_TRUE(identify());
  device().set("voltage_state", "0x0800");
  refresh();
  refresh();
  EXPECT_EQ(log.count("cell temperatures too different"), 1U);
  EXPECT_EQ(battery().alarms[Alarm::cell_imbalance], AlarmLevel::ok);
}

TEST_F(Ks48100, TellsOnceThatItsFlagsContradictEachOther) {
  const LogText log;
  device().set("current", "-10");
  device().set("current_state", "0x0400");  // 0.1 A, which the other flag doesn't say
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(battery().current, -10.0);
  EXPECT_EQ(log.count("contradicts itself"), 1U);
}

TEST(Ks48100Line, PylontechFramesAreToldOnce) {
  const LogText log;
  ScriptedStream stream;
  const std::string_view frame = "~20024600E00200FD3A\r";
  stream.set_responder([&](Bytes) { return ScriptedStream::Answer{{ByteVector(frame.begin(), frame.end()), 30ms}}; });
  ByteLink link(stream);
  const Config config = default_config();
  const auto driver = find_driver("KS48100")->make({.link = link, .config = config, .address = 1});
  EXPECT_FALSE(run(driver->identify(Effort::thorough)));
  EXPECT_EQ(log.count("Voltronic"), 1U);
}

}  // namespace serialbattery::test
