// The Daly model against recorded frames and against its protocol's rules.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::SizeIs;

ByteVector request(std::uint8_t command, std::uint8_t host = 0x40, std::uint8_t fill = 0xAA) {
  ByteVector bytes = {0xA5, host, command, 8};
  bytes.resize(12, fill);
  bytes.push_back(static_cast<std::uint8_t>(wire::sum(bytes)));
  return bytes;
}

/// The frames of an answer; fails the test when one is malformed.
std::vector<ByteVector> frames_of(Bytes answer, std::uint8_t board, std::uint8_t command) {
  std::vector<ByteVector> frames;
  EXPECT_EQ(answer.size() % 13, 0U);
  for (std::size_t at = 0; at + 13 <= answer.size(); at += 13) {
    const Bytes frame = answer.subspan(at, 13);
    EXPECT_THAT(frame.first(4), ElementsAre(0xA5, board, command, 8));
    EXPECT_EQ(frame[12], wire::sum(frame.first(12)) & 0xFFU);
    frames.emplace_back(frame.begin(), frame.end());
  }
  return frames;
}

TEST(SimulatorDaly, ReproducesACompletePollOfARealBoard) {
  for (const json::value& vector : vectors_of("daly.json")) {
    if (vector.at("name").as_string() != "14S idle, complete poll, host 0x40") continue;
    Host host("Daly");
    Bus& bus = host.bus();
    // The defaults are this board; its cell sum is not its measured voltage.
    for (const auto& [name, value] :
         {std::pair{"voltage", "52.8"}, {"cycles", "0"}, {"soc", "50"}, {"remaining", "20"}, {"stale_bytes", "off"}}) {
      bus.set(name, value);
    }
    for (const json::value& exchange : vector.at("exchanges").as_array()) {
      const ByteVector tx = bytes_of(exchange.at("tx"));
      const ByteVector rx = bytes_of(exchange.at("rx"));
      const auto mine = frames_of(host.ask(tx), 1, tx[2]);
      const auto recorded = frames_of(rx, 1, tx[2]);
      ASSERT_EQ(mine.size(), recorded.size());
      // Bytes that mean something, per command; the others are left-overs.
      const std::map<std::uint8_t, std::size_t> meaning = {{0x90, 8}, {0x91, 6}, {0x92, 4}, {0x93, 8}, {0x94, 7},
                                                           {0x95, 7}, {0x96, 8}, {0x97, 8}, {0x98, 8}};
      for (std::size_t i = 0; i < mine.size(); ++i) {
        std::size_t size = meaning.at(tx[2]);
        if (tx[2] == 0x95 && i == 4) size = 5;  // the 15th cell does not exist
        EXPECT_EQ(wire::to_hex(Bytes(mine[i]).subspan(4, size)), wire::to_hex(Bytes(recorded[i]).subspan(4, size))) << int{tx[2]};
      }
    }
    return;
  }
  FAIL() << "no such vector";
}

TEST(SimulatorDaly, CurrentCountsAsItsGenerationDoes) {
  Host host("Daly");
  host.bus().set("current", "-50");
  EXPECT_EQ(wire::u16be(host.ask(request(0x90)), 8), 30500);
  EXPECT_EQ(host.ask(request(0x93))[4], 2);
  host.bus().set("charging_counts_up", "on");
  EXPECT_EQ(wire::u16be(host.ask(request(0x90)), 8), 29500);
}

TEST(SimulatorDaly, FaultBitsStandWhereTheVectorsHaveThem) {
  for (const json::value& vector : vectors_of("daly.json")) {
    const std::string name(vector.at("name").as_string());
    unsigned byte = 0;
    unsigned bit = 0;
    if (std::sscanf(name.c_str(), "alarm byte %u bit %u", &byte, &bit) != 2 || name.size() > 20) continue;
    Host host("Daly");
    host.bus().set("alarms", std::to_string(std::uint64_t{1} << (8 * byte + bit)));
    EXPECT_EQ(wire::to_hex(host.ask(request(0x98))), vector.at("exchanges").at(0).at("rx").as_string()) << name;
  }
}

TEST(SimulatorDaly, LeavesStaleBytes) {
  Host host("Daly");
  const ByteVector pack = host.ask(request(0x90));
  const ByteVector cells = host.ask(request(0x91));
  EXPECT_EQ(wire::to_hex(Bytes(cells).subspan(10, 2)), wire::to_hex(Bytes(pack).subspan(10, 2)));
}

TEST(SimulatorDaly, AddressesAndHosts) {
  Host host("Daly", {0x40, 0x41});
  host.bus().set("0x41/soc", "11");
  EXPECT_EQ(frames_of(host.ask(request(0x90, 0x40)), 1, 0x90).size(), 1U);
  EXPECT_EQ(wire::u16be(frames_of(host.ask(request(0x90, 0x41)), 2, 0x90)[0], 10), 110);
  EXPECT_THAT(host.ask(request(0x90, 0x42)), SizeIs(0));
  EXPECT_EQ(frames_of(host.ask(request(0x90, 0x80)), 1, 0x90).size(), 1U) << "board 1 only";
  EXPECT_EQ(frames_of(host.ask(request(0x95, 0x40)), 1, 0x95).size(), 5U);
  EXPECT_EQ(frames_of(host.ask(request(0x95, 0x80)), 1, 0x95).size(), 16U);
  host.bus().set("only_host_80", "on");
  EXPECT_THAT(host.ask(request(0x90, 0x40)), SizeIs(0));
  EXPECT_THAT(host.ask(request(0x90, 0x80)), SizeIs(13));
  EXPECT_THAT(host.ask(request(0x90, 0x80, 0x00)), SizeIs(13)) << "the filling does not matter";
}

