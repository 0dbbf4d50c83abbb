// The MNB driver, which is a BMS itself, in front of a simulated MAX17853: set-up, measurement, contactors, balancing, charge.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "bms/mnb.hpp"
#include "support/driver_test.hpp"
#include "support/fake_host.hpp"

namespace serialbattery::test {

namespace {

constexpr unsigned charge_pin = 2, load_pin = 3, generator_pin = 4, fan_pin = 17;

// The document's frames for 8 cells, 3.45 V and 2.90 V per cell.
constexpr const char* set_up_frames[] = {"00b00000", "01600000", "01d00000", "02700000", "02c00000", "03100000", "0a600026", "0ad00047",
                                         "0b000000", "0c429997", "0cf3faf5", "0d241fe5", "0d941fe5", "0e3000f7", "0e8000f7", "0feab9c2",
                                         "102b0bc2", "10999b03", "11494903", "11f05145", "1476bb82", "14c6cb44", "1515c5c2", "15a5b607",
                                         "18385841", "18893787", "19563140", "19e59b41", "2fa00013", "31048002", "31b03034", "32141ff6",
                                         "32a803f2", "3370e212", "40300000", "37901fe6", "3f300013", "35e00013"};

class Mnb : public DriverTest {
 protected:
  Mnb() : DriverTest("MNB") {
    config_.max_cell_voltage = 3.45;
    config_.min_cell_voltage = 2.90;
    host_.pins = {{charge_pin, true}, {load_pin, true}, {generator_pin, false}, {fan_pin, false}};
    connect();
  }
  ~Mnb() override { driver_.reset(); }
  void connect(Host* host) {
    driver_.reset();
    driver_ = find_driver("MNB")->make({.link = link_, .config = config_, .type_configured = true, .host = host});
  }
  void connect() { connect(&host_); }
  void poll(int times = 1, Duration interval = 1s) {
    for (int i = 0; i < times; ++i) {
      wait(interval);
      refresh();
    }
  }
  /// Times that one of the timers or switches of the balancer was written, other than to 0.
  std::size_t balancer_starts() {
    return static_cast<std::size_t>(std::ranges::count_if(stream_.written(), [](const ByteVector& frame) {
      const auto access = mnb::parse(frame);
      return access && access->kind == mnb::Access::Kind::write && access->reg == mnb::balance_control && access->data != 0;
    }));
  }

  /// Of a register of the chip.
  std::string content(unsigned reg) {
    device().set("register", std::to_string(reg));
    return device().get("content");
  }

  FakeHost host_;
};

}  // namespace

TEST_F(Mnb, MakesTheChipMeasureThisBoard) {
  ASSERT_TRUE(identify(Effort::quick));
  std::vector<std::string> sent;
  for (const ByteVector& frame : stream_.written()) sent.push_back(wire::to_hex(frame));
  auto at = sent.begin();
  for (const char* frame : set_up_frames) {
    at = std::find(at, sent.end(), frame);
    ASSERT_NE(at, sent.end()) << frame << " is missing, or not in its place";
    ++at;
  }
}

TEST_F(Mnb, ReadsTheBattery) {
  device().set("cell3", "3.32");
  device().set("current", "-20");
  device().set("temperature1", "20");
  device().set("temperature2", "23");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 8U);
  EXPECT_NEAR(*battery().cells[0].voltage, 3.3, 0.0002);
  EXPECT_NEAR(*battery().cells[2].voltage, 3.32, 0.0002);
  EXPECT_NEAR(*battery().voltage, 26.42, 0.002);
  EXPECT_NEAR(*battery().current, -20, 0.01);
  EXPECT_NEAR(*battery().temperatures[0], 21.5, 0.02);
  EXPECT_NEAR(*battery().temperatures[3], 35, 0.1);
  EXPECT_EQ(battery().identity.hardware_version, "MNB_BMS 8S");
  EXPECT_EQ(battery().capacity, 129.6);
  EXPECT_NEAR(*battery().soc, 50, 0.01);
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().discharge_fet, true);
  EXPECT_NEAR(driver().details().at("block_voltage").to_number<double>(), *battery().voltage + 1.945, 0.005);
  EXPECT_EQ(driver().controls(), Controls{});
}

TEST_F(Mnb, OnlyKnownChips) {
  for (const auto& [version, known] : {std::pair{"0x8520", true}, {"0x8541", true}, {"0x8550", false}, {"0x1230", false}}) {
    device().set("version", version);
    EXPECT_EQ(identify(Effort::quick), known) << version;
  }
}

