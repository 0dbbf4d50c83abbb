// Conversations of the JK PB driver with simulated units in virtual time, and what its framing rule takes for an answer.
#include "bms/jkbms_pb.hpp"

#include "bms/modbus_rtu.hpp"
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Pb : public DriverTest {
 protected:
  Pb() : DriverTest("Jkbms_pb") {}

  static bool is_about(Bytes request) { return request.size() == 11 && request[3] == 0x1C; }
  static bool is_settings(Bytes request) { return request.size() == 11 && request[3] == 0x1E; }
};

// Three units on one line, each with a driver of its own.
class PbLine : public DriverTest {
 protected:
  PbLine() : DriverTest("Jkbms_pb", {1, 2, 3}) {
    context_.shared_line = context_.address_configured = true;
    for (std::uint8_t address = 1; address <= 3; ++address) {
      DriverContext context = context_;
      context.address = address;
      units_.push_back(make(context));
    }
    set("gap_needed", "100");
  }
  void find_all() {
    for (const auto& unit : units_) ASSERT_TRUE(run(unit->identify(Effort::thorough)));
  }
  std::optional<Fault> poll(std::size_t unit) {
    return fault_of([&] { run(units_[unit]->refresh()); });
  }

  std::vector<std::unique_ptr<Driver>> units_;
};

}  // namespace

namespace {

// Answers of several units on one line, asked for the status of unit 1.
class PbAnswers : public testing::Test {
 protected:
  void record(std::uint8_t marker) {
    const std::size_t begin = line_.size();
    line_.insert(line_.end(), {0x55, 0xAA, 0xEB, 0x90, 0x02, marker});
    line_.resize(begin + jk02::record_size - 1);
    line_.push_back(static_cast<std::uint8_t>(wire::sum(Bytes(line_).subspan(begin))));
  }
  void acknowledgement(std::uint8_t address) {
    const ByteVector frame = modbus::sealed({address, 0x10, 0x16, 0x20, 0x00, 0x01});
    line_.insert(line_.end(), frame.begin(), frame.end());
  }
  [[nodiscard]] jkbms_pb::Finding scan() const {
    return jkbms_pb::scan_answer(line_, jkbms_pb::read_request(1, jk02::Kind::status), jk02::Kind::status);
  }
  /// Which record is taken for the answer; nullopt: none.
  [[nodiscard]] std::optional<unsigned> taken() const {
    const Scan found = scan().scan;
    return found.status == Scan::Status::complete ? std::optional(unsigned{line_[found.begin + 5]}) : std::nullopt;
  }

  ByteVector line_;
};

}  // namespace

TEST_F(PbAnswers, ALateAnswerOfAnotherUnitInFrontIsNotTaken) {
  record(2);
  acknowledgement(2);
  EXPECT_EQ(scan().scan.fault, Fault::implausible);
  record(1);
  EXPECT_EQ(taken(), std::nullopt);
  acknowledgement(1);
  EXPECT_EQ(taken(), 1U);
}

TEST_F(PbAnswers, ARecordIsNotAcknowledgedByWhatFollowsAnother) {
  record(2);  // its acknowledgement got lost
  record(1);
  EXPECT_EQ(taken(), std::nullopt);
  acknowledgement(1);
  EXPECT_EQ(taken(), 1U);
}

TEST_F(PbAnswers, TheFirstAcknowledgementCounts) {
  record(2);
  acknowledgement(2);
  acknowledgement(1);  // behind a record that got lost
  EXPECT_EQ(taken(), std::nullopt);
  EXPECT_EQ(scan().scan.fault, Fault::implausible);
}

TEST_F(PbAnswers, ARecordInWhichAnotherBeginsIsCutWhateverItsSum) {
  record(2);
  line_.resize(jk02::record_size / 2);
  record(1);
  line_[6] = static_cast<std::uint8_t>(line_[jk02::record_size - 1] - wire::sum(Bytes(line_).first(jk02::record_size - 1)));  // fits now
  ASSERT_TRUE(jk02::sum_fits(Bytes(line_).first(jk02::record_size)));
  acknowledgement(1);
  EXPECT_EQ(taken(), 1U);
}

