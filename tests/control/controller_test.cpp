// What the vectors do not say about the controller: its seam with the daemon.
#include <gtest/gtest.h>

#include <limits>

#include "control/farewell.hpp"
#include "control/state.hpp"
#include "support/config_text.hpp"
#include "support/control_packs.hpp"

namespace serialbattery::control {
namespace {

using test::at_second;
using test::config_from;
using test::healthy_pack;

constexpr Traits kTraits{.can_reset_soc = true, .poll_interval = std::chrono::seconds(1)};

TEST(ControllerStart, NothingIsAllowedBeforeTheFirstReading) {
  Controller controller(config_from({}), kTraits, {});
  const auto& out = controller.failed_poll({}, at_second(0));
  EXPECT_EQ(out.ccl, 0);
  EXPECT_EQ(out.dcl, 0);
  EXPECT_EQ(out.cvl, 0);
  EXPECT_FALSE(out.allow_charge);
  EXPECT_FALSE(out.online);
  EXPECT_EQ(out.state, 0);
}

TEST(ControllerStart, TheFirstPollIsEvaluatedCompletely) {
  Controller controller(config_from({}), kTraits, {});
  const auto& out = controller.good_poll(healthy_pack(16, 3.41), {}, at_second(0));
  EXPECT_EQ(out.ccl, 8.5);
  EXPECT_EQ(out.cvl, 55.2);
  EXPECT_EQ(out.state, 9);
  EXPECT_TRUE(out.online);
}

TEST(ControllerStart, AnUnknownNumberOfCellsAllowsNothing) {
  Controller controller(config_from({}), kTraits, {});
  Battery pack = healthy_pack(4, 3.3);
  pack.cells.clear();
  pack.cell_count.reset();
  const auto& out = controller.good_poll(pack, {}, at_second(0));
  EXPECT_EQ(out.ccl, 0);
  EXPECT_EQ(out.dcl, 0);
  EXPECT_EQ(out.cvl, 0);
}

TEST(ControllerFullCharge, TheBmsIsToldOncePerEvent) {
  Controller controller(config_from({{"SWITCH_TO_FLOAT_WAIT_FOR_SEC", "5"}}), kTraits, {});
  int requests = 0;
  for (int i = 0; i < 60; ++i) {
    controller.good_poll(healthy_pack(8, 3.451), {}, at_second(i));
    if (controller.take_soc_reset_request()) ++requests;
  }
  // SoC 50 % is below the threshold for bulk: float ends in the next poll, so the pack becomes full again and again.
  EXPECT_EQ(requests, static_cast<int>(controller.state().charge_voltage.full_charges()));
  EXPECT_GT(requests, 1);
}

TEST(ControllerFullCharge, NotForABmsThatCanNotBeTold) {
  Controller controller(config_from({{"SWITCH_TO_FLOAT_WAIT_FOR_SEC", "5"}}), {.poll_interval = std::chrono::seconds(1)}, {});
  for (int i = 0; i < 10; ++i) controller.good_poll(healthy_pack(8, 3.451), {}, at_second(i));
  EXPECT_FALSE(controller.take_soc_reset_request());
}

TEST(ControllerGui, ASocThatIsSetShowsAtOnceAndIsStored) {
  Controller controller(config_from({{"SOC_CALCULATION", "True"}}), kTraits, {});
  controller.good_poll(healthy_pack(8, 3.3), {}, at_second(0));
  controller.set_soc(75);
  EXPECT_EQ(controller.snapshot().soc, 75);
  EXPECT_EQ(controller.persisted(at_second(0)).soc_calc, 75);
  controller.set_soc(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(controller.snapshot().soc, 75) << "no number, no effect";
}

TEST(ControllerGui, WithoutTheCalculationTheSocIsThatOfTheBms) {
  Controller controller(config_from({}), kTraits, {});
  controller.good_poll(healthy_pack(8, 3.3), {}, at_second(0));
  controller.set_soc(75);
  EXPECT_EQ(controller.snapshot().soc, 50);
  EXPECT_EQ(controller.persisted(at_second(0)).soc_calc, std::nullopt);
}

TEST(ControllerGui, AnUnknownHistoryGroupDoesNothing) {
  Controller controller(config_from({}), kTraits, {});
  controller.good_poll(healthy_pack(8, 3.3), {}, at_second(0));
  const auto before = controller.snapshot();
  for (const int group : {0, 8, -1, 1000}) EXPECT_EQ(controller.clear_history(group, at_second(1)), before);
}

TEST(ControllerPersisted, ValuesOfTheBmsAreNotStored) {
  Controller controller(config_from({}), kTraits, {});
  Battery pack = healthy_pack(8, 3.3);
  pack.history[HistoryValue::charge_cycles] = 12;
  controller.good_poll(pack, {}, at_second(0));
  EXPECT_EQ(controller.snapshot().history[HistoryValue::charge_cycles], 12);
  EXPECT_EQ(controller.persisted(at_second(0)).history[HistoryValue::charge_cycles], std::nullopt);
}

// The stored start of absorption does not drift with the clock: it is written when the wait starts and when it ends.
TEST(ControllerPersisted, TheStartOfAbsorptionChangesOnlyWithTheWait) {
  Controller controller(config_from({}), kTraits, {});
  Now now = at_second(0);
  controller.good_poll(healthy_pack(8, 3.451), {}, now);
  const auto start = controller.persisted(now).max_voltage_start_time;
  EXPECT_EQ(start, now.wall);
  for (int i = 1; i < 100; ++i) {
    now = at_second(i);
    now.wall += 3600 * i;
    controller.good_poll(healthy_pack(8, 3.451), {}, now);
    EXPECT_EQ(controller.persisted(now).max_voltage_start_time, start);
  }
  controller.good_poll(healthy_pack(8, 3.3), {}, at_second(100));
  EXPECT_EQ(controller.persisted(now).max_voltage_start_time, std::nullopt);
}

// The BMS's SoC stands in while the capacity is unknown; what was counted is neither forgotten nor overwritten in the settings.
TEST(ControllerPersisted, CountedSocSurvivesAnUnknownCapacity) {
  const auto config = config_from({{"SOC_CALCULATION", "True"}});
  Battery pack = healthy_pack(8, 3.3);
  pack.soc = 79;
  pack.current = 0;
  pack.capacity = 100;
  Persisted counted;
  counted.soc_calc = 55;
  Controller controller(config, kTraits, counted);
  EXPECT_EQ(controller.good_poll(pack, {}, at_second(0)).soc, 55);
  pack.capacity.reset();
  EXPECT_EQ(controller.good_poll(pack, {}, at_second(1)).soc, 79);
  const Persisted stored = controller.persisted(at_second(1));
  EXPECT_EQ(stored.soc_calc, 55);
  Controller restarted(config, kTraits, stored);
  EXPECT_EQ(restarted.good_poll(pack, {}, at_second(2)).soc, 79);
  pack.capacity = 100;
  EXPECT_EQ(restarted.good_poll(pack, {}, at_second(3)).soc, 55);
}

TEST(ControllerSensor, AnImpossibleSocIsNotUsed) {
  Controller controller(
      config_from({{"EXTERNAL_SENSOR_DBUS_DEVICE", "com.victronenergy.battery.ttyS2"}, {"EXTERNAL_SENSOR_DBUS_PATH_SOC", "/Soc"}}), kTraits,
      {});
  Environment environment;
  environment.sensor.soc = 70;
  EXPECT_EQ(controller.good_poll(healthy_pack(8, 3.3), environment, at_second(0)).soc, 70);
  for (const double impossible : {-0.1, 100.1}) {
    environment.sensor.soc = impossible;
    EXPECT_EQ(controller.good_poll(healthy_pack(8, 3.3), environment, at_second(1)).soc, 50) << "the BMS's own";
  }
}

TEST(ControllerFullCharge, FloatVoltageIsBackAfterAnOutageUnlessACellIsTooHigh) {
  Controller controller(
      config_from({{"SWITCH_TO_FLOAT_WAIT_FOR_SEC", "5"}, {"BLOCK_ON_DISCONNECT", "False"}, {"BLOCK_ON_DISCONNECT_VOLTAGE_MAX", "3.31"}}),
      kTraits, {});
  Battery pack = healthy_pack(8, 3.451);
  pack.soc = 95;
  double second = 0;
  const auto poll = [&](int times) {
    for (; times > 0; --times) controller.good_poll(pack, {}, at_second(++second));
    return controller.snapshot().cvl;
  };
  poll(10);
  ASSERT_EQ(controller.snapshot().charge_mode.substr(0, 16), "Float Transition");
  for (Cell& cell : pack.cells) cell.voltage = 3.30;
  pack.voltage = 26.40;
  EXPECT_EQ(poll(1000), 27.0);
  for (int i = 0; i < 100; ++i) controller.failed_poll({}, at_second(++second));
  ASSERT_LT(controller.snapshot().cvl, 27.0);
  for (Cell& cell : pack.cells) cell.voltage = 3.40;
  pack.cells[0].voltage = 3.46;
  EXPECT_LT(poll(5), 27.0);
  pack.cells[0].voltage = 3.40;
  EXPECT_EQ(poll(1), 27.0);
}

TEST(ControllerFullCharge, TheTimeSinceItIsCountedByTheMinute) {
  Controller controller(config_from({{"SWITCH_TO_FLOAT_WAIT_FOR_SEC", "5"}}), kTraits, {});
  Battery pack = healthy_pack(8, 3.451);
  pack.soc = 95;
  int full = 0;  // s
  for (int i = 0; i < 200; ++i) {
    const auto& out = controller.good_poll(pack, {}, at_second(i));
    if (full == 0 && controller.state().charge_voltage.full_charges() == 1) full = i;
    if (full == 0) {
      EXPECT_EQ(out.time_since_last_full_charge, std::nullopt);
    } else {
      EXPECT_EQ(out.time_since_last_full_charge, (i - full) / 60 * 60) << i;
    }
  }
  EXPECT_GT(full, 0);
}

TEST(ControllerLimits, NonsenseOfTheBmsIsNoLimit) {
  Controller controller(config_from({{"USE_BMS_DVCC_VALUES", "True"}}), kTraits, {});
  Battery pack = healthy_pack(8, 3.3);
  pack.limits = {.charge_current = std::numeric_limits<double>::quiet_NaN(),
                 .discharge_current = -5,
                 .charge_voltage = 6553.5,  // 0xFFFF, "not given"
                 .low_voltage = std::numeric_limits<double>::infinity()};
  const auto& out = controller.good_poll(pack, {}, at_second(0));
  EXPECT_EQ(out.cvl, 27.6);
  EXPECT_EQ(out.low_voltage, 23.2);
  EXPECT_EQ(out.ccl, 50);
  EXPECT_EQ(out.dcl, 0) << "a negative limit counts as 0";
}

TEST(ControllerCells, AVoltageForAnotherPackDoesNotOutliveIt) {
  Persisted in_float;
  in_float.allow_max_voltage = false;
  Controller controller(config_from({}), kTraits, in_float);
  controller.good_poll(healthy_pack(16, 3.34), {}, at_second(0));
  auto pack = healthy_pack(16, 3.34);
  pack.soc = 90;
  controller.good_poll(pack, {}, at_second(1));
  pack = healthy_pack(15, 3.34);
  pack.soc = 90;
  EXPECT_LE(controller.good_poll(pack, {}, at_second(2)).cvl, 15 * 3.45);
}

// What was measured a minute ago must not look like the present when the service goes; limits and SoC stay (dbus-interface.md 13).
TEST(ControllerLeaving, TheFarewellHasNoCellsAndNoTemperatures) {
  Controller controller(config_from({{"BLOCK_ON_DISCONNECT", "True"}, {"MIDPOINT_ENABLE", "True"}}), kTraits, {});
  Battery pack = healthy_pack(8, 3.3);
  pack.cells[2].balancing = true;
  const auto& before = controller.good_poll(pack, {}, at_second(0));
  ASSERT_TRUE(before.temperature && before.min_cell_voltage && before.mid_voltage && before.cell_sum);
  for (int second = 1; second <= 60; ++second) {
    controller.failed_poll({}, at_second(second));
    ASSERT_FALSE(controller.must_leave()) << second;
  }
  const Snapshot last = controller.failed_poll({}, at_second(61));
  ASSERT_TRUE(controller.must_leave());
  const Snapshot out = without_measurements(last);
  ASSERT_EQ(out.cells.size(), 8U);
  for (const auto& cell : out.cells) EXPECT_EQ(cell, Cell{});
  EXPECT_FALSE(out.cell_sum || out.cell_diff || out.min_cell_voltage || out.max_cell_voltage || out.mid_voltage);
  EXPECT_EQ(out.min_cell_id + out.max_cell_id, "");
  EXPECT_FALSE(out.temperature || out.min_temperature || out.max_temperature || out.mos_temperature);
  for (const auto& temperature : out.temperatures) EXPECT_EQ(temperature, std::nullopt);
  EXPECT_EQ(out.cable_alarm, 2);
  EXPECT_EQ(out.soc, 50);
  EXPECT_EQ(out.ccl, 0);
  EXPECT_EQ(out.cvl, last.cvl);
  EXPECT_EQ(out.charge_limitation, "BMS disconnected");
}

TEST(ControllerAlarms, AClockNearZeroSuppressesNothing) {
  Controller controller(config_from({}), kTraits, {});
  Battery pack = healthy_pack(8, 3.3);
  pack.alarms[Alarm::high_voltage] = AlarmLevel::alarm;
  Now now = at_second(0);
  now.wall = 60;  // a device that has not got the time yet; there never was a SoC reset
  EXPECT_EQ(controller.good_poll(pack, {}, now).alarms[Alarm::high_voltage], AlarmLevel::alarm);
}

TEST(ControllerDebug, TextsExistOnlyOnRequest) {
  Controller quiet(config_from({}), kTraits, {});
  EXPECT_EQ(quiet.good_poll(healthy_pack(8, 3.3), {}, at_second(0)).debug, std::nullopt);

  Controller controller(config_from({{"GUI_PARAMETERS_SHOW_ADDITIONAL_INFO", "True"}}), kTraits, {});
  const auto& out = controller.good_poll(healthy_pack(8, 3.3), {}, at_second(0));
  ASSERT_TRUE(out.debug && out.debug_float && out.debug_bulk);
  EXPECT_NE(out.debug->find("Max pack voltage: 27.60 V"), std::string::npos) << *out.debug;
  EXPECT_NE(out.debug->find("Started: 2023-11-14 22:13:20 UTC • running for:  • clock: 2023-11-14 22:13:20 UTC"), std::string::npos)
      << *out.debug;
  EXPECT_NE(out.debug_float->find("900"), std::string::npos) << *out.debug_float;
  EXPECT_NE(out.debug_bulk->find("80 %"), std::string::npos) << *out.debug_bulk;
  Battery blind = healthy_pack(8, 3.3);
  for (auto& cell : blind.cells) cell.voltage.reset();
  EXPECT_EQ(controller.good_poll(blind, {}, at_second(1)).debug, std::nullopt) << "error mode has no figures to show";
}

TEST(ControllerDebug, ShowsWhatTheLimitsComeFrom) {
  Persisted stored;
  stored.soc_reset_last_reached = at_second(62).wall - 86400 * 9;
  Controller controller(config_from({{"GUI_PARAMETERS_SHOW_ADDITIONAL_INFO", "True"},
                                     {"SOC_CALCULATION", "True"},
                                     {"CVL_CONTROLLER_MODE", "1"},
                                     {"VOLTAGE_DROP", "0.1"},
                                     {"SOC_RESET_AFTER_DAYS", "30"},
                                     {"SOC_RESET_CELL_VOLTAGE", "3.5"}}),
                        kTraits, stored);
  Battery pack = healthy_pack(8, 3.46);
  pack.cells[2].voltage = 2.85;
  pack.voltage = 27.07;
  pack.current = -20;
  controller.good_poll(pack, {}, at_second(0));
  controller.good_poll(pack, {}, at_second(60));
  const auto& out = controller.good_poll(pack, {}, at_second(62));
  EXPECT_EQ(*out.debug, R"(Started: 2023-11-14 22:13:20 UTC • running for: 1m 2s • clock: 2023-11-14 22:14:22 UTC
Max pack voltage: 27.60 V • pack voltage: 27.07 V
Controller voltage: 27.00 V + drop 0.10 V = CVL 27.10 V
Law allows: 27.00 V • last limitation: 0 s
Sum of cells: 27.07 V • difference: 0.610 V
Highest cell: 3.460 V • penalty: 0.070 V
Charge FET: on • discharge FET: on • charge allowed: on • discharge allowed: on
CCL evaluated: 0 s
Last SoC reset: 9.00 days ago • next in: 21.00 days
SoC of BMS: 50.00 % • in use: 49.66 % • SoH: 99.0 %
Current of BMS: -20.00 A • in use: -20.00 A
Remaining charge: 49.66 Ah • capacity: 100.00 Ah • zero timer: 2 s)");
  EXPECT_EQ(*out.debug_float, R"(Bulk permitted: yes
Max pack voltage: 27.60 V <= sum of cells: 27.07 V
Difference: 0.610 V <= limit: 0.010 V
Wait: 900 s < elapsed: None)");
  EXPECT_EQ(*out.debug_bulk, R"(SoC: 49.66 % < threshold: 80 %
Difference: 0.610 V >= limit: 0.080 V
SoC reset requested: no)");
}

TEST(ControllerDebug, AClockThatIsNowhereShowsAsANumber) {
  Controller controller(config_from({{"GUI_PARAMETERS_SHOW_ADDITIONAL_INFO", "True"}}), kTraits, {});
  Now now = at_second(0);
  for (const std::int64_t wall : {std::int64_t{-5}, std::numeric_limits<std::int64_t>::max() / 2}) {
    now.wall = wall;
    const auto& out = controller.good_poll(healthy_pack(8, 3.3), {}, now);
    EXPECT_NE(out.debug->find("clock: " + std::to_string(wall) + "\n"), std::string::npos) << *out.debug;
  }
}

TEST(ControllerDebug, ConfigurationErrorsShowWithoutTheOption) {
  Config config = config_from({{"CVL_RECOVERY_HOLD_SEC", "soon"}});
  ASSERT_TRUE(config.has_errors);
  ASSERT_FALSE(config.issue_lines.empty());
  Controller controller(config, kTraits, {});
  const auto& out = controller.good_poll(healthy_pack(8, 3.3), {}, at_second(0));
  ASSERT_TRUE(out.debug);
  EXPECT_NE(out.debug->find("Config: CVL_RECOVERY_HOLD_SEC bad-number"), std::string::npos) << *out.debug;
  EXPECT_EQ(out.debug_float, std::nullopt);
  EXPECT_EQ(out.state, 10);
  EXPECT_EQ(out.error_code, 119);
}

}  // namespace
}  // namespace serialbattery::control