TEST_F(Mnb, ASensorThatIsNotThereCostsNothing) {
  device().set("temperature3", "200");
  device().set("temperature5", "200");
  device().set("temperature6", "200");
  ASSERT_TRUE(identify());
  EXPECT_NEAR(battery().temperatures[1].value_or(0), 25, 0.02) << "the other one of the pair";
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
}

TEST_F(Mnb, AlarmsOfTheChip) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::ok);
  device().set("cell5", "3.5");
  poll();
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::cell_imbalance], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::ok);
  device().set("cell5", "2.8");
  device().set("temperature1", "10");
  poll();
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::low_charge_temperature], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::ok) << "bits are cleared once they were seen";
  device().set("cell5", "3.3");
  device().set("temperature1", "25");
  poll();
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::ok);
  device().set("set_bits", "0x0400");  // block over-voltage, in one scan only
  poll();
  EXPECT_EQ(battery().alarms[Alarm::high_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::internal_failure], AlarmLevel::ok);
  device().set("register", std::to_string(mnb::status2));
  device().set("content", "0x0080");  // interface, of which only status 1 tells whether it matters
  poll();
  EXPECT_EQ(battery().alarms[Alarm::internal_failure], AlarmLevel::ok);
  device().set("content", "0x0080");
  device().set("set_bits", "0x0010");
  poll();
  EXPECT_EQ(battery().alarms[Alarm::internal_failure], AlarmLevel::warning);
}

TEST_F(Mnb, SetsTheChipUpAgainAfterALossOfSupply) {
  ASSERT_TRUE(identify());
  const auto before = sent(set_up_frames[9]);
  poll(2);
  EXPECT_EQ(sent(set_up_frames[9]), before);
  device().set("power", "off and on");
  poll(3);
  EXPECT_EQ(sent(set_up_frames[9]), before + 1);
}

// --- The bus ---

TEST_F(Mnb, TellsADeadBusFromASlowChip) {
  ASSERT_TRUE(identify());
  device().set("stuck", "1");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("stuck", "2");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("stuck", "0");
  device().set("never_ready", "on");
  EXPECT_EQ(failing_refresh(), Fault::timeout);
  device().set("never_ready", "off");
  refresh();
}

TEST_F(Mnb, RefusesACellThatCannotBe) {
  ASSERT_TRUE(identify());
  device().set("cell8", "0.3");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("cell8", "4.95");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Mnb, OneMeasurementIsShort) {
  ASSERT_TRUE(identify());
  const TimePoint start = stream_.now();
  refresh();
  EXPECT_LT(stream_.now() - start, 200ms);
}

// --- Contactors ---

TEST_F(Mnb, AStartLeavesTheContactorsAsTheyAre) {
  host_.pins[charge_pin] = false;
  device().set("cell", "3.35");  // between the thresholds
  ASSERT_TRUE(identify());
  EXPECT_TRUE(host_.changes.empty());
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, true);
}

TEST_F(Mnb, GeneratorAndFanStartOff) {
  host_.pins[generator_pin] = host_.pins[fan_pin] = true;
  ASSERT_TRUE(identify());
  EXPECT_FALSE(host_.pins[generator_pin]);
  EXPECT_FALSE(host_.pins[fan_pin]);
}

TEST_F(Mnb, SwitchesWithHysteresis) {
  ASSERT_TRUE(identify());
  struct Step {
    const char* cell;
    bool charge, load;
  };
  for (const Step& step : {Step{"3.39", true, true},
                           {"3.41", false, true},
                           {"3.31", false, true},
                           {"3.29", true, true},
                           {"2.96", true, true},
                           {"2.94", true, false},
                           {"3.04", true, false},
                           {"3.06", true, true}}) {
    device().set("cell", step.cell);
    poll();
    EXPECT_EQ(host_.pins[charge_pin], step.charge) << step.cell;
    EXPECT_EQ(host_.pins[load_pin], step.load) << step.cell;
    EXPECT_EQ(battery().charge_fet, step.charge);
    EXPECT_EQ(battery().discharge_fet, step.load);
  }
}

TEST_F(Mnb, OneCellIsEnough) {
  ASSERT_TRUE(identify());
  device().set("cell7", "3.41");
  device().set("cell2", "2.94");
  poll();
  EXPECT_FALSE(host_.pins[charge_pin]);
  EXPECT_FALSE(host_.pins[load_pin]);
}