TEST_F(PbAnswers, OnlyTheLastRecordCanStillBeAcknowledged) {
  record(2);
  EXPECT_EQ(scan().unacknowledged, 0U);
  line_.insert(line_.end(), {0x55, 0xAA, 0xEB, 0x90});
  EXPECT_EQ(scan().unacknowledged, std::nullopt);
}

TEST_F(Pb, FindsTheUnit) {
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().capacity, 280.0 / 2.8);
  EXPECT_EQ(battery().limits.charge_current, 60.0);
  EXPECT_EQ(battery().identity.unique_id, "SIM");
  EXPECT_EQ(battery().identity.legacy_id, "");
  EXPECT_EQ(battery().identity.hardware_version, "15A / 15.41");
  EXPECT_EQ(battery().temperatures[3], 27.0);
  EXPECT_EQ(driver().address_text(), "0x01");
  EXPECT_EQ(driver().controls(), Controls{});
}

TEST_F(Pb, RemembersHowEarlierDriversCutALongName) {
  set("name", "ABCDEFGHIJKLMNOP");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "ABCDEFGHIJKLMNOP");
  EXPECT_EQ(battery().identity.legacy_id, "ABCDEFGHIJKLMNO");
}

TEST_F(Pb, NeedsProofOfTheSenderUntilItIsFound) {
  set("no_acknowledgement", "on");
  EXPECT_FALSE(identify());
}

TEST_F(Pb, NeedsProofOfTheSenderWhenItIsLookedForAgain) {
  ASSERT_TRUE(identify());
  set("no_acknowledgement", "on");
  EXPECT_EQ(failing_refresh(), std::nullopt);
  EXPECT_FALSE(identify());
}

TEST_F(Pb, TakesAnswersWithoutAcknowledgementFromTheOnlyConfiguredUnit) {
  context_.address_configured = true;
  set("no_acknowledgement", "on");
  ASSERT_TRUE(identify());
  set("soc", "42");
  refresh();
  EXPECT_EQ(battery().soc, 42.0);
}

TEST_F(Pb, RefusesWrongAcknowledgements) {
  ASSERT_TRUE(identify());
  const Battery before = battery();
  set("soc", "42");
  set("acknowledge_as", "2");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  set("acknowledge_as", "0");
  set("acknowledge_register", "0x161E");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  set("acknowledge_register", "0");
  set("acknowledgement_crc", "on");
  EXPECT_EQ(failing_refresh(), Fault::checksum);
  EXPECT_EQ(battery(), before);
}

TEST_F(Pb, RefusesTheRecordOfAnotherRequest) {
  ASSERT_TRUE(identify());
  set("wrong_type", "on");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Pb, TakesEchoPadsAndOneLostAnswer) {
  device().set_fault("echo", "on");
  set("pad", "on");
  set("count_up", "on");
  ASSERT_TRUE(identify());
  device().set_fault("silence", "on");
  device().set_fault("count", "1");
  set("soc", "42");
  refresh();
  EXPECT_EQ(battery().soc, 42.0);
}

TEST_F(Pb, ReportsAModbusException) {
  ASSERT_TRUE(identify());
  device().set_fault("exception", "2");
  const std::size_t before = sent_so_far();
  EXPECT_EQ(failing_refresh(), Fault::exception);
  EXPECT_EQ(sent_so_far() - before, 1U);
}

TEST_F(Pb, FollowsChangedSettingsWithinAMinute) {
  ASSERT_TRUE(identify());
  set("charge_limit", "25000");
  const std::size_t before = sent_so_far();
  refresh();
  EXPECT_EQ(sent(before, is_settings), 0U);
  EXPECT_EQ(battery().limits.charge_current, 60.0);
  wait(61s);
  refresh();
  EXPECT_EQ(battery().limits.charge_current, 25.0);
}

TEST_F(Pb, FailsWhileTheNumberOfCellsIsAnother) {
  ASSERT_TRUE(identify());
  set("cell_count", "15");
  wait(61s);
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().cells.size(), 16U);
}

TEST_F(Pb, WorksWithoutAboutAndAsksForItSeldom) {
  set("about_silent", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "0x01");
  const std::size_t before = sent_so_far();
  for (int i = 0; i < 20; ++i) {
    wait(10s);
    refresh();
  }
  EXPECT_GE(sent(before, is_about), 2U);
  EXPECT_LE(sent(before, is_about), 4U);
  set("about_silent", "off");
  wait(61s);
  refresh();
  EXPECT_EQ(battery().identity.firmware_version, "15.41");
  EXPECT_EQ(battery().identity.unique_id, "0x01") << "settings of this run hang on it";
}

