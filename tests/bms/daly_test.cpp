// Conversations of the Daly driver with the simulated board in virtual time.
#include "bms/daly.hpp"

#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

using Kind = serialbattery::Command::Kind;

class DalyBoard : public DriverTest {
 protected:
  DalyBoard() : DriverTest("Daly") {}

  std::size_t asked(std::size_t before, int command) const {
    return sent(before, [command](Bytes request) { return request[2] == command; });
  }
  // Polls for `time` of the board's time; the fault of the first poll that failed.
  std::optional<Fault> poll_for(Duration time) {
    for (const TimePoint end = stream_.now() + time; stream_.now() < end;) {
      if (const auto fault = failing_refresh()) return fault;
    }
    return std::nullopt;
  }
};

class DalyBoards : public DriverTest {
 protected:
  DalyBoards() : DriverTest("Daly", {0x40, 0x41}) {}
};

}  // namespace

TEST_F(DalyBoard, IsFoundWithItsTextsAndAFirstReading) {
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().cell_count, 14U);
  EXPECT_EQ(battery().cells[8].voltage, 3.74);
  EXPECT_EQ(battery().cell_min, 3.74);
  EXPECT_EQ(battery().capacity, 40.0);
  EXPECT_EQ(battery().capacity_remaining, 20.0);
  EXPECT_EQ(battery().temperatures[0], 21.0);
  EXPECT_EQ(battery().alarms[Alarm::low_soc], AlarmLevel::ok);
  EXPECT_EQ(battery().identity.unique_id, "SIMULATED-14S");
  EXPECT_EQ(battery().identity.hardware_version, "DalyBMS 14S (20210222)");
  EXPECT_EQ(driver().address_text(), "0x40");
  EXPECT_EQ(driver().controls(), (Controls{.charge_switch = true, .discharge_switch = true, .soc = true, .soc_reset_when_full = true}));
}

TEST_F(DalyBoard, IsFoundAtTheAddressOfTheBluetoothHost) {
  set("only_host_80", "on");
  EXPECT_FALSE(identify(Effort::quick));
  driver_.reset();
  context_.address = 0x80;
  ASSERT_TRUE(identify(Effort::quick));
  set("soc", "42");
  const std::uint64_t unanswered = link_.statistics().exchanges - link_.statistics().answered;
  for (int i = 0; i < 3; ++i) refresh();
  EXPECT_EQ(battery().soc, 42.0);
  EXPECT_EQ(link_.statistics().exchanges - link_.statistics().answered, unanswered) << "surplus frames must not meet the next request";
}

TEST_F(DalyBoard, IsNotFoundWhileItSleeps) {
  set("sleep", "on");
  EXPECT_FALSE(identify());
}

TEST_F(DalyBoard, IsNamedByDateAndCapacityWithoutAText) {
  set("battery_code", "");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "20210222_40");
}

TEST_F(DalyBoard, HasTheConfiguredCapacityIfItTellsNone) {
  set("rated_silent", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, config_.battery_capacity);
}

TEST_F(DalyBoard, IsNotAskedAgainWhatItDoesNotKnow) {
  set("silent_command", "0x57");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "20210222_40");
  refresh();
  EXPECT_FALSE(battery().identity.firmware_version.empty()) << "the first poll asks for it";
  const std::size_t before = sent_so_far();
  EXPECT_EQ(poll_for(30s), std::nullopt);
  for (const int command : {0x50, 0x53, 0x57, 0x62, 0x63}) EXPECT_EQ(asked(before, command), 0U);
}

TEST_F(DalyBoard, IsAskedMoreSlowlyWhenItDropsRequests) {
  set("min_gap", "100");
  ASSERT_TRUE(identify());
  refresh();
  const std::uint64_t unanswered = link_.statistics().exchanges - link_.statistics().answered;
  for (int i = 0; i < 5; ++i) refresh();
  EXPECT_EQ(link_.statistics().exchanges - link_.statistics().answered, unanswered);
}

TEST_F(DalyBoard, IsAskedMoreSlowlyAfterTwoLostAnswers) {
  ASSERT_TRUE(identify());
  const auto time_of_a_poll = [this] {
    const TimePoint start = stream_.now();
    refresh();
    return stream_.now() - start;
  };
  const Duration quick = time_of_a_poll();
  for (int lost = 0; lost < 2; ++lost) {
    set("silent_command", "0x92");
    refresh();
    set("silent_command", "0");
  }
  EXPECT_GT(time_of_a_poll(), quick + 500ms);  // seven gaps of 120 ms in place of 20 ms
}

TEST_F(DalyBoard, IsAskedQuicklyWhileItAnswers) {
  ASSERT_TRUE(identify());
  const TimePoint start = stream_.now();
  refresh();
  EXPECT_LT(stream_.now() - start, 1s);
}

