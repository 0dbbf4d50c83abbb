// Conversations of the JBD driver: with the simulated board in virtual time, and byte by byte.
#include "bms/lltjbd.hpp"

#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

using testing::Contains;

class Jbd : public DriverTest {
 protected:
  Jbd() : DriverTest("LltJbd") {}
};

}  // namespace

TEST_F(Jbd, FindsTheBoardAndReadsItsSettings) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().limits.charge_current, 230.0);
  EXPECT_EQ(battery().limits.discharge_current, 230.0);
  EXPECT_EQ(battery().balance_fet, true);
  EXPECT_EQ(device().get("factory_mode"), "off");
  EXPECT_TRUE(driver().controls().balancer_switch);
}

TEST_F(Jbd, WakesASleepingBoard) {
  device().set("sleep", "on");
  EXPECT_TRUE(identify(Effort::quick));
}

TEST_F(Jbd, FollowsTheBoard) {
  ASSERT_TRUE(identify());
  device().set("current", "-20");
  device().set("cell3", "3.512");
  refresh();
  EXPECT_EQ(battery().current, -20.0);
  EXPECT_EQ(battery().cells[2].voltage, 3.512);
}

TEST_F(Jbd, WorksWithoutFactoryMode) {
  device().set("password", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, std::nullopt);
  EXPECT_EQ(battery().balance_fet, std::nullopt);
  EXPECT_FALSE(driver().controls().balancer_switch);
}

TEST_F(Jbd, KeepsTheLastReadingWhenACycleFails) {
  ASSERT_TRUE(identify());
  const Battery before = battery();
  device().set("current", "10");
  device().set_fault("checksum", "on");
  EXPECT_EQ(fault_of([&] { refresh(); }), Fault::checksum);
  EXPECT_EQ(battery(), before);
}

TEST_F(Jbd, SurvivesLostAnswersNoiseAndEcho) {
  ASSERT_TRUE(identify());
  device().set_fault("answer_every", "2");
  refresh();
  device().set_fault("answer_every", "1");
  device().set_fault("noise_before", "5");
  device().set_fault("echo", "on");
  device().set("soc", "42");
  refresh();
  EXPECT_EQ(battery().soc, 42);
  EXPECT_TRUE(link_.echo_seen() || link_.statistics().answered > 0);
}

TEST_F(Jbd, LocksAndReleasesTheFets) {
  ASSERT_TRUE(identify());
  command(Command::Kind::charge, 0);
  EXPECT_EQ(device().get("fet_lock"), "1");
  command(Command::Kind::discharge, 0);
  EXPECT_EQ(device().get("fet_lock"), "3");
  command(Command::Kind::charge, 1);
  EXPECT_EQ(device().get("fet_lock"), "2");
  refresh();
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().discharge_fet, false);
}

TEST_F(Jbd, WaitsASecondForALockToShow) {
  ASSERT_TRUE(identify());
  device().set("lock_lag", "2");
  command(Command::Kind::charge, 0);
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  device().set("lock_lag", "99");  // a FET that doesn't open
  EXPECT_EQ(fault_of([&] { command(Command::Kind::discharge, 0); }), Fault::rejected);
}

TEST_F(Jbd, DoesNotLockAFetThatAProtectionSwitchedOff) {
  device().set("fet_lock", "1");
  ASSERT_TRUE(identify());
  device().set("alarms.cell_under_voltage", "on");
  refresh();
  command(Command::Kind::charge, 1);
  EXPECT_EQ(device().get("fet_lock"), "0");
}

TEST_F(Jbd, AtTheStartOnlyFetsThatNoProtectionExplainsAreLocked) {
  device().set("fet_lock", "1");
  device().set("alarms.cell_under_voltage", "on");  // switches discharging off as well
  device().set("discharge_fet", "off");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().discharge_fet, false);
  command(Command::Kind::charge, 1);
  EXPECT_EQ(device().get("fet_lock"), "0");
}

