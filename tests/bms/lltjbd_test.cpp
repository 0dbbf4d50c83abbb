// Conversations of the JBD driver: with the simulated board in virtual time, and byte by byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bms/lltjbd.hpp"
#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "support/device_stream.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

using testing::Contains;

class Jbd : public testing::Test {
 protected:
  Driver& driver() {
    if (!driver_) driver_ = find_driver("LltJbd")->make({.link = link_, .config = config_});
    return *driver_;
  }
  bool identify(Effort effort = Effort::thorough) { return run(driver().identify(effort)); }
  void refresh() { run(driver().refresh()); }
  void command(Command::Kind kind, double value) { run(driver().execute({kind, value})); }
  simulator::Bus& board() { return stream_.bus(); }

  Config config_ = default_config();
  DeviceStream stream_{simulator::Bus::of("LltJbd")};
  ByteLink link_{stream_};
  std::unique_ptr<Driver> driver_;
};

std::optional<Fault> fault_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const BmsError& error) {
    return error.fault();
  }
  return std::nullopt;
}

}  // namespace

TEST_F(Jbd, FindsTheBoardAndReadsItsSettings) {
  ASSERT_TRUE(identify());
  const Battery& battery = driver().battery();
  EXPECT_EQ(battery.cell_count, 16U);
  EXPECT_NEAR(*battery.voltage, 52.8, 0.001);
  EXPECT_EQ(battery.limits.charge_current, 230.0);
  EXPECT_EQ(battery.limits.discharge_current, 230.0);
  EXPECT_EQ(battery.balance_fet, true);
  EXPECT_EQ(board().get("factory_mode"), "off");
  EXPECT_TRUE(driver().controls().balancer_switch);
}

TEST_F(Jbd, WakesASleepingBoard) {
  board().set("sleep", "on");
  EXPECT_TRUE(identify(Effort::quick));
}

TEST_F(Jbd, FollowsTheBoard) {
  ASSERT_TRUE(identify());
  board().set("current", "-20");
  board().set("cell3", "3.512");
  refresh();
  EXPECT_EQ(driver().battery().current, -20.0);
  EXPECT_EQ(driver().battery().cells[2].voltage, 3.512);
}

TEST_F(Jbd, WorksWithoutFactoryMode) {
  board().set("password", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(driver().battery().limits.charge_current, std::nullopt);
  EXPECT_EQ(driver().battery().balance_fet, std::nullopt);
  EXPECT_FALSE(driver().controls().balancer_switch);
}

TEST_F(Jbd, KeepsTheLastReadingWhenACycleFails) {
  ASSERT_TRUE(identify());
  const Battery before = driver().battery();
  board().set("current", "10");
  board().set_fault("checksum", "on");
  EXPECT_EQ(fault_of([&] { refresh(); }), Fault::checksum);
  EXPECT_EQ(driver().battery(), before);
}

TEST_F(Jbd, SurvivesLostAnswersNoiseAndEcho) {
  ASSERT_TRUE(identify());
  board().set_fault("answer_every", "2");
  refresh();
  board().set_fault("answer_every", "1");
  board().set_fault("noise_before", "5");
  board().set_fault("echo", "on");
  board().set("soc", "42");
  refresh();
  EXPECT_EQ(driver().battery().soc, 42);
  EXPECT_TRUE(link_.echo_seen() || link_.statistics().answered > 0);
}

TEST_F(Jbd, LocksAndReleasesTheFets) {
  ASSERT_TRUE(identify());
  command(Command::Kind::charge, 0);
  EXPECT_EQ(board().get("fet_lock"), "1");
  command(Command::Kind::discharge, 0);
  EXPECT_EQ(board().get("fet_lock"), "3");
  command(Command::Kind::charge, 1);
  EXPECT_EQ(board().get("fet_lock"), "2");
  refresh();
  EXPECT_EQ(driver().battery().charge_fet, true);
  EXPECT_EQ(driver().battery().discharge_fet, false);
}

TEST_F(Jbd, DoesNotLockAFetThatAProtectionSwitchedOff) {
  board().set("fet_lock", "1");
  ASSERT_TRUE(identify());
  board().set("alarms.cell_under_voltage", "on");
  refresh();
  command(Command::Kind::charge, 1);
  EXPECT_EQ(board().get("fet_lock"), "0");
}

TEST_F(Jbd, UsesTheNewLockCommandWhereTheOldIsUnknown) {
  board().set("lock_by_fb", "on");
  ASSERT_TRUE(identify());
  command(Command::Kind::discharge, 0);
  EXPECT_EQ(board().get("fet_lock"), "2");
}

TEST_F(Jbd, SwitchesTheBalancerAndLeavesFactoryMode) {
  ASSERT_TRUE(identify());
  command(Command::Kind::balance, 0);
  EXPECT_EQ(board().get("factory_mode"), "off");
  EXPECT_EQ(board().get("register_2d"), "2");
  command(Command::Kind::balance, 1);
  EXPECT_EQ(board().get("register_2d"), "6");
}

TEST_F(Jbd, SavesTheBalancerSwitchOnBoardsThatForgetIt) {
  board().set("discard_on_leave", "on");
  ASSERT_TRUE(identify());
  command(Command::Kind::balance, 0);
  EXPECT_EQ(board().get("register_2d"), "2");
}

TEST_F(Jbd, RefusesWhatTheBoardHasNot) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(fault_of([&] { command(Command::Kind::soc, 50); }), Fault::rejected);
}

TEST_F(Jbd, AChangedNumberOfCellsIsBelievedAfterThreeFrames) {
  ASSERT_TRUE(identify());
  board().set("cells", "15");
  EXPECT_EQ(fault_of([&] { refresh(); }), Fault::implausible);
  EXPECT_EQ(fault_of([&] { refresh(); }), Fault::implausible);
  refresh();
  EXPECT_EQ(driver().battery().cell_count, 15U);
}

TEST_F(Jbd, CellsThatDoNotAddUpAreNotUsedForLong) {
  ASSERT_TRUE(identify());
  board().set("voltage", "40");
  for (int i = 0; i < 10; ++i) refresh();
  EXPECT_TRUE(driver().battery().cells[0].voltage);
  refresh();
  EXPECT_FALSE(driver().battery().cells[0].voltage);
}

TEST_F(Jbd, RefusesABoardWhoseCellsDoNotMatchThePack) {
  board().set("voltage", "40");
  EXPECT_FALSE(identify());
}

TEST_F(Jbd, IsNotFoundOnADeadOrGoneLine) {
  DeviceStream dead(nullptr);
  ByteLink link(dead);
  auto driver = find_driver("LltJbd")->make({.link = link, .config = config_});
  EXPECT_FALSE(run(driver->identify(Effort::quick)));
  dead.unplug();
  EXPECT_THROW(run(driver->identify(Effort::quick)), LinkError);
}

TEST(JbdText, IdentifiersAreThoseOfEarlierDrivers) {
  EXPECT_EQ(lltjbd::unique_id(0x21, 302), "21_302.0Ah");
  EXPECT_EQ(lltjbd::unique_id(0x80, 5), "80_5.0Ah");
  EXPECT_EQ(lltjbd::unique_id(0xD6, 100), "136_100.0Ah");
  EXPECT_EQ(lltjbd::unique_id(0x2A, 4.98), "21_4.98Ah");
  EXPECT_EQ(lltjbd::version_text(0x2A), "2.10");
}

}  // namespace serialbattery::test
