// Conversations of the JK 4E 57 driver with the simulated board in virtual time, and content byte by byte.
#include "bms/jkbms.hpp"

#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Jk : public DriverTest {
 protected:
  Jk() : DriverTest("Jkbms") {}
};

}  // namespace

TEST_F(Jk, FindsTheBoardInOneExchange) {
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(sent_so_far(), 1U);
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().limits.charge_current, 70.0);
  EXPECT_EQ(battery().limits.discharge_current, 100.0);
  EXPECT_EQ(battery().identity.unique_id, "SIMULATED001JK_B2A24S20P");
  EXPECT_EQ(battery().identity.hardware_version, "JKBMS 11.XW S11.26 16S (20230601)");
  EXPECT_EQ(driver().controls(), Controls{});
}

TEST_F(Jk, NamesABoardWithoutTextByItsPort) {
  set("old_format", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().identity.unique_id, "JKBMS_test");
  refresh();
  EXPECT_EQ(battery().identity.unique_id, "JKBMS_test");
}

TEST_F(Jk, KeepsTheIdentityThatItWasFoundUnder) {
  ASSERT_TRUE(identify());
  set("manufacturer_id", "ANOTHERNAME");
  refresh();
  EXPECT_EQ(battery().identity.unique_id, "SIMULATED001JK_B2A24S20P");
}

TEST_F(Jk, ReadsBothCurrentCodes) {
  ASSERT_TRUE(identify());
  set("current", "-12.5");
  refresh();
  EXPECT_EQ(battery().current, -12.5);
  set("old_format", "on");
  refresh();
  EXPECT_EQ(battery().current, -12.5);
}

TEST_F(Jk, KeepsACellThatGlitches) {
  ASSERT_TRUE(identify());
  set("voltage", "52.8");
  set("cell3", "0");
  refresh();
  EXPECT_EQ(battery().cells[2].voltage, 3.3);
  set("cell3", "3.31");
  refresh();
  EXPECT_EQ(battery().cells[2].voltage, 3.31);
}

TEST_F(Jk, DoesNotTakeABrokenCellWireForAGlitch) {
  ASSERT_TRUE(identify());
  set("voltage", "52.8");
  set("cell3", "0");
  for (int i = 0; i < 10; ++i) refresh();
  EXPECT_EQ(battery().cells[2].voltage, std::nullopt);
  EXPECT_EQ(battery().cells[3].voltage, 3.3);
}

TEST_F(Jk, HoldsTheSocWhileTheBoardStarts) {
  ASSERT_TRUE(identify());
  set("rebooting", "on");
  refresh();
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().capacity_remaining, 60.0);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 12.0);
  wait(29s);
  refresh();
  EXPECT_EQ(battery().soc, 60.0);
  wait(2s);
  refresh();
  EXPECT_EQ(battery().soc, 0.0);
  refresh();
  EXPECT_EQ(battery().soc, 0.0);
}

TEST_F(Jk, KnowsNoSocWhenTheBoardStartsTogetherWithTheDriver) {
  set("rebooting", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().soc, std::nullopt);
  EXPECT_EQ(battery().capacity_remaining, std::nullopt);
  set("rebooting", "off");
  refresh();
  EXPECT_EQ(battery().soc, 60.0);
}

TEST_F(Jk, BelievesAnEmptyBattery) {
  ASSERT_TRUE(identify());
  set("cell", "2.65");
  set("soc", "0");
  set("cycles", "0");
  refresh();
  EXPECT_EQ(battery().soc, 0.0);
}

TEST_F(Jk, PassesOverUploadsEchoesAndNoise) {
  ASSERT_TRUE(identify());
  set("unsolicited", "on");
  device().set_fault("echo", "on");
  device().set_fault("noise_before", "7");
  set("soc", "42");
  refresh();
  EXPECT_EQ(battery().soc, 42.0);
}

TEST_F(Jk, TakesAnAnswerInSmallPieces) {
  device().set_fault("chunk", "32");
  device().set_fault("gap", "5");
  EXPECT_TRUE(identify(Effort::quick));
}

