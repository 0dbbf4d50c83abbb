// Conversations of the JBD UP16S driver with simulated packs: alone, and behind a master.
#include "bms/lltjbd_up16s.hpp"

#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Up16s : public DriverTest {
 protected:
  explicit Up16s(const std::vector<std::uint8_t>& addresses = {}) : DriverTest("LltJbd_Up16s", addresses) {}
  void set_soc(double percent) { run(driver().execute({Command::Kind::soc, percent})); }
};

class Up16sChain : public Up16s {
 protected:
  Up16sChain() : Up16s({1, 2}) {}
};

}  // namespace

TEST_F(Up16s, ReadsTheMaster) {
  device().set("soc", "60.95");
  device().set("balancing", "0x8001");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().soc, 60.95);  // the status says 60
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().cells[15].balancing, true);
  EXPECT_EQ(battery().temperatures[3], 21.2);
  EXPECT_EQ(battery().history[HistoryValue::total_ah_drawn], 973.3);
  EXPECT_EQ(battery().identity.unique_id, "UP16S019000123525032200332");
  EXPECT_EQ(battery().identity.hardware_version, "JBD UP16S015.16S200A, model 33, HW rev 3, FW v12.1.7, BMS 2025.04.17, Pack 2025.03.18");
  EXPECT_EQ(battery().limits.charge_current, std::nullopt);
  EXPECT_EQ(battery().limits.charge_voltage, 58.4);
  EXPECT_TRUE(driver().controls().soc);
  EXPECT_TRUE(driver().controls().soc_reset_when_full);
}

TEST_F(Up16s, RefusesAnotherNumberOfCells) {
  ASSERT_TRUE(identify());
  device().set("cells", "15");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
  device().set("cells", "16");
  EXPECT_EQ(failing_refresh(), std::nullopt);
}

TEST_F(Up16s, NeverReadsTheCountersFromTheirStart) {
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_GT(sent("01782006"), 0U);
  EXPECT_EQ(sent("01782000"), 0U);
}

TEST_F(Up16s, SetsTheStateOfCharge) {
  ASSERT_TRUE(identify());
  set_soc(98);
  EXPECT_EQ(sent("0179200620080006114a424426484210"), 1U);
  refresh();
  EXPECT_EQ(battery().soc, 98.0);
}

TEST_F(Up16s, NoticesASocThatIsNotKept) {
  ASSERT_TRUE(identify());
  device().set("ignore_soc", "on");
  EXPECT_EQ(fault_of([this] { set_soc(100); }), Fault::rejected);
  EXPECT_EQ(fault_of([this] { set_soc(101); }), Fault::rejected);
}

TEST_F(Up16s, WritesAtMostThreeTimes) {
  ASSERT_TRUE(identify());
  device().set_fault("silence", "on");
  EXPECT_EQ(fault_of([this] { set_soc(100); }), Fault::timeout);
  EXPECT_EQ(sent("0179"), 3U);
}

TEST_F(Up16s, OldFirmwareHasNoCountersAndIsNotAskedForEver) {
  device().set("old_firmware", "on");
  config_.use_bms_dvcc_values = true;
  ASSERT_TRUE(identify());
  EXPECT_FALSE(driver().controls().soc);
  EXPECT_EQ(battery().history[HistoryValue::total_ah_drawn], std::nullopt);
  EXPECT_EQ(battery().limits.charge_current, 200.0);  // own limits unknown: what the status says
  for (int i = 0; i < 10; ++i) refresh();
  EXPECT_EQ(sent("01782006"), 5U);
}

TEST_F(Up16s, AKnownResolutionIsKeptWhenOneReplyIsLost) {
  device().set("soc", "62.85");
  ASSERT_TRUE(identify());
  device().set("old_firmware", "on");  // the counters fall silent
  refresh();
  EXPECT_EQ(battery().soc, 62.85);
  device().set("soc", "61.2");
  refresh();
  EXPECT_EQ(battery().soc, 61.0);
}

TEST_F(Up16s, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("truncate", "60"), Fault::length);
  device().set("voltage", "20");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Up16s, AnEchoIsNoReply) {
  device().set_fault("echo", "on");
  ASSERT_TRUE(identify());
  set_soc(70);
  refresh();
  EXPECT_EQ(battery().soc, 70.0);
}