TEST_F(Mnb, AnEmptyBatteryStartsTheGeneratorUntil35Percent) {
  ASSERT_TRUE(identify());
  device().set("cell4", "2.94");
  poll();
  EXPECT_TRUE(host_.pins[generator_pin]);
  EXPECT_EQ(battery().soc, 0.0);
  device().set("cell", "3.2");
  device().set("current", "100");
  poll(16, 28s);
  EXPECT_LT(*battery().soc, 35);
  EXPECT_TRUE(host_.pins[generator_pin]);
  poll(70, 28s);
  EXPECT_GT(*battery().soc, 35);
  EXPECT_FALSE(host_.pins[generator_pin]);
}

TEST_F(Mnb, TheFanCoolsTheBoard) {
  ASSERT_TRUE(identify());
  for (const auto& [celsius, on] : {std::pair{"44", false}, {"46", true}, {"41", true}, {"39", false}}) {
    device().set("mos_temperature", celsius);
    poll();
    EXPECT_EQ(host_.pins[fan_pin], on) << celsius;
  }
}

TEST_F(Mnb, BlindForTenSecondsItSwitchesOff) {
  ASSERT_TRUE(identify());
  device().set("stuck", "1");
  for (int second = 1; second <= 9; ++second) {
    wait(1s);
    EXPECT_TRUE(failing_refresh());
    if (second < 8) {
      EXPECT_TRUE(host_.changes.empty()) << second;
    }
  }
  wait(2s);
  EXPECT_TRUE(failing_refresh());
  EXPECT_FALSE(host_.pins[charge_pin]);
  EXPECT_FALSE(host_.pins[load_pin]);
  device().set("stuck", "0");
  refresh();
  EXPECT_TRUE(host_.pins[charge_pin]) << "a good measurement goes on where the last one was";
  EXPECT_TRUE(host_.pins[load_pin]);
}

TEST_F(Mnb, AContactorThatDidNotSwitchIsSwitchedAgain) {
  ASSERT_TRUE(identify());
  device().set("stuck", "1");
  host_.on_change = [this](unsigned pin, bool high) {
    host_.pins[pin] = !high;
    throw LinkError(Fault::io, "no such line");
  };
  wait(11s);
  EXPECT_TRUE(failing_refresh());
  EXPECT_TRUE(host_.pins[charge_pin]);
  host_.on_change = [](unsigned, bool) {};
  wait(1s);
  EXPECT_TRUE(failing_refresh());
  EXPECT_FALSE(host_.pins[charge_pin]);
  EXPECT_FALSE(host_.pins[load_pin]);
}

TEST_F(Mnb, WithoutTheDeviceItSwitchesOffAtOnce) {
  ASSERT_TRUE(identify());
  stream_.unplug();
  EXPECT_EQ(failing_refresh(), Fault::closed);
  EXPECT_FALSE(host_.pins[charge_pin]);
  EXPECT_FALSE(host_.pins[load_pin]);
}

TEST_F(Mnb, ADeadChipAtTheStartIsWaitedForWithContactorsOff) {
  device().set("stuck", "2");
  const TimePoint start = stream_.now();
  std::optional<Duration> off_after;
  host_.on_change = [&](unsigned pin, bool) {
    if (pin == load_pin && !off_after) {
      off_after = stream_.now() - start;
      device().set("stuck", "0");
    }
  };
  EXPECT_FALSE(identify(Effort::quick));
  EXPECT_TRUE(host_.changes.empty());
  connect();
  EXPECT_TRUE(identify());
  ASSERT_TRUE(off_after);
  EXPECT_GE(*off_after, 10s);
  EXPECT_LT(*off_after, 12s);
  EXPECT_TRUE(host_.pins[charge_pin]);
}

TEST_F(Mnb, WhoMayOnlyLookTouchesNothing) {
  connect(nullptr);
  device().set("cell5", "3.6");
  ASSERT_TRUE(identify());
  poll(3);
  EXPECT_EQ(battery().charge_fet, std::nullopt);
  EXPECT_EQ(battery().cells[4].balancing, std::nullopt);
  EXPECT_EQ(balancer_starts(), 0U);
  device().set("stuck", "1");
  EXPECT_FALSE(identify()) << "and does not wait for ever";
}

// --- Balancing ---

