// The JBD model against recorded frames and against its protocol's rules.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

namespace json = boost::json;

constexpr std::string_view read_basic = "dda50300fffd77";
constexpr std::string_view read_cells = "dda50400fffc77";
constexpr std::string_view enter = "dd5a00025678ff3077";
constexpr std::string_view leave = "dd5a01020000fffd77";
constexpr std::string_view leave_and_save = "dd5a01022828ffad77";

ByteVector frame(std::uint8_t kind, std::uint8_t number, const ByteVector& data) {
  ByteVector bytes = {0xDD, kind, number, static_cast<std::uint8_t>(data.size())};
  for (const std::uint8_t byte : data) bytes.push_back(byte);
  wire::put_u16be(bytes, (0x10000U - wire::sum(Bytes(bytes).subspan(2))) & 0xFFFFU);
  bytes.push_back(0x77);
  return bytes;
}

bool well_formed(Bytes reply, std::uint8_t number) {
  if (reply.size() < 7 || reply[0] != 0xDD || reply[1] != number || reply.back() != 0x77 || reply.size() != reply[3] + 7U) return false;
  return wire::u16be(reply, reply.size() - 3) == ((0x10000U - wire::sum(reply.subspan(2, reply[3] + 2U))) & 0xFFFFU);
}

std::string text_of(const json::value& value) {
  return json::serialize(value);
}

/// Puts the model into the state that `expect` describes. What has no word there (raw alarm and balancing words, date, number of
/// sensors, length of the extension) is taken from the recorded frame itself.
void imitate(Bus& bus, const json::object& expect, Bytes recorded) {
  const auto copy = [&](std::string_view key, std::string_view property) {
    if (const json::value* value = expect.if_contains(key); value != nullptr && value->is_number()) bus.set(property, text_of(*value));
  };
  copy("cell_count", "cells");
  copy("voltage", "voltage");
  copy("current", "current");
  copy("soc", "soc");
  copy("capacity", "capacity");
  copy("capacity_remaining", "remaining");
  copy("cycles", "cycles");
  copy("humidity", "humidity");
  copy("full_charge_capacity", "full_capacity");
  if (const json::value* cells = expect.if_contains("cell_voltages")) {
    bus.set("cells", std::to_string(cells->as_array().size()));
    for (std::size_t i = 0; i < cells->as_array().size(); ++i) bus.set("cell" + std::to_string(i + 1), text_of(cells->at(i)));
  }
  if (recorded.empty()) return;
  const Bytes data = recorded.subspan(4, recorded[3]);
  const unsigned sensors = data[22];
  const auto unsigned_text = [](std::uint64_t value) { return std::to_string(value); };
  bus.set("date", unsigned_text(wire::u16be(data, 10)));
  bus.set("balancing", unsigned_text(wire::u16be(data, 12) | std::uint64_t{wire::u16be(data, 14)} << 16U));
  bus.set("alarms", unsigned_text(wire::u16be(data, 16)));
  bus.set("version", unsigned_text(data[18]));
  bus.set("charge_fet", (data[20] & 1U) != 0 ? "on" : "off");
  bus.set("discharge_fet", (data[20] & 2U) != 0 ? "on" : "off");
  bus.set("fet_extra", unsigned_text(data[20] & 0xFCU));
  bus.set("sensors", unsigned_text(sensors));
  for (unsigned i = 0; i < sensors; ++i) {
    bus.set("temperature" + std::to_string(i + 1), std::to_string((wire::u16be(data, 23 + 2 * i) - 2731) / 10.0));
  }
  const std::size_t extension = data.size() - 23 - 2 * sensors;
  bus.set("extension", std::to_string(extension));
  const std::size_t e = 23 + 2 * sensors;
  if (extension >= 1) bus.set("humidity", unsigned_text(data[e]));
  if (extension >= 3) bus.set("alarm_word", unsigned_text(wire::u16be(data, e + 1)));
  if (extension >= 5) bus.set("full_capacity", std::to_string(wire::u16be(data, e + 3) / 100.0));
  if (extension >= 9) bus.set("balance_current", std::to_string(wire::i16be(data, e + 7)));
}

