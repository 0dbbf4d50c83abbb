// Conversations of the Renogy driver with the simulated battery.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Renogy : public DriverTest {
 protected:
  explicit Renogy(const std::vector<std::uint8_t>& addresses = {}) : DriverTest("Renogy", addresses) {}
};

class TwoRenogys : public Renogy {
 protected:
  TwoRenogys() : Renogy({0x30, 0x31}) {}
};

class FactoryRenogy : public Renogy {
 protected:
  FactoryRenogy() : Renogy({0xF7}) {}
};

}  // namespace

TEST_F(Renogy, ReadsTheBattery) {
  device().set("current", "-0.86");
  device().set("status2", "8192");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().cell_count, 4U);
  EXPECT_EQ(battery().voltage, 13.2);
  EXPECT_EQ(battery().current, -0.86);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().temperatures[2], 19.0);
  EXPECT_EQ(battery().temperatures[3], std::nullopt);  // three of four slots are announced
  EXPECT_EQ(battery().heater.active, true);
  EXPECT_EQ(battery().identity.hardware_version, "RENOGY RBT100LFP12SH-G1");
  EXPECT_EQ(battery().identity.unique_id, "PPTAH00012345678");
  EXPECT_EQ(battery().limits, BmsLimits{});  // not asked for
}

TEST_F(Renogy, StatesLimitsOnlyWhenWanted) {
  config_.use_bms_dvcc_values = true;
  device().set("dcl", "0");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().limits.charge_current, 50.0);
  EXPECT_EQ(battery().limits.discharge_current, 0.0);
  EXPECT_EQ(battery().limits.charge_voltage, 14.8);
  EXPECT_EQ(battery().limits.low_voltage, 10.0);
}

TEST_F(Renogy, ShortSerialNumbersAreNotUnique) {
  device().set("serial", "20210526");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.serial_number, "20210526");
  EXPECT_EQ(battery().identity.unique_id, "test__0x30");
  device().set("serial", "PPTAH0001234");
  driver_.reset();
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "PPTAH0001234____");  // padding as in existing settings
}

TEST_F(Renogy, WorksWithSmallReadsOnly) {
  device().set("small_reads", "on");
  device().set("no_states", "on");
  device().set("cells", "6");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells.size(), 6U);
  EXPECT_EQ(battery().cells[5].voltage, 3.3);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], std::nullopt);
  refresh();
  EXPECT_EQ(sent("303013880022"), 0U);
}

TEST_F(Renogy, FindsTheStatesLater) {
  device().set("no_states", "on");
  ASSERT_TRUE(identify());
  device().set("no_states", "off");
  device().set("charge_fet", "off");
  refresh();
  EXPECT_EQ(battery().charge_fet, true);
  wait(61s);
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], AlarmLevel::ok);
}

TEST_F(Renogy, OneLostAnswerInTheProbeDoesNotCostTheBlocks) {
  device().set_fault("silence", "on");
  device().set_fault("every", "5");  // the first block of cells
  ASSERT_TRUE(identify());
  device().set_fault("silence", "off");
  refresh();
  EXPECT_GE(sent("300313880022"), 2U);
  EXPECT_EQ(sent("300313880001"), 0U);
}

TEST_F(Renogy, RefusesWhatContradictsItself) {
  ASSERT_TRUE(identify());
  device().set("cell2", "0.4");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("cell2", "3.3");
  device().set("voltage", "15.5");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("voltage", "auto");
  device().set("capacity", "0");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Renogy, RefusesAnotherDevice) {
  device().set("model", "");
  EXPECT_FALSE(identify());
}

TEST_F(TwoRenogys, AreTwoBatteriesOnOneLine) {
  const auto first = make(0x30, true, true), second = make(0x31, true, true), third = make(0x32, true, true);
  ASSERT_TRUE(run(first->identify(Effort::thorough)));
  ASSERT_TRUE(run(second->identify(Effort::thorough)));
  EXPECT_FALSE(run(third->identify(Effort::thorough)));
  device().set("49/soc", "33");
  run(first->refresh());
  run(second->refresh());
  EXPECT_EQ(first->battery().soc, 60.0);
  EXPECT_EQ(second->battery().soc, 33.0);
}

TEST_F(FactoryRenogy, AnswersAtItsFactoryAddressAndToAnyone) {
  EXPECT_FALSE(identify(Effort::quick));  // 0x30
  const auto factory = make(0xF7);
  EXPECT_TRUE(run(factory->identify(Effort::quick)));
  EXPECT_TRUE(run(make(0xFF, true)->identify(Effort::quick)));
}

}  // namespace serialbattery::test
