// Properties, faults, several units, the line at another baud rate, recordings.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "simulator/capture.hpp"
#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view read_basic = "dda50300fffd77";
constexpr std::string_view read_cells = "dda50400fffc77";

TEST(SimulatorProperties, ReadBackWhatWasSet) {
  Host host("LltJbd");
  Bus& bus = host.bus();
  bus.set("cell3", "3.51");
  EXPECT_EQ(bus.get("cell3"), "3.51");
  bus.set("current", "-20");
  EXPECT_EQ(bus.get("current"), "-20");
  bus.set("alarms", "0x0004");
  EXPECT_EQ(bus.get("alarms.pack_over_voltage"), "on");
  bus.set("alarms.short_circuit", "on");
  EXPECT_EQ(bus.get("alarms"), "1028");
  bus.set("cells", "4");
  EXPECT_EQ(bus.get("cell"), "3.3,3.3,3.51,3.3");
  bus.set("voltage", "99.5");
  EXPECT_EQ(std::stod(bus.get("voltage")), 99.5);
  bus.set("voltage", "auto");
  EXPECT_NEAR(std::stod(bus.get("voltage")), 13.41, 1e-6);
}

TEST(SimulatorProperties, RefuseNonsense) {
  Host host("LltJbd");
  Bus& bus = host.bus();
  EXPECT_THROW(bus.set("no_such_thing", "1"), PropertyError);
  EXPECT_THROW(bus.set("cell17", "3.3"), PropertyError);
  EXPECT_THROW(bus.set("cell0", "3.3"), PropertyError);
  EXPECT_THROW(bus.set("soc", "full"), PropertyError);
  EXPECT_THROW(bus.set("soc", "12x"), PropertyError);
  EXPECT_THROW(bus.set("soc", "-1"), PropertyError);
  EXPECT_THROW(bus.set("alarms", "65536"), PropertyError);
  EXPECT_THROW(bus.set("sleep", "maybe"), PropertyError);
  EXPECT_THROW(static_cast<void>(bus.get("9/soc")), PropertyError);
  EXPECT_THROW(Bus::of("NoSuchBms"), PropertyError);
}

TEST(SimulatorFaults, SilenceIsCountedAsRequestWithoutAnswer) {
  Host host("LltJbd");
  host.bus().set_fault("silence", "on");
  EXPECT_EQ(host.ask(read_basic), "");
  host.bus().set_fault("silence", "off");
  EXPECT_NE(host.ask(read_basic), "");
  EXPECT_EQ(host.bus().statistics().requests, 2U);
  EXPECT_EQ(host.bus().statistics().answers, 1U);
}

TEST(SimulatorFaults, StrikeEveryNthOrTheNextFew) {
  Host host("LltJbd");
  host.bus().set_fault("silence", "on");
  host.bus().set_fault("every", "3");
  std::vector<bool> answered;
  for (int i = 0; i < 6; ++i) answered.push_back(!host.ask(read_basic).empty());
  EXPECT_THAT(answered, ElementsAre(true, true, false, true, true, false));

  host.bus().set_fault("every", "1");
  host.bus().set_fault("count", "2");
  answered.clear();
  for (int i = 0; i < 4; ++i) answered.push_back(!host.ask(read_basic).empty());
  EXPECT_THAT(answered, ElementsAre(false, false, true, true));

  Host rare("LltJbd");
  rare.bus().set_fault("answer_every", "2");
  answered.clear();
  for (int i = 0; i < 4; ++i) answered.push_back(!rare.ask(read_basic).empty());
  EXPECT_THAT(answered, ElementsAre(false, true, false, true));
}

TEST(SimulatorFaults, DamageTheAnswer) {
  Host host("LltJbd");
  Bus& bus = host.bus();
  const std::string good = host.ask(read_cells);
  bus.set_fault("truncate", "9");
  EXPECT_EQ(host.ask(read_cells), good.substr(0, 18));
  bus.set_fault("truncate", "-1");
  EXPECT_EQ(host.ask(read_cells), good.substr(0, good.size() - 2));
  bus.set_fault("truncate", "0");
  bus.set_fault("lose", "2");
  EXPECT_EQ(host.ask(read_cells), good.substr(0, 2) + good.substr(4));
  bus.set_fault("lose", "0");
  bus.set_fault("checksum", "on");
  const std::string wrong = host.ask(read_cells);
  EXPECT_EQ(wrong.size(), good.size());
  EXPECT_EQ(wrong.substr(0, good.size() - 6), good.substr(0, good.size() - 6)) << "only the checksum differs";
  EXPECT_NE(wrong, good);
  EXPECT_TRUE(wrong.ends_with("77"));
  bus.set_fault("checksum", "off");
  bus.set_fault("prefix", "FFFF");
  bus.set_fault("suffix", "00");
  EXPECT_EQ(host.ask(read_cells), "ffff" + good + "00");
  bus.set_fault("prefix", "");
  bus.set_fault("suffix", "");
  bus.set_fault("exception", "0x82");
  EXPECT_EQ(host.ask(read_cells), "dd048200ff7e77");
  bus.set_fault("exception", "0");
  EXPECT_EQ(host.ask(read_cells), good) << "faults leave no trace";
}