TEST_F(DalyBoard, KeepsItsCellsForOneFailure) {
  ASSERT_TRUE(identify());
  set("silent_command", "0x95");
  set("soc", "42");
  refresh();
  EXPECT_EQ(battery().soc, 42.0);
  EXPECT_EQ(battery().cells[8].voltage, 3.74);
  EXPECT_EQ(failing_refresh(), Fault::timeout);
  set("silent_command", "0");
  refresh();
  set("silent_command", "0x95");
  EXPECT_EQ(failing_refresh(), std::nullopt);
}

TEST_F(DalyBoard, FailsWithoutAlarms) {
  ASSERT_TRUE(identify());
  const Battery before = battery();
  set("soc", "42");
  set("silent_command", "0x98");
  EXPECT_EQ(failing_refresh(), Fault::timeout);
  EXPECT_EQ(battery(), before);
}

TEST_F(DalyBoard, KeepsOtherValuesForTenSeconds) {
  ASSERT_TRUE(identify());
  set("silent_command", "0x92");
  EXPECT_EQ(poll_for(8s), std::nullopt);
  EXPECT_EQ(battery().temperatures[0], 21.0);
  EXPECT_EQ(poll_for(5s), Fault::timeout);
}

TEST_F(DalyBoard, RefusesImpossibleValues) {
  ASSERT_TRUE(identify());
  const Battery before = battery();
  set("voltage", "0.1");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  set("voltage", "auto");
  set("soc", "101");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  set("soc", "50");
  set("current", "1000");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_EQ(battery(), before);
}

TEST_F(DalyBoard, FailsWhileTheNumberOfCellsIsAnother) {
  ASSERT_TRUE(identify());
  set("cell_count", "13");
  wait(61s);
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_EQ(battery().cell_count, 14U);
}

TEST_F(DalyBoard, OrdersFramesByTheirNumber) {
  set("shuffle", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells[8].voltage, 3.74);
  EXPECT_EQ(battery().identity.unique_id, "SIMULATED-14S");
}

TEST_F(DalyBoard, PlacesFourSensors) {
  set("sensors", "4");
  set("temperature2", "22");
  set("temperature3", "23");
  set("temperature4", "24");
  ASSERT_TRUE(identify());
  refresh();
  const std::array<std::optional<double>, 4> expected{21.0, 22.0, 23.0, 24.0};
  EXPECT_EQ(battery().temperatures, expected);
}

TEST_F(DalyBoard, FallsBackToTheExtremesAndAsksForTheListSeldom) {
  set("sensors", "4");
  set("temperature2", "30");
  set("silent_command", "0x96");
  ASSERT_TRUE(identify());
  const std::size_t before = sent_so_far();
  EXPECT_EQ(poll_for(50s), std::nullopt);
  EXPECT_EQ(asked(before, 0x96), 1U);
  EXPECT_EQ(battery().temperatures[0], 21.0);
  EXPECT_EQ(battery().temperatures[1], 30.0);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
}

TEST_F(DalyBoard, AsksForTheOtherSignAfterTenContradictions) {
  const LogText log;
  ASSERT_TRUE(identify());
  set("charging_counts_up", "on");
  set("current", "20");
  for (int i = 0; i < 9; ++i) refresh();
  EXPECT_EQ(battery().current, -20.0);
  EXPECT_EQ(log.count("set INVERT_CURRENT_MEASUREMENT = -1"), 0U);
  for (int i = 0; i < 10; ++i) refresh();
  EXPECT_EQ(log.count("set INVERT_CURRENT_MEASUREMENT = -1"), 1U);
}

TEST_F(DalyBoard, ShowsItsOwnTemperatureOnlyOnNewBoards) {
  set("mos_in_status", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().mos_temperature, std::nullopt);
  set("hardware", "JHB-R24TS");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().mos_temperature, 28.0);
}

TEST_F(DalyBoard, CountsCurrentTheOtherWayOnRequest) {
  config_.invert_current_measurement = -1;
  set("charging_counts_up", "on");
  set("current", "25");
  set("alarms.discharge_current_2", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().current, 25.0);
  EXPECT_EQ(battery().alarms[Alarm::high_charge_current], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::high_discharge_current], AlarmLevel::ok);
}

TEST_F(DalyBoard, SwitchesItsFets) {
  ASSERT_TRUE(identify());
  command(Kind::charge, 0);
  EXPECT_EQ(device().get("charge_fet"), "off");
  EXPECT_EQ(device().get("discharge_fet"), "on");
  command(Kind::discharge, 0);
  command(Kind::charge, 1);
  EXPECT_EQ(device().get("charge_fet"), "on");
  EXPECT_EQ(device().get("discharge_fet"), "off");
}

TEST_F(DalyBoard, IsBelievedByWhatItShowsNotByItsAcknowledgement) {
  ASSERT_TRUE(identify());
  set("acknowledgements", "0");
  command(Kind::charge, 0);
  EXPECT_EQ(device().get("charge_fet"), "off");
  set("refuse_writes", "on");
  EXPECT_EQ(fault_of([this] { command(Kind::discharge, 0); }), Fault::rejected);
  set("acknowledgements", "1");
  EXPECT_EQ(fault_of([this] { command(Kind::discharge, 0); }), Fault::rejected);
}