TEST_F(Jk, AsksAgainOnce) {
  ASSERT_TRUE(identify());
  device().set_fault("checksum", "on");
  device().set_fault("count", "1");
  refresh();
  device().set_fault("count", "2");
  const std::size_t before = sent_so_far();
  EXPECT_EQ(failing_refresh(), Fault::checksum);
  EXPECT_EQ(sent_so_far() - before, 2U);
}

TEST_F(Jk, RefusesAnotherNumberOfCells) {
  ASSERT_TRUE(identify());
  const Battery before = battery();
  set("cells", "15");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  EXPECT_EQ(battery(), before);
}

TEST_F(Jk, RefusesCellsThatDoNotAddUp) {
  ASSERT_TRUE(identify());
  set("voltage", "56");  // the cells have 52.8 V
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  set("voltage", "55");
  EXPECT_EQ(failing_refresh(), std::nullopt);
}

TEST_F(Jk, RefusesAFrameWithoutAnyCell) {
  ASSERT_TRUE(identify());
  set("voltage", "52.8");
  set("cell", "0");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Jk, RefusesALengthThatCannotBe) {
  ASSERT_TRUE(identify());
  set("absurd_length", "on");
  EXPECT_EQ(failing_refresh(), Fault::length);
}

TEST_F(Jk, GivesUpADeadLineQuickly) {
  device().set_fault("silence", "on");
  const TimePoint start = stream_.now();
  EXPECT_FALSE(identify(Effort::quick));
  EXPECT_LT(stream_.now() - start, 400ms);
}

TEST(JkContent, AlarmsThatAreNotInTheFrameAreUnknown) {
  const std::string cells = "79 0C 01 0C E4 02 0C E4 03 0C E4 04 0C E4", others = "83 05 28 84 80 00 85 32 8A 00 04";
  const auto decoded = [&](const std::string& alarms) {
    const std::string head = "4E 57 00 00 00 00 00 00 06 00 01", tail = "00 00 00 00 68 00 00 00 00";
    const ByteVector frame = *wire::from_hex(head + cells + others + alarms + "8C 00 03 C0 01" + tail);
    jk::CellReader reader;
    boost::json::object details;
    Battery battery;
    battery.alarms[Alarm::high_cell_voltage] = AlarmLevel::warning;  // of the reading before
    jkbms::decode_reading(jkbms::Registers(frame), reader, battery, details);
    return battery.alarms[Alarm::high_cell_voltage];
  };
  EXPECT_EQ(decoded("8B 00 00"), AlarmLevel::ok);
  EXPECT_EQ(decoded("8B 04 00"), AlarmLevel::warning);
  EXPECT_EQ(decoded(""), std::nullopt);
}

TEST(JkFrames, TheNewestWholeReplyCountsWhateverFollows) {
  ByteVector reply = jkbms::read_all_request();
  ++reply[10];  // a reply now
  ++reply.back();
  ByteVector seen = reply;
  seen.insert(seen.end(), reply.begin(), reply.end());
  seen.insert(seen.end(), {0x4E, 0x57, 0x01});
  const Scan scan = jkbms::scan_reply(seen, jkbms::read_all);
  EXPECT_EQ(scan.status, Scan::Status::complete);
  EXPECT_EQ(scan.begin, reply.size());
}

TEST_F(Jk, WritesSwitches) {
  ASSERT_TRUE(identify());
  command(Command::Kind::charge, 0);
  EXPECT_EQ(device().get("charge_fet"), "off");
  EXPECT_EQ(stream_.written().back(), wire::from_hex("4E5700140000000002030 0AB000000000068000001D1"));
  command(Command::Kind::charge, 1);
  EXPECT_EQ(device().get("charge_fet"), "on");
  command(Command::Kind::discharge, 0);
  EXPECT_EQ(device().get("discharge_fet"), "off");
  EXPECT_EQ(fault_of([this] { command(Command::Kind::soc, 50); }), Fault::rejected);
}

TEST_F(Jk, TellsAWriteThatTheBoardIgnores) {
  ASSERT_TRUE(identify());
  set("password_required", "on");
  const std::size_t before = sent_so_far();
  EXPECT_EQ(fault_of([this] { command(Command::Kind::charge, 0); }), Fault::timeout);
  EXPECT_EQ(sent_so_far() - before, 1U) << "a write is not repeated blindly";
}

}  // namespace serialbattery::test