TEST(SimulatorFaults, StaleAndPreviousAnswers) {
  Host host("LltJbd");
  const std::string basic = host.ask(read_basic);
  const std::string cells = host.ask(read_cells);
  host.bus().set_fault("stale", "on");
  EXPECT_EQ(host.ask(read_basic), cells + basic);
  host.bus().set_fault("stale", "off");
  host.bus().set_fault("previous", "on");
  EXPECT_EQ(host.ask(read_cells), basic);
}

TEST(SimulatorFaults, SlowAndLateBytes) {
  Host host("LltJbd");
  const auto usual = host.answers(read_cells);
  host.bus().set_fault("delay", "600");
  const auto late = host.answers(read_cells);
  EXPECT_EQ(late[0][0].pause - usual[0][0].pause, 600ms);
  host.bus().set_fault("delay", "0");
  host.bus().set_fault("gap", "20");
  host.bus().set_fault("chunk", "7");
  const auto slow = host.answers(read_cells);
  ASSERT_THAT(slow, SizeIs(1));
  ASSERT_THAT(slow[0], SizeIs((usual[0][0].bytes.size() + 6) / 7));
  EXPECT_EQ(slow[0][1].pause, 20ms);
  EXPECT_EQ(joined(slow), joined(usual));
}

TEST(SimulatorFaults, TheEchoComesFromTheAdapter) {
  Host host("LltJbd");
  const std::string good = host.ask(read_cells);
  host.bus().set_fault("echo", "on");
  EXPECT_EQ(host.ask(read_cells), std::string(read_cells) + good);
  host.bus().set_fault("echo_skip", "3");
  EXPECT_EQ(host.ask(read_cells), std::string(read_cells).substr(6) + good);
  host.bus().set_fault("silence", "on");
  EXPECT_EQ(host.ask(read_cells), std::string(read_cells).substr(6)) << "also without an answer";
}

RC_GTEST_PROP(SimulatorFaults, FlipChangesExactlyThatManyBitsAtMost, ()) {
  Host host("LltJbd");
  const ByteVector good = *wire::from_hex(host.ask(read_cells));
  const unsigned flips = *rc::gen::inRange(1U, 20U);
  host.bus().seed(*rc::gen::arbitrary<std::uint32_t>());
  host.bus().set_fault("flip", std::to_string(flips));
  const ByteVector bad = *wire::from_hex(host.ask(read_cells));
  RC_ASSERT(bad.size() == good.size());
  int different = 0;
  for (std::size_t i = 0; i < bad.size(); ++i) different += std::popcount(static_cast<unsigned>(bad[i] ^ good[i]));
  RC_ASSERT(different <= static_cast<int>(flips));
  RC_ASSERT(different % 2 == static_cast<int>(flips % 2));
}

TEST(SimulatorDevice, AssemblesRequestsAndForgetsHalfOnes) {
  auto bus = Bus::of("LltJbd");
  const ByteVector request = *wire::from_hex(read_basic);
  EXPECT_THAT(bus->receive(Bytes(request).first(3), at(0ms)), IsEmpty());
  EXPECT_THAT(bus->receive(Bytes(request).subspan(3), at(20ms)), SizeIs(1));
  EXPECT_THAT(bus->receive(Bytes(request).first(3), at(1s)), IsEmpty());
  EXPECT_THAT(bus->receive(Bytes(request).subspan(3), at(2s)), IsEmpty()) << "the first half is forgotten";
  EXPECT_THAT(bus->receive(request, at(3s)), SizeIs(1));
  EXPECT_EQ(bus->statistics().requests, 2U);
}

RC_GTEST_PROP(SimulatorDevice, EveryModelSurvivesAnyBytes, ()) {
  static const std::vector<Model>& models = all_models();
  const Model& model = models[*rc::gen::inRange<std::size_t>(0, models.size())];
  const auto bus = Bus::of(model.type);
  Duration time{};
  for (const auto& bytes : *rc::gen::arbitrary<std::vector<ByteVector>>()) bus->receive(bytes, at(time += 30ms));
}

TEST(SimulatorBattery, SocAndVoltagesFollowTheCurrent) {
  Host host("LltJbd");
  Bus& bus = host.bus();
  bus.advance(at(0s));
  for (const auto& [name, value] : {std::pair{"run", "on"}, {"cycle", "off"}, {"soc", "50"}, {"capacity", "100"}, {"current", "-50"}}) {
    bus.set(name, value);
  }
  bus.advance(at(36min));
  EXPECT_NEAR(std::stod(bus.get("soc")), 20, 0.1);
  const double loaded = std::stod(bus.get("voltage"));
  bus.set("current", "0");
  bus.advance(at(37min));
  EXPECT_GT(std::stod(bus.get("voltage")), loaded);
  bus.set("charge_fet", "off");
  bus.set("current", "10");
  bus.advance(at(60min));
  EXPECT_NEAR(std::stod(bus.get("soc")), 20, 0.1) << "no charge through an open FET";
  EXPECT_EQ(bus.get("current"), "0");
}