TEST_F(Up16s, PassesOverThePollsOfTheInternalBus) {
  device().set_fault("prefix", "024500000054000094c6");
  EXPECT_TRUE(identify());
}

TEST(Up16sFrames, ALengthThatCannotBeIsNotWaitedFor) {
  const ByteVector request = up16s::request(1, up16s::status);
  ByteVector seen = request;
  seen[6] = 0x02;
  seen[7] = 0x59;  // 601 bytes
  const Scan scan = up16s::scan_reply(seen, request);
  EXPECT_EQ(scan.status, Scan::Status::searching);
  EXPECT_EQ(scan.fault, Fault::length);
}

TEST_F(Up16sChain, ReadsPacksThroughTheMaster) {
  device().set("2/soc", "73.4");
  device().set("2/ccl", "80");
  device().set("1/sum_ccl", "150");
  device().set("1/sum_dcl", "0");
  device().set("1/ccl", "100");
  config_.use_bms_dvcc_values = true;
  const auto master = make(1, true, true), slave = make(2, true, true);
  ASSERT_TRUE(run(master->identify(Effort::thorough)));
  ASSERT_TRUE(run(slave->identify(Effort::thorough)));
  EXPECT_EQ(slave->battery().soc, 73.0);
  EXPECT_EQ(slave->battery().identity.unique_id, "JBD48100000_100.0");
  EXPECT_EQ(slave->battery().identity.hardware_version, "JBD UP 16S, FW ver 4");
  EXPECT_FALSE(slave->controls().soc);
  EXPECT_EQ(master->battery().limits.charge_current, 100.0);
  EXPECT_EQ(slave->battery().limits.charge_current, 80.0);
  EXPECT_EQ(master->battery().limits.discharge_current, 0.0);  // the sum over all packs
  EXPECT_EQ(slave->battery().limits.discharge_current, 0.0);
  wait(301s);
  run(slave->refresh());
  EXPECT_EQ(slave->battery().limits.discharge_current, 100.0);  // the master's word has become too old
}

TEST_F(Up16sChain, AnUnpluggedPackCostsOneTimeOut) {
  const auto slave = make(2, true, true);
  ASSERT_TRUE(run(slave->identify(Effort::thorough)));
  for (int i = 0; i < 5; ++i) run(slave->refresh());
  device().set_fault("2/silence", "on");
  const TimePoint start = stream_.now();
  EXPECT_EQ(fault_of([&] { run(slave->refresh()); }), Fault::timeout);
  EXPECT_LT(stream_.now() - start, 1600ms);
}

TEST_F(Up16sChain, WithDirectConnectionEachPackNeedsItsOwnPort) {
  config_.up16s_require_direct_connection = true;
  EXPECT_TRUE(run(make(1, true, true)->identify(Effort::thorough)));
  EXPECT_FALSE(run(make(2, true, true)->identify(Effort::thorough)));
}

// UP boards speak the older protocol of JBD as well.
TEST(Up16sDetection, TheOlderDriverGivesWayUnlessItIsNamed) {
  const auto board = simulator::Bus::of("LltJbd"), up = simulator::Bus::of("LltJbd_Up16s");
  board->set("product_name", "JBD-UP16S010-L16S-200A");
  bool up_answers = true;
  ScriptedStream stream([&](Bytes request) {
    ScriptedStream::Answer chunks;
    auto& asked = request[0] == 0xDD ? *board : *up;
    if (request[0] != 0xDD && !up_answers) return chunks;
    for (auto& answer : asked.receive(request, TimePoint{1h}))
      for (auto& part : answer) chunks.push_back({part.bytes, part.pause});
    return chunks;
  });
  ByteLink link(stream);
  const Config config = default_config();
  const auto identify = [&](bool named) {
    return run(find_driver("LltJbd")->make({.link = link, .config = config, .type_configured = named})->identify(Effort::thorough));
  };
  EXPECT_FALSE(identify(false));
  EXPECT_TRUE(identify(true));
  up_answers = false;
  EXPECT_TRUE(identify(false));
}

}  // namespace serialbattery::test