TEST_F(Mnb, BalancesHighCellsDownToTheLowest) {
  device().set("cell", "3.36");
  device().set("cell2", "3.42");
  device().set("cell5", "3.38");
  ASSERT_TRUE(identify());
  EXPECT_EQ(balancer_starts(), 0U) << "not at rest";
  device().set("current", "5");
  poll();
  EXPECT_EQ(balancer_starts(), 1U);
  EXPECT_EQ(sent("40320f26"), 1U) << "spread 60 mV: full duty";
  EXPECT_EQ(battery().balancing, true);
  EXPECT_EQ(battery().cells[1].balancing, true);
  EXPECT_EQ(battery().cells[4].balancing, true);
  EXPECT_EQ(battery().cells[0].balancing, false);
  poll(5);
  EXPECT_EQ(balancer_starts(), 1U) << "a run is not disturbed";
  EXPECT_EQ(battery().cells[1].balancing, true);
  device().set("balance_time", "0");
  poll();
  EXPECT_EQ(battery().balancing, false);
  device().set("balance_time", "60000");
  poll();
  EXPECT_EQ(balancer_starts(), 2U);
  device().set("current", "0");
  poll();
  EXPECT_EQ(battery().balancing, false);
  EXPECT_EQ(content(mnb::balance_control), "0");
  EXPECT_EQ(content(mnb::balance_switches), "0");
}

TEST_F(Mnb, AHighCellIsBalancedAtRest) {
  device().set("cell3", "3.47");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells[2].balancing, true);
  EXPECT_EQ(battery().cells[3].balancing, false);
}

TEST_F(Mnb, StopsABalancerThatFails) {
  device().set("cell3", "3.47");
  device().set("balancer_fails", "on");
  ASSERT_TRUE(identify());
  EXPECT_NE(content(mnb::balance_control), "0");
  poll();
  EXPECT_EQ(battery().balancing, false);
  EXPECT_EQ(content(mnb::balance_control), "0");
}

TEST_F(Mnb, NoBalancingOverAFaultOfTheSupply) {
  device().set("cell2", "3.38");
  device().set("current", "5");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().balancing, true);
  device().set("register", "5");
  device().set("content", "8");  // HV regulator
  poll();
  EXPECT_EQ(battery().balancing, false);
  EXPECT_EQ(battery().alarms[Alarm::internal_failure], AlarmLevel::alarm);
}

// --- Charge ---

TEST_F(Mnb, CountsTheCharge) {
  device().set("current", "-50.0");
  ASSERT_TRUE(identify());
  poll(36, 20s);  // 10 Ah
  EXPECT_NEAR(*battery().capacity_remaining, 64.8 - 10, 0.1);
  EXPECT_NEAR(*battery().soc, 50 - 10 / 1.296, 0.1);
  const double before = *battery().soc;
  poll(1, 5min);
  EXPECT_EQ(*battery().soc, before) << "nobody knows what flowed in such a gap";
}

TEST_F(Mnb, HighAndLowCellsCorrectTheCharge) {
  ASSERT_TRUE(identify());
  device().set("cell1", "3.41");
  poll();
  EXPECT_EQ(battery().soc, 100.0);
  device().set("cell1", "2.94");
  poll();
  EXPECT_EQ(battery().soc, 0.0);
}

TEST_F(Mnb, RemembersTheCharge) {
  host_.memory = 83.5;
  connect();
  ASSERT_TRUE(identify());
  EXPECT_NEAR(*battery().soc, 83.5, 0.01);
  device().set("current", "-100");
  poll(1, 30s);
  EXPECT_LT(*host_.memory, 83.0) << "stored in steps of 0.5 %";
  poll(1, 1s);
  driver_.reset();
  EXPECT_NEAR(*host_.memory, 83.5 - 100 * 31 / 36 / 129.6, 0.05) << "and at the end";
}

TEST_F(Mnb, CapacityOfTheUsersFile) {
  config_.battery_capacity = 280;
  connect();
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 129.6) << "a default says nothing";
  config_.battery_capacity_in_user_file = true;
  connect();
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 280.0);
}

// --- Frames ---

RC_GTEST_PROP(MnbFrames, EveryBitCounts, (std::uint8_t reg, std::uint16_t data, bool reads)) {
  const mnb::Access access{reads ? mnb::Access::Kind::read : mnb::Access::Kind::write, reg, data};
  mnb::Frame frame = mnb::encode(access);
  RC_ASSERT(mnb::parse(frame) == access);
  const auto bit = *rc::gen::inRange<unsigned>(0, 32);
  frame[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(mnb::parse(frame) != access);
}

}  // namespace serialbattery::test
