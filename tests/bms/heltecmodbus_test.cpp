// Conversations of the Heltec driver with the simulated board.
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Heltec : public DriverTest {
 protected:
  explicit Heltec(const std::vector<std::uint8_t>& addresses = {}) : DriverTest("HeltecModbus", addresses) {}
};

class TwoHeltecs : public Heltec {
 protected:
  TwoHeltecs() : Heltec({1, 5}) {}
};

}  // namespace

TEST_F(Heltec, ReadsTheBoard) {
  device().set("current", "4.56");
  device().set("balancing", "5");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().current, 4.56);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().capacity_remaining, 60.0);
  EXPECT_EQ(battery().cells[0].balancing, true);
  EXPECT_EQ(battery().temperatures[1], 25.0);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().limits.charge_current, 100.0);
  EXPECT_EQ(battery().limits.discharge_current, 150.0);
  EXPECT_EQ(battery().identity.unique_id, "2104-0001-1234-5678");
  EXPECT_EQ(battery().identity.hardware_version, "YY-16S-01(201)");
  EXPECT_EQ(battery().identity.type_text, "#1_Heltec_Smart");
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 12.0);
}

TEST_F(Heltec, AsksForOneBlockPerPollAndNeverForThePassword) {
  ASSERT_TRUE(identify());
  EXPECT_FALSE(std::signbit(*battery().current));
  const std::size_t before = stream_.written().size();
  refresh();
  EXPECT_EQ(stream_.written().size() - before, 1U);
  for (const ByteVector& request : stream_.written()) {
    const unsigned first = wire::u16be(request, 2), count = wire::u16be(request, 4);
    EXPECT_FALSE(first <= 47 && 47 < first + count);
  }
}

TEST_F(Heltec, ReadsOneByOneWhereBlocksAreRefused) {
  device().set("no_blocks", "on");
  device().set("cells", "22");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cells.size(), 22U);
  EXPECT_EQ(battery().soc, 60.0);
  device().set("soc", "61");
  device().set("cycles", "13");
  refresh();
  EXPECT_EQ(battery().soc, 61.0);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 12.0);
  wait(61s);
  refresh();
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 13.0);
}

TEST_F(Heltec, DoesNotNeedWhatIsOnlyShown) {
  for (const char* only_shown : {"38", "40", "169", "172"}) {
    device().set("missing_register", only_shown);
    EXPECT_TRUE(identify()) << only_shown;
    EXPECT_EQ(battery().limits.charge_current, 100.0);
  }
  device().set("missing_register", "191");  // the charge current limit
  EXPECT_FALSE(identify());
}

TEST_F(Heltec, KeepsThePauseThatTheBoardNeeds) {
  device().set("needs_pause", "on");
  device().set("no_blocks", "on");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(link_.statistics().exchanges, link_.statistics().answered);
}

TEST_F(Heltec, OutputsThatAreNeverReportedAreNotOff) {
  device().set("silent_outputs", "on");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().discharge_fet, true);
  device().set("state", "0x10000000");  // charge protection
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, true);
}

TEST_F(Heltec, IsAcceptedWithoutSignatureOnlyIfPlausible) {
  device().set("signature", "off");
  EXPECT_TRUE(identify());
  device().set("model", "");
  EXPECT_FALSE(identify());
  device().set("model", "YY-BCU16");
  device().set("cell1", "0.5");
  EXPECT_FALSE(identify());
  device().set("cell1", "3.3");
  device().set("voltage", "15");
  EXPECT_FALSE(identify());
  device().set("voltage", "auto");
  device().set("chemistry", "9");
  EXPECT_FALSE(identify());
}

TEST_F(Heltec, RefusesAPackWithoutVoltage) {
  ASSERT_TRUE(identify());
  device().set("voltage", "0.9");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Heltec, AnotherNumberOfCellsIsRefused) {
  ASSERT_TRUE(identify());
  device().set("cells", "15");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(TwoHeltecs, ASilentOneIsAskedOnceAPoll) {
  const auto first = make(1, true, true), second = make(5, true, true);
  ASSERT_TRUE(run(first->identify(Effort::quick)));
  ASSERT_TRUE(run(second->identify(Effort::quick)));
  device().set_fault("5/silence", "on");
  const auto asked = [&] {
    const std::size_t before = sent_so_far();
    EXPECT_EQ(fault_of([&] { run(second->refresh()); }), Fault::timeout);
    return sent_so_far() - before;
  };
  EXPECT_EQ(asked(), 3U);
  EXPECT_EQ(asked(), 1U);
  device().set_fault("5/silence", "off");
  run(second->refresh());
  device().set_fault("5/silence", "on");
  EXPECT_EQ(asked(), 3U);
}

TEST_F(TwoHeltecs, AreTwoBatteriesOnOneLine) {
  const auto first = make(1, true, true), second = make(5, true, true);
  ASSERT_TRUE(run(first->identify(Effort::quick)));
  ASSERT_TRUE(run(second->identify(Effort::quick)));
  device().set("5/soc", "33");
  run(first->refresh());
  run(second->refresh());
  EXPECT_EQ(first->battery().soc, 60.0);
  EXPECT_EQ(second->battery().soc, 33.0);
  EXPECT_EQ(second->battery().identity.type_text, "#5_Heltec_Smart");
}

TEST_F(Heltec, TellsOnceThatTemperaturesOfItsKindAreUnverified) {
  const LogText log;
  device().set("serial_group", "0x0008");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(log.count("temperatures of this kind of Heltec board are unverified"), 1U);
  EXPECT_EQ(battery().identity.unique_id, "0008-0001-1234-5678");
}

}  // namespace serialbattery::test