TEST_F(Pb, ReadsTheHeater) {
  set("control_bits", "9");
  set("heater_current", "-4.3");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().heater.allowed, true);
  EXPECT_EQ(battery().heater.active, false);
  EXPECT_EQ(battery().heater.current, 0.0);
  EXPECT_EQ(battery().heater.stop, 10.0);
  set("heater", "on");
  refresh();
  EXPECT_EQ(battery().heater.active, true);
  EXPECT_EQ(battery().heater.current, 4.3);
  EXPECT_NEAR(*battery().heater.power, 4.3 * 52.8, 0.01);
}

TEST_F(Pb, OlderFirmwareHasTwoBatterySensors) {
  ASSERT_TRUE(identify());
  EXPECT_NE(battery().temperatures[2], std::nullopt);
  set("software", "11.26");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_NE(battery().temperatures[1], std::nullopt);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
}

TEST_F(Pb, WritesSwitches) {
  ASSERT_TRUE(identify());
  command(Command::Kind::charge, 0);
  EXPECT_EQ(stream_.written().back(), wire::from_hex("0110107000020400000000394B"));
  EXPECT_EQ(device().get("charge_fet"), "off");
  command(Command::Kind::discharge, 1);
  EXPECT_EQ(stream_.written().back(), wire::from_hex("01101074000204 00000001F978"));
  command(Command::Kind::heat, 1);
  EXPECT_EQ(device().get("control_bits"), "9") << "the other bits stay";
}

TEST_F(Pb, LeavesABusMasterAlone) {
  context_.address = 0;
  EXPECT_FALSE(identify());
  EXPECT_EQ(sent_so_far(), 0U);
}

TEST_F(PbLine, ReadsAllUnitsWithTheGapThatTheyNeed) {
  find_all();
  set("2/soc", "20");
  set("3/soc", "30");
  for (int cycle = 0; cycle < 5; ++cycle) {
    for (std::size_t unit = 0; unit < 3; ++unit) EXPECT_EQ(poll(unit), std::nullopt);
  }
  EXPECT_EQ(units_[0]->battery().soc, 60.0);
  EXPECT_EQ(units_[1]->battery().soc, 20.0);
  EXPECT_EQ(units_[2]->battery().soc, 30.0);
}

TEST_F(PbLine, NeedsTheAcknowledgement) {
  find_all();
  set("2/no_acknowledgement", "on");
  EXPECT_EQ(poll(1), Fault::length);
  EXPECT_EQ(poll(2), std::nullopt);
}

TEST_F(PbLine, LetsASilentUnitRest) {
  find_all();
  device().set_fault("2/silence", "on");
  const auto of_unit_2 = [](Bytes request) { return request[0] == 2; };
  const std::size_t before = sent_so_far();
  for (int cycle = 0; cycle < 23; ++cycle) EXPECT_EQ(poll(1), Fault::timeout);
  EXPECT_EQ(sent(before, of_unit_2), 1U + 3 + 2) << "three cycles, then every tenth; a second attempt in the first one only";

  const TimePoint start = stream_.now();
  EXPECT_EQ(poll(1), Fault::timeout);
  EXPECT_EQ(stream_.now(), start) << "a resting unit costs the others no time";

  device().set_fault("2/silence", "off");
  int cycles = 0;
  while (poll(1) && cycles < 20) ++cycles;
  EXPECT_LT(cycles, 10);
  EXPECT_EQ(poll(1), std::nullopt) << "it is asked in every cycle again";
}

TEST_F(Pb, TellsOnceWhatNoAlarmSays) {
  const LogText log;
  ASSERT_TRUE(identify());
  set("alarms.wire_resistance", "on");
  set("alarms.change_password", "on");  // set on healthy batteries
  refresh();
  refresh();
  EXPECT_EQ(log.count("JK alarms"), 1U);
  EXPECT_EQ(log.count("resistance of a balance wire too high"), 1U);
}

}  // namespace serialbattery::test