TEST_F(Jbd, UsesTheNewLockCommandWhereTheOldIsUnknown) {
  device().set("lock_by_fb", "on");
  ASSERT_TRUE(identify());
  command(Command::Kind::discharge, 0);
  EXPECT_EQ(device().get("fet_lock"), "2");
}

TEST_F(Jbd, SwitchesTheBalancerAndLeavesFactoryMode) {
  ASSERT_TRUE(identify());
  command(Command::Kind::balance, 0);
  EXPECT_EQ(device().get("factory_mode"), "off");
  EXPECT_EQ(device().get("register_2d"), "2");
  command(Command::Kind::balance, 1);
  EXPECT_EQ(device().get("register_2d"), "6");
}

TEST_F(Jbd, KeepsTheProtectionCountersOfBoardsThatKeepTheBalancerSwitch) {
  ASSERT_TRUE(identify());
  device().set("counter1", "7");
  command(Command::Kind::balance, 0);
  EXPECT_EQ(device().get("counter1"), "7");
  EXPECT_EQ(sent("DD5A01022828"), 0U);
}

TEST_F(Jbd, LeavesFactoryModeBehindAFetCommand) {
  ASSERT_TRUE(identify());
  device().set("factory_mode", "on");  // somebody left it open
  command(Command::Kind::charge, 0);
  EXPECT_EQ(device().get("factory_mode"), "off");
}

TEST_F(Jbd, SavesTheBalancerSwitchOnBoardsThatForgetIt) {
  device().set("discard_on_leave", "on");
  ASSERT_TRUE(identify());
  command(Command::Kind::balance, 0);
  EXPECT_EQ(device().get("register_2d"), "2");
}

TEST_F(Jbd, RefusesWhatTheBoardHasNot) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(fault_of([&] { command(Command::Kind::soc, 50); }), Fault::rejected);
}

TEST_F(Jbd, AChangedNumberOfCellsIsBelievedAfterThreeFrames) {
  ASSERT_TRUE(identify());
  device().set("cells", "15");
  EXPECT_EQ(fault_of([&] { refresh(); }), Fault::implausible);
  EXPECT_EQ(fault_of([&] { refresh(); }), Fault::implausible);
  refresh();
  EXPECT_EQ(battery().cell_count, 15U);
}

TEST_F(Jbd, AChangedNumberOfCellsNowAndThenIsNotBelieved) {
  ASSERT_TRUE(identify());
  for (int i = 0; i < 4; ++i) {
    device().set("cells", "15");
    EXPECT_EQ(failing_refresh(), Fault::implausible);
    device().set("cells", "16");
    EXPECT_EQ(failing_refresh(), std::nullopt);
  }
}

TEST_F(Jbd, ASettingThatTheBoardHasNotDoesNotHideTheOthers) {
  device().set("missing_register", "0x11");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 230.0);
  EXPECT_EQ(battery().limits.discharge_current, 230.0);
  device().set("missing_register", "0x2D");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 230.0);
  EXPECT_EQ(device().get("factory_mode"), "off");
}

TEST_F(Jbd, CellsThatDoNotAddUpAreNotUsedForLong) {
  ASSERT_TRUE(identify());
  device().set("voltage", "40");
  for (int i = 0; i < 10; ++i) refresh();
  EXPECT_TRUE(battery().cells[0].voltage);
  refresh();
  EXPECT_FALSE(battery().cells[0].voltage);
}

TEST_F(Jbd, RefusesABoardWhoseCellsDoNotMatchThePack) {
  device().set("voltage", "40");
  EXPECT_FALSE(identify());
}

TEST_F(Jbd, RefusesASmallPackWhoseCellsAreSomeVoltsOff) {
  device().set("cells", "4");
  device().set("voltage", "15");  // the cells have 13.2 V
  EXPECT_FALSE(identify());
  device().set("voltage", "14");
  EXPECT_TRUE(identify());
}