TEST(SimulatorLltJbd, ReproducesRecordedFrames) {
  int compared = 0;
  for (const json::value& vector : vectors_of("lltjbd.json")) {
    const json::object* expect = vector.as_object().if_contains("expect") ? &vector.at("expect").as_object() : nullptr;
    const std::string name(vector.at("name").as_string());
    if (expect == nullptr || name.starts_with("unit-")) continue;  // the big unit has a test of its own
    for (const json::value& exchange : vector.at("exchanges").as_array()) {
      if (exchange.as_object().contains("rx_chunks")) continue;
      const std::string tx(exchange.at("tx").as_string());
      const ByteVector rx = bytes_of(exchange.at("rx"));
      const bool basic = tx == read_basic;
      if (!(basic || tx == read_cells) || !well_formed(rx, basic ? 0x03 : 0x04) || rx[2] != 0) continue;
      const bool describes = expect->contains(basic ? "voltage" : "cell_voltages");
      if (!describes || (basic && name == "mos-charge-off-then-status" && rx[24] != 2)) continue;  // expect tells of the last state only
      if (name == "cell-frame-longer-than-cell-count") continue;
      Host host("LltJbd");
      imitate(host.bus(), *expect, basic ? Bytes(rx) : Bytes());
      EXPECT_EQ(host.ask(tx), wire::to_hex(rx)) << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 75);
}

TEST(SimulatorLltJbd, ProductNameAndCountersAsRecorded) {
  Host host("LltJbd");
  host.bus().set("product_name", "JBD-SP04S034-L4S-200A-B-U");
  EXPECT_EQ(host.ask("dda50500fffb77"), "dd0500194a42442d53503034533033342d4c34532d323030412d422d55fa0877");
  host.bus().set("counter4", "122");
  host.bus().set("counter5", "2");
  host.bus().set("counter12", "1");
  EXPECT_EQ(host.ask("dda5aa00ff5677"), "ddaa0018000000000000007a00020000000000000000000000000001ff6b77");
  host.bus().set("restart_counter", "off");
  EXPECT_EQ(host.ask("dda5aa00ff5677").size(), 2U * (22 + 7));
}

TEST(SimulatorLltJbd, BigUnitComesFromTheFunctionBits) {
  Host host("LltJbd");
  for (const auto& [name, value] : {std::pair{"register_2d", "0x1006"},
                                    {"fet_extra", "0x80"},
                                    {"capacity", "1000"},
                                    {"soc", "80"},
                                    {"remaining", "600"},
                                    {"current", "123.4"},
                                    {"voltage", "53.07"},
                                    {"cycles", "17"},
                                    {"sensors", "3"},
                                    {"temperature1", "22"},
                                    {"temperature2", "25"},
                                    {"temperature3", "26"}}) {
    host.bus().set(name, value);
  }
  EXPECT_EQ(host.ask(read_basic), "dd03001d14bb04d217702710001130cf0000000000002a508310030b870ba50baff96477");
}

TEST(SimulatorLltJbd, FactoryModeGuardsTheEeprom) {
  Host host("LltJbd");
  EXPECT_EQ(host.ask("dda52400ffdc77"), "dd248100ff7f77") << "closed, as recorded";
  EXPECT_EQ(host.ask(frame(0x5A, 0x00, {0x12, 0x34})), *wire::from_hex("dd008100ff7f77")) << "wrong key";
  EXPECT_EQ(host.ask(enter), "dd000000000077");
  EXPECT_EQ(host.ask("dda52400ffdc77"), "dd2400020e42ffae77") << "open, as recorded";
  EXPECT_EQ(host.ask("dd5a2d020002ffcf77"), "dd2d0000000077");
  EXPECT_EQ(host.bus().get("register_2d"), "2");
  EXPECT_EQ(host.ask(leave), "dd010000000077");
  EXPECT_EQ(host.bus().get("register_2d"), "2") << "kept";
  EXPECT_EQ(host.ask("dda52d00ffd377"), "dd2d8100ff7f77");
  EXPECT_EQ(host.ask("dda54200ffbe77"), "dd428000ff8077") << "older firmware does not know it";
  host.bus().set("password", "on");
  EXPECT_EQ(host.ask(enter), "dd008100ff7f77");
}

TEST(SimulatorLltJbd, LeavingMayDiscardAndSavingClearsTheCounters) {
  Host host("LltJbd");
  host.bus().set("discard_on_leave", "on");
  host.bus().set("counter1", "7");
  host.ask(enter);
  host.ask("dd5a2d020002ffcf77");
  host.ask(leave);
  EXPECT_EQ(host.bus().get("register_2d"), "6");
  host.ask(enter);
  host.ask("dd5a2d020002ffcf77");
  EXPECT_EQ(host.bus().get("counter1"), "7");
  EXPECT_EQ(host.ask(leave_and_save), "dd010000000077");
  EXPECT_EQ(host.bus().get("register_2d"), "2");
  EXPECT_EQ(host.bus().get("counter1"), "0");
}

TEST(SimulatorLltJbd, FetLock) {
  Host host("LltJbd");
  const auto fets_and_lock = [&] {
    const ByteVector reply = *wire::from_hex(host.ask(read_basic));
    return std::pair(reply[24], wire::u16be(reply, 20) >> 12U);
  };
  EXPECT_EQ(fets_and_lock(), std::pair(std::uint8_t{3}, 0));
  EXPECT_EQ(host.ask("dd5ae1020001ff1c77"), "dde10000000077");
  EXPECT_EQ(fets_and_lock(), std::pair(std::uint8_t{2}, 1));
  EXPECT_EQ(host.ask("dd5ae1020003ff1a77"), "dde10000000077");
  EXPECT_EQ(fets_and_lock(), std::pair(std::uint8_t{0}, 1));
  host.bus().set("charge_fet", "off");  // a protection
  host.ask("dd5ae1020000ff1d77");
  EXPECT_EQ(fets_and_lock(), std::pair(std::uint8_t{2}, 0)) << "unlocking does not force a FET on";

  host.bus().set("lock_by_fb", "on");
  EXPECT_EQ(host.ask("dd5ae1020001ff1c77"), "dde18000ff8077");
  EXPECT_EQ(host.ask("dd5afb020101ff0177"), "ddfb0000000077");
  EXPECT_EQ(host.bus().get("fet_lock"), "1");
}

TEST(SimulatorLltJbd, SleepsThroughTheFirstFrame) {
  Host host("LltJbd");
  host.bus().set("sleep", "on");
  EXPECT_EQ(host.ask(read_basic), "");
  EXPECT_NE(host.ask(read_basic), "");
}

TEST(SimulatorLltJbd, IgnoresBrokenRequests) {
  Host host("LltJbd");
  EXPECT_EQ(host.ask("dda50300fffc77"), "") << "checksum";
  EXPECT_EQ(host.ask("dda50300fffd78"), "") << "end byte";
  EXPECT_EQ(host.ask("dca50300fffd77"), "") << "start byte";
  EXPECT_EQ(host.ask("ddab0300fffd77"), "") << "neither read nor write";
  EXPECT_EQ(host.ask("ff00" + std::string(read_cells)), host.ask(read_cells)) << "noise in front";
}

TEST(SimulatorLltJbd, FirmwareOf2018AnswersWithA5) {
  Host host("LltJbd");
  const std::string usual = host.ask(read_basic);
  host.bus().set("a5_reply", "on");
  EXPECT_EQ(host.ask(read_basic), "dda5" + usual.substr(4));
}

RC_GTEST_PROP(SimulatorLltJbd, AnyStateGivesWellFormedFrames, ()) {
  Host host("LltJbd");
  Bus& bus = host.bus();
  const auto number = [](double low, double high) { return std::to_string(low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0); };
  const int cells = *rc::gen::inRange(1, 33);
  const int sensors = *rc::gen::inRange(0, 9);
  const int extension = *rc::gen::inRange(0, 17);
  bus.set("cells", std::to_string(cells));
  for (int i = 1; i <= cells; ++i) bus.set("cell" + std::to_string(i), number(0, 5));
  bus.set("sensors", std::to_string(sensors));
  for (int i = 1; i <= sensors; ++i) bus.set("temperature" + std::to_string(i), number(-60, 150));
  bus.set("extension", std::to_string(extension));
  bus.set("current", number(-1000, 1000));
  bus.set("soc", number(0, 100));
  bus.set("capacity", number(1, 2000));
  const ByteVector basic = *wire::from_hex(host.ask(read_basic));
  RC_ASSERT(well_formed(basic, 0x03));
  RC_ASSERT(basic[3] == 23 + 2 * sensors + extension);
  RC_ASSERT(basic[25] == cells);
  RC_ASSERT(basic[23] <= 100);
  const ByteVector voltages = *wire::from_hex(host.ask(read_cells));
  RC_ASSERT(well_formed(voltages, 0x04));
  RC_ASSERT(voltages[3] == 2 * cells);
}

RC_GTEST_PROP(SimulatorLltJbd, EveryGoodRequestIsAnsweredAndEchoesItsRegister, (std::uint8_t number)) {
  Host host("LltJbd");
  const std::uint8_t kind = *rc::gen::element<std::uint8_t>(0xA5, 0x5A);
  const ByteVector data = kind == 0xA5
                              ? ByteVector{}
                              : *rc::gen::container<ByteVector>(*rc::gen::inRange<std::size_t>(0, 5), rc::gen::arbitrary<std::uint8_t>());
  const ByteVector reply = host.ask(frame(kind, number, data));
  RC_ASSERT(well_formed(reply, number));
  RC_ASSERT(reply[2] == 0 || reply[3] == 0);
}

}  // namespace
}  // namespace serialbattery::simulator
