// Conversations of the ECS driver with a simulated meter and its modules: several devices, one battery.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Ecs : public DriverTest {
 protected:
  Ecs() : DriverTest("Ecs") {}
};

}  // namespace

TEST_F(Ecs, TalksWithEvenParity) {
  EXPECT_EQ(stream_.settings(), (LineSettings{19200, Parity::even}));
  EXPECT_TRUE(identify(Effort::quick));
}

TEST_F(Ecs, IsSilentWithoutParity) {
  stream_.configure({19200, Parity::none});
  EXPECT_FALSE(identify());
}

TEST_F(Ecs, OneBatteryOfMeterAndModules) {
  device().set("cell2", "3.322");
  device().set("balancing", "2");
  device().set("current", "-15.5");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 3U);
  EXPECT_EQ(battery().cells[1].voltage, 3.322);
  EXPECT_EQ(battery().cells[1].balancing, true);
  EXPECT_EQ(battery().cells[0].balancing, false);
  EXPECT_EQ(battery().current, -15.5);
  EXPECT_EQ(battery().limits.charge_current, 100.0);
  EXPECT_EQ(battery().limits.discharge_current, 120.0);
  EXPECT_EQ(battery().temperatures[1], 20.25);
  EXPECT_EQ(battery().identity.hardware_version, "Greenmeter-250A 15S");
}

TEST_F(Ecs, ReadsTheSocWithAStuckHighWord) {
  device().set("stuck_high_word", "on");
  device().set("soc", "50");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().soc, 50.0);
  device().set("soc", "80");
  refresh();
  EXPECT_EQ(battery().soc, 80.0);
}

TEST_F(Ecs, FewerModulesThanCells) {
  device().set("cells", "15");  // only three lie in the default range
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 15U);
  EXPECT_EQ(battery().cells[2].voltage, 3.3);
  EXPECT_EQ(battery().cells[3].voltage, std::nullopt);
}

TEST_F(Ecs, ACountThatContradictsTheVoltageIsRefused) {
  for (const int cells : {5, 8, 12}) {  // three modules in the range; 15 cells would have another voltage each than these
    device().set("cells", std::to_string(cells));
    config_.lipro_cell_count = 15;
    EXPECT_FALSE(identify()) << cells;
    config_.lipro_cell_count = cells;
    EXPECT_TRUE(identify()) << cells;
  }
}

TEST_F(Ecs, ASilentModuleCostsOnlyItsCell) {
  ASSERT_TRUE(identify());
  device().set("missing", "2");
  refresh();
  EXPECT_EQ(battery().cells[0].voltage, 3.3);
  EXPECT_EQ(battery().cells[1].voltage, std::nullopt);
  device().set("missing", "0");
  refresh();
  EXPECT_EQ(battery().cells[1].voltage, 3.3);
}

TEST_F(Ecs, AllModulesSilentForLongIsAFailure) {
  ASSERT_TRUE(identify());
  device().set("missing", "7");
  refresh();
  EXPECT_EQ(battery().cells[0].voltage, std::nullopt);
  wait(31s);
  EXPECT_EQ(failing_refresh(), Fault::timeout);
}

TEST_F(Ecs, FindsAMissingModuleLater) {
  device().set("cells", "15");
  device().set("missing", "2");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells[2].voltage, std::nullopt);  // two modules
  device().set("missing", "0");
  wait(5min);
  refresh();
  refresh();
  EXPECT_EQ(battery().cells[2].voltage, 3.3);  // the first cell without a module
}

TEST_F(Ecs, AcceptsOnlyItsOwnMeters) {
  device().set("type", "1025");  // greenController
  EXPECT_FALSE(identify());
  device().set("type", "500");
  EXPECT_TRUE(identify());
}

TEST_F(Ecs, StatesSwitchTheDirectionsOff) {
  ASSERT_TRUE(identify());
  device().set("charge_state", "5");
  device().set("discharge_state", "9");  // unknown: off, but no alarm
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, false);
  EXPECT_EQ(battery().alarms[Alarm::low_charge_temperature], AlarmLevel::warning);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], AlarmLevel::ok);
}

TEST(EcsMeter, NumbersOutsideTheirRangesAreRefused) {
  ScriptedStream stream;
  ByteLink link(stream);
  const Config config = default_config();
  const auto driver = find_driver("Ecs")->make({.link = link, .config = config});
  // Two registers from `first` on hold `low` and `high`.
  const auto take = [&](std::uint8_t first, unsigned low, unsigned high) -> std::optional<Fault> {
    const auto sealed = [](ByteVector frame) {
      wire::put_u16le(frame, wire::crc_modbus(frame));
      return frame;
    };
    ByteVector answer = {0x01, 0x03, 0x04};
    wire::put_u16be(answer, low);
    wire::put_u16be(answer, high);
    stream.set_responder([answer = sealed(answer)](Bytes) { return ScriptedStream::Answer{{answer, 10ms}}; });
    try {
      run(driver->replay(sealed({0x01, 0x03, 0x00, first, 0x00, 0x02})));
    } catch (const BmsError& error) {
      return error.fault();
    }
    return std::nullopt;
  };
  EXPECT_EQ(take(128, 100'000 & 0xFFFFU, 1), std::nullopt);
  EXPECT_EQ(driver->battery().soc, 100.0);
  EXPECT_EQ(take(128, 100'001 & 0xFFFFU, 1), Fault::implausible);
  EXPECT_EQ(take(108, 2000, 0), std::nullopt);
  EXPECT_EQ(take(108, 1999, 0), Fault::implausible);
  EXPECT_EQ(take(108, 150'001 & 0xFFFFU, 2), Fault::implausible);
  EXPECT_EQ(take(108, 0xFFFF, 0xFFFF), Fault::implausible) << "below zero";
}

}  // namespace serialbattery::test