TEST_F(Jbd, IsNotFoundOnADeadOrGoneLine) {
  DeviceStream dead(nullptr);
  ByteLink link(dead);
  auto driver = find_driver("LltJbd")->make({.link = link, .config = config_});
  EXPECT_FALSE(run(driver->identify(Effort::quick)));
  dead.unplug();
  EXPECT_THROW(run(driver->identify(Effort::quick)), LinkError);
}

TEST_F(Jbd, SaysOnceThatItsUnitBitsContradictEachOther) {
  const LogText log;
  set("fet_extra", "128");  // 0.1 A, which the function bits don't say
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(log.count("counts in 0.01 A and Ah, although another of its bits says otherwise"), 1U);
}

TEST_F(Jbd, SaysOnceThatItCountsInTenths) {
  const LogText log;
  set("fet_extra", "128");
  set("register_2d", "0x1006");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(log.count("counts in 0.1 A and Ah: compare"), 1U);
}

TEST(JbdFrames, WhatBoardsOfVersionZeroAppendIsNoExtensionAndNoHeater) {
  ByteVector data(23 + 7);
  data[5] = 50;     // remaining capacity
  data[20] = 0x0B;  // both FETs, heater
  data[21] = 4;
  data[23] = 64;  // where the extension has the humidity
  const auto decoded = [&](std::uint8_t version, std::uint8_t copy) {
    data[18] = version;
    data[29] = copy;  // of the remaining capacity
    lltjbd::Board board;
    Battery battery;
    boost::json::object details;
    lltjbd::decode_basic_info(data, default_config(), board, battery, details);
    return std::pair(battery.heater.active, details.contains("humidity"));
  };
  EXPECT_EQ(decoded(0x00, 0), std::pair(std::optional<bool>{}, false));
  EXPECT_EQ(decoded(0x21, 50), std::pair(std::optional(true), true));
}

TEST(JbdFrames, CellVoltagesOfOddLengthAreRefused) {
  const ByteVector odd = *wire::from_hex("DD 04 00 03 0F 45 0F FF 9A 77");
  EXPECT_EQ(lltjbd::scan_reply(odd, lltjbd::cell_voltages, lltjbd::Access::read).fault, Fault::length);
}

TEST(JbdFrames, BasicInfoWithTooManySensorsIsRefused) {
  ByteVector data(23 + 2 * 17);
  data[21] = 4;   // cells
  data[22] = 17;  // sensors
  lltjbd::Board board;
  Battery battery;
  boost::json::object details;
  EXPECT_THROW(lltjbd::decode_basic_info(data, default_config(), board, battery, details), FrameError);
}

TEST(JbdFrames, TemperaturesOutsideTheRangeOfASensorAreUnknown) {
  const auto decoded = [](unsigned raw) {
    ByteVector data(23);
    data[21] = 4;
    data[22] = 1;
    wire::put_u16be(data, raw);
    lltjbd::Board board;
    Battery battery;
    boost::json::object details;
    lltjbd::decode_basic_info(data, default_config(), board, battery, details);
    return battery.temperatures[0];
  };
  EXPECT_EQ(decoded(2981), 25.0);
  EXPECT_EQ(decoded(2331), -40.0);
  EXPECT_EQ(decoded(2330), std::nullopt);
  EXPECT_EQ(decoded(3931), 120.0);
  EXPECT_EQ(decoded(3932), std::nullopt);
}

TEST(JbdText, IdentifiersAreThoseOfEarlierDrivers) {
  EXPECT_EQ(lltjbd::unique_id(0x21, 302), "21_302.0Ah");
  EXPECT_EQ(lltjbd::unique_id(0x80, 5), "80_5.0Ah");
  EXPECT_EQ(lltjbd::unique_id(0xD6, 100), "136_100.0Ah");
  EXPECT_EQ(lltjbd::unique_id(0x2A, 4.98), "21_4.98Ah");
  EXPECT_EQ(lltjbd::version_text(0x2A), "2.10");
}

}  // namespace serialbattery::test