TEST_F(DalyBoard, TakesAStateOfChargeWithTheTime) {
  using namespace std::chrono;
  driver_ = daly::make_daly(context_, [] { return system_clock::time_point(sys_days(year(2022) / 12 / 13)) + 21h + 29min + 39s; });
  ASSERT_TRUE(identify());
  const std::size_t before = sent_so_far();
  command(Kind::soc, 30);
  EXPECT_EQ(stream_.written()[before], wire::from_hex("A5402108160C0D151D27012CC3"));
  EXPECT_EQ(device().get("soc"), "30");
  set("acknowledgements", "2");
  command(Kind::soc, 100);
  refresh();
  EXPECT_EQ(battery().soc, 100.0);
}

TEST_F(DalyBoard, GetsNoTimeFromAClockThatWasNeverSet) {
  driver_ = daly::make_daly(context_, [] { return std::chrono::system_clock::time_point(); });
  ASSERT_TRUE(identify());
  const std::size_t before = sent_so_far();
  command(Kind::soc, 100);
  EXPECT_EQ(stream_.written()[before], wire::from_hex("A540210800000000000003E8F9"));
}

TEST_F(DalyBoard, RefusesAnImpossibleStateOfCharge) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(fault_of([this] { command(Kind::soc, 101); }), Fault::rejected);
  set("refuse_writes", "on");
  EXPECT_EQ(fault_of([this] { command(Kind::soc, 90); }), Fault::rejected);
  EXPECT_EQ(device().get("soc"), "50");
}

TEST_F(DalyBoards, AnswerAtTheirOwnAddresses) {
  context_.shared_line = context_.address_configured = true;
  DriverContext second = context_;
  second.address = 0x41;
  const auto other = make(second);
  ASSERT_TRUE(identify());
  ASSERT_TRUE(run(other->identify(Effort::thorough)));
  set("65/soc", "77");
  refresh();
  run(other->refresh());
  EXPECT_EQ(battery().soc, 50.0);
  EXPECT_EQ(other->battery().soc, 77.0);
  run(other->execute({Kind::charge, 0}));
  EXPECT_EQ(device().get("65/charge_fet"), "off");
  EXPECT_EQ(device().get("64/charge_fet"), "on");
}

namespace {

// What the data of one answer say of a board with 14 cells and a sensor.
Battery decoded(daly::Command command, const ByteVector& data, std::size_t cells = 14) {
  daly::Board board;
  board.sensors = 1;
  Battery battery;
  battery.cells.resize(cells);
  boost::json::object details;
  daly::decode(command, data, default_config(), board, battery, details);
  return battery;
}

}  // namespace

TEST(DalyData, TemperaturesThatMeanNoReading) {
  EXPECT_EQ(decoded(daly::temperature_extremes, {0x00, 1, 0x00, 1, 0, 0, 0, 0}).temperatures[0], std::nullopt);
  EXPECT_EQ(decoded(daly::temperature_extremes, {0xFF, 1, 0xFF, 1, 0, 0, 0, 0}).temperatures[0], std::nullopt);
  EXPECT_EQ(decoded(daly::temperature_extremes, {0x01, 1, 0x01, 1, 0, 0, 0, 0}).temperatures[0], -39.0);
}

TEST(DalyData, BalancingIsTheNumberOfACellOnlyWhereTheBitsOfManyCellsDoNotFit) {
  const auto balances = [](const ByteVector& data, std::size_t cells, std::size_t cell) {
    return decoded(daly::balancing, data, cells).cells[cell - 1].balancing;
  };
  EXPECT_EQ(balances({0, 2, 0, 0, 0, 0, 0, 0}, 14, 10), true);
  EXPECT_EQ(balances({0, 2, 0, 0, 0, 0, 0, 0}, 14, 2), false);
  EXPECT_EQ(balances({0, 2, 0, 0, 0, 0, 0, 0}, 8, 2), true);
}

TEST(DalyFrames, AnInvalidFrameAmongNumberedOnesIsPassedOver) {
  const auto frame = [](std::uint8_t number) {
    ByteVector bytes{0xA5, 0x01, 0x95, 0x08, number, 0x0E, 0x10, 0x0E, 0x10, 0x0E, 0x10, 0x00};
    bytes.push_back(static_cast<std::uint8_t>(wire::sum(bytes)));
    return bytes;
  };
  ByteVector seen;
  for (const std::uint8_t number : {std::uint8_t{2}, std::uint8_t{0xFF}, std::uint8_t{1}}) {
    const ByteVector one = frame(number);
    seen.insert(seen.end(), one.begin(), one.end());
  }
  EXPECT_EQ(daly::scan_answer(seen, {1, daly::cell_voltages, 2}).status, Scan::Status::complete);
}

TEST_F(DalyBoard, TellsOnceWhatNoAlarmSays) {
  const LogText log;
  ASSERT_TRUE(identify());
  set("alarms.temperature_difference_1", "on");
  refresh();
  refresh();
  EXPECT_EQ(log.count("Daly faults: temperatures differ"), 1U);
}

}  // namespace serialbattery::test