TEST(SimulatorUart, EqualSettingsChangeNothing) {
  const ByteVector bytes = {0x00, 0x55, 0xFF, 0xDD};
  EXPECT_EQ(resample(bytes, {9600}, {9600}), bytes);
}

RC_GTEST_PROP(SimulatorUart, SmallDeviationsOfTheClockAreHarmless, (ByteVector bytes)) {
  const Line sender{9600, *rc::gen::element(ParityBit::none, ParityBit::even, ParityBit::odd)};
  const Line receiver{*rc::gen::inRange(9450U, 9750U), sender.parity};
  RC_ASSERT(resample(bytes, sender, receiver) == bytes);
}

TEST(SimulatorUart, OtherRatesGiveGarbage) {
  const ByteVector request = *wire::from_hex(read_basic);
  for (const unsigned baud : {2400U, 4800U, 19200U, 115200U}) {
    EXPECT_NE(resample(request, {baud}, {9600}), request) << baud;
  }
  EXPECT_GT(resample(request, {9600}, {115200}).size(), request.size()) << "a slow sender looks like many bytes to a fast receiver";
  EXPECT_LT(resample(request, {115200}, {9600}).size(), 3U) << "a fast sender passes in less than a slow byte or two";
}

TEST(SimulatorUart, ParityErrorsReadAsZero) {
  // 0x01 has odd parity: sent with even parity its parity bit is 1, where a receiver for odd parity expects 0.
  EXPECT_THAT(resample(ByteVector{0x01}, {9600, ParityBit::even}, {9600, ParityBit::odd}), ElementsAre(0));
  // Without parity the stop bit comes where the receiver reads the parity bit, and the line is idle behind it.
  EXPECT_THAT(resample(ByteVector{0x01}, {9600, ParityBit::none}, {9600, ParityBit::even}), ElementsAre(0x01));
}

TEST(SimulatorCapture, PlaysVectorsAndCaptures) {
  const std::string_view vectors = R"({"bms": "LltJbd", "vectors": [{"name": "a", "exchanges": [{"tx": "01", "rx": ""}]},
    {"name": "b", "exchanges": [{"tx": "0102", "rx": "aa"}, {"tx": "0102", "rx": "bb"}, {"tx": "03", "rx_chunks": ["cc", "dd"], "chunk_gap_ms": 7}]}]})";
  EXPECT_EQ(parse_recording(vectors).exchanges.size(), 1U);
  Recording recording = parse_recording(vectors, "b");
  EXPECT_EQ(recording.type, "LltJbd");
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_player(std::move(recording)));
  Bus bus({9600}, std::move(devices));
  EXPECT_THAT(joined(bus.receive(ByteVector{0x99, 0x01, 0x02}, at(0s))), ElementsAre(0xAA));
  EXPECT_THAT(joined(bus.receive(ByteVector{0x01, 0x02}, at(1s))), ElementsAre(0xBB));
  EXPECT_THAT(joined(bus.receive(ByteVector{0x01, 0x02}, at(2s))), ElementsAre(0xAA)) << "the answers come in turn";
  const auto pieces = bus.receive(ByteVector{0x03}, at(3s));
  ASSERT_THAT(pieces[0], SizeIs(2));
  EXPECT_EQ(pieces[0][1].pause, 7ms);

  const Recording capture = parse_recording(
      "{\"t\": 100.0, \"dir\": \"tx\", \"raw\": \"DDA5\"}\n{\"t\": 100.05, \"dir\": \"rx\", \"raw\": \"DD\"}\n"
      "{\"t\": 100.06, \"dir\": \"rx\", \"raw\": \"03\"}\n{\"t\": 100.07, \"dir\": \"decoded\", \"success\": true}\n");
  ASSERT_THAT(capture.exchanges, SizeIs(1));
  ASSERT_THAT(capture.exchanges[0].answer, SizeIs(2));
  EXPECT_NEAR(std::chrono::duration<double>(capture.exchanges[0].answer[0].pause).count(), 0.05, 1e-6);
}

TEST(SimulatorCapture, RefusesOtherFiles) {
  EXPECT_THROW(parse_recording(""), PropertyError);
  EXPECT_THROW(parse_recording("hello"), PropertyError);
  EXPECT_THROW(parse_recording(R"({"t": 1, "dir": "tx", "raw": "0"})"), PropertyError);
  EXPECT_THROW(parse_recording(R"({"bms": "X", "vectors": []})"), PropertyError);
  EXPECT_THROW(parse_recording(R"({"bms": "X", "vectors": [{"name": "a", "exchanges": []}]})", "b"), PropertyError);
  EXPECT_THROW(load_recording("/no/such/file"), PropertyError);
}

}  // namespace
}  // namespace serialbattery::simulator