TEST(SimulatorDaly, WritesAreAcknowledged) {
  Host host("Daly");
  EXPECT_EQ(host.ask("a540da080000000000000000c7").substr(0, 10), "a501da0800");
  EXPECT_EQ(host.ask(request(0x93))[5], 0);
  EXPECT_EQ(host.ask("a540d9080100000000000000c7").substr(0, 10), "a501d90801");
  EXPECT_EQ(host.ask("a540210816 0c0d151d27012cc3").substr(0, 10), "a501210801");
  EXPECT_EQ(host.bus().get("soc"), "30");
  host.bus().set("refuse_writes", "on");
  EXPECT_EQ(host.ask("a540da080000000000000000c7").substr(0, 10), "a501da0801") << "the acknowledgement shows the other state";
  EXPECT_EQ(host.ask("a540210800000000000003e8f9").substr(0, 10), "a501210800");
  EXPECT_EQ(host.bus().get("soc"), "30");
  host.bus().set("acknowledgements", "0");
  EXPECT_EQ(host.ask("a540da080000000000000000c7"), "");
}

TEST(SimulatorDaly, TextsAndRatedValues) {
  Host host("Daly");
  for (const auto& [name, value] :
       {std::pair{"battery_code", "24S100A-0001 PACK-A"}, {"rated_mah", "30000"}, {"nominal_cell_mv", "3600"}}) {
    host.bus().set(name, value);
  }
  std::string text;
  for (const ByteVector& frame : frames_of(host.ask(request(0x57)), 1, 0x57)) text.append(frame.begin() + 5, frame.begin() + 12);
  EXPECT_EQ(text, "24S100A-0001 PACK-A                ");
  EXPECT_EQ(wire::u32be(host.ask(request(0x50)), 4), 30000U);
  EXPECT_EQ(frames_of(host.ask(request(0x63)), 1, 0x63).size(), 2U);
  EXPECT_THAT(host.ask(request(0x54)), SizeIs(0)) << "unknown commands are not answered";
}

TEST(SimulatorDaly, SleepsGapsAndQuirks) {
  Host host("Daly");
  host.bus().set("sleep", "on");
  EXPECT_EQ(host.ask(request(0x94)), request(0x94));
  host.bus().set("sleep", "off");
  ByteVector broken = request(0x94);
  broken.back() ^= 1;
  EXPECT_THAT(host.ask(broken), SizeIs(0));
  host.bus().set("shuffle", "on");
  EXPECT_EQ(frames_of(host.ask(request(0x95)), 1, 0x95)[0][4], 5);
  host.bus().set("active_balancer", "on");
  host.bus().set("balancing", "0x10");
  EXPECT_EQ(host.ask(request(0x97))[5], 5);

  const auto bus = Bus::of("Daly");
  bus->set("min_gap", "120");
  EXPECT_THAT(bus->receive(request(0x90), at(0ms)), SizeIs(1));    // ends on the wire after 50 + 13.5 ms
  EXPECT_THAT(bus->receive(request(0x91), at(150ms)), SizeIs(0));  // began 73 ms later
  EXPECT_THAT(bus->receive(request(0x91), at(200ms)), SizeIs(1));
}

RC_GTEST_PROP(SimulatorDaly, AnyStateGivesWellFormedFrames, ()) {
  const auto address = static_cast<std::uint8_t>(*rc::gen::inRange(0x40, 0x50));
  Host host("Daly", {address});
  Bus& bus = host.bus();
  const auto number = [](double low, double high) { return std::to_string(low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0); };
  const int cells = *rc::gen::inRange(1, 49);
  const int sensors = *rc::gen::inRange(0, 17);
  bus.set("cells", std::to_string(cells));
  bus.set("sensors", std::to_string(sensors));
  bus.set("cell", number(0, 5));
  bus.set("current", number(-3000, 3000));
  bus.set("soc", number(0, 100));
  const std::vector<std::pair<std::uint8_t, std::size_t>> expected = {{0x50, 1},
                                                                      {0x53, 1},
                                                                      {0x57, 5},
                                                                      {0x62, 2},
                                                                      {0x63, 2},
                                                                      {0x90, 1},
                                                                      {0x91, 1},
                                                                      {0x92, 1},
                                                                      {0x93, 1},
                                                                      {0x94, 1},
                                                                      {0x95, static_cast<std::size_t>((cells + 2) / 3)},
                                                                      {0x96, sensors > 14 ? 3U : 2U},
                                                                      {0x97, 1},
                                                                      {0x98, 1}};
  for (const auto& [command, count] : expected) {
    RC_ASSERT(frames_of(host.ask(request(command, address)), static_cast<std::uint8_t>(address - 0x3F), command).size() == count);
  }
}

}  // namespace
}  // namespace serialbattery::simulator
