// The JK 4E 57 model against recorded frames and against its protocol's rules.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

namespace json = boost::json;
using testing::SizeIs;

constexpr std::string_view read_all = "4e5700130000000006030000000000006800000129";

/// Sizes of the registers' values, from the protocol document; 79 carries its own.
const std::map<std::uint8_t, std::size_t> sizes = [] {
  std::map<std::uint8_t, std::size_t> table = {{0x85, 1}, {0x86, 1}, {0x89, 4},  {0x9D, 1}, {0xA9, 1},  {0xAA, 4},  {0xAB, 1},
                                               {0xAC, 1}, {0xAE, 1}, {0xAF, 1},  {0xB1, 1}, {0xB2, 10}, {0xB3, 1},  {0xB4, 8},
                                               {0xB5, 4}, {0xB6, 4}, {0xB7, 15}, {0xB8, 1}, {0xB9, 4},  {0xBA, 24}, {0xC0, 1}};
  for (unsigned tag = 0x80; tag <= 0xB0; ++tag) table.insert({static_cast<std::uint8_t>(tag), 2});
  return table;
}();

bool well_formed(Bytes frame) {
  if (frame.size() < 20 || frame[0] != 0x4E || frame[1] != 0x57 || wire::u16be(frame, 2) + 2U != frame.size()) return false;
  const Bytes summed = frame.first(frame.size() - 4);
  return summed.back() == 0x68 && wire::u32be(frame, frame.size() - 4) == (wire::sum(summed) & 0xFFFFU);
}

/// The registers of a reply; fails the test when an unknown tag comes.
std::map<std::uint8_t, ByteVector> registers_of(Bytes frame) {
  std::map<std::uint8_t, ByteVector> result;
  const Bytes all = frame.subspan(11, frame.size() - 20);
  for (std::size_t at = 0; at < all.size();) {
    const std::uint8_t tag = all[at];
    const auto size = sizes.find(tag);
    if (tag != 0x79 && size == sizes.end()) {
      ADD_FAILURE() << "unknown tag " << int{tag};
      break;
    }
    const std::size_t length = tag == 0x79 ? all[at + 1] + 1U : size->second;
    const Bytes value = all.subspan(at + 1, length);
    result[tag].assign(value.begin(), value.end());
    at += 1 + length;
  }
  return result;
}

std::string text_of(const ByteVector& bytes) {
  std::string text(bytes.begin(), bytes.end());
  return text.substr(0, text.find_last_not_of('\0') + 1);
}

/// Live values from `expect`, settings and texts from the recorded frame.
void imitate(Bus& bus, const json::object& expect, const std::map<std::uint8_t, ByteVector>& recorded) {
  const auto copy = [&](std::string_view key, std::string_view property) {
    if (const json::value* value = expect.if_contains(key)) bus.set(property, json::serialize(*value));
  };
  const json::array& cells = expect.at("cell_voltages").as_array();
  bus.set("cells", std::to_string(cells.size()));
  for (std::size_t i = 0; i < cells.size(); ++i) bus.set("cell" + std::to_string(i + 1), json::serialize(cells[i]));
  copy("voltage", "voltage");
  copy("current", "current");
  copy("soc", "soc");
  copy("capacity", "capacity");
  copy("cycles", "cycles");
  const json::object& temperatures = expect.at("temperatures").as_object();
  for (const auto& [key, property] : {std::pair{"mos", "mos_temperature"}, {"t1", "temperature1"}, {"t2", "temperature2"}}) {
    const json::value& celsius = temperatures.at(key);
    if (celsius.is_number()) bus.set(property, json::serialize(celsius));
  }
  for (const auto& [key, property] : {std::pair{"charge_fet", "charge_fet"}, {"discharge_fet", "discharge_fet"}}) {
    bus.set(property, expect.at(key).as_bool() ? "on" : "off");
  }
  bus.set("balancing", expect.at("balancing_active").as_bool() ? "1" : "0");
  bus.set("alarms", std::to_string(wire::u16be(recorded.at(0x8B), 0)));
  bus.set("battery_connected", (recorded.at(0x8C)[1] & 8U) != 0 ? "on" : "off");
  bus.set("throughput", std::to_string(wire::u32be(recorded.at(0x89), 0)));
  bus.set("protocol_version", recorded.contains(0xC0) ? std::to_string(recorded.at(0xC0)[0]) : "0");
  bus.set("old_format", recorded.contains(0xC0) ? "off" : "on");
  for (const auto& [tag, property] :
       {std::pair{0xB2, "password"}, {0xB4, "user_data"}, {0xB5, "date"}, {0xB7, "software"}, {0xBA, "manufacturer_id"}}) {
    if (const auto found = recorded.find(static_cast<std::uint8_t>(tag)); found != recorded.end())
      bus.set(property, text_of(found->second));
  }
  for (const auto& [tag, value] : recorded) {
    std::uint32_t number = 0;
    for (const std::uint8_t byte : value) number = number << 8U | byte;
    const std::string name = "register_" + wire::to_hex(Bytes(&tag, 1));
    const std::vector<std::string> names = bus.names();
    if (std::find(names.begin(), names.end(), name) != names.end()) bus.set(name, std::to_string(number));
  }
}

/// A second code for the same value, a broken sensor, cells in another order, registers left out.
const std::set<std::string> not_imitated = {"syn_16s_zero_with_charge_bit", "syn_temperature_boundary_99_and_100",
                                            "syn_temperature_sensor_open", "syn_cell_indices_out_of_order", "syn_optional_tags_missing"};

TEST(SimulatorJkbms, ReproducesRecordedFrames) {
  int compared = 0;
  for (const json::value& vector : vectors_of("jkbms.json")) {
    const std::string name(vector.at("name").as_string());
    const json::value& exchange = vector.at("exchanges").at(0);
    if (!vector.as_object().contains("expect") || exchange.as_object().contains("rx_chunks")) continue;
    const ByteVector rx = bytes_of(exchange.at("rx"));
    const bool usual = well_formed(rx) && rx[8] == 0x06 && wire::u32be(rx, 4) == 0 && wire::u32be(rx, rx.size() - 9) == 0;
    if (!usual || not_imitated.contains(name)) continue;
    Host host("Jkbms");
    imitate(host.bus(), vector.at("expect").as_object(), registers_of(rx));
    EXPECT_EQ(host.ask(exchange.at("tx").as_string()), wire::to_hex(rx)) << name;
    ++compared;
  }
  EXPECT_GE(compared, 40);
}

TEST(SimulatorJkbms, SizesAsDocumented) {
  for (const auto& [cells, total] : {std::pair{4, 255}, {7, 264}, {8, 267}, {13, 282}, {16, 291}, {24, 315}}) {
    Host host("Jkbms");
    host.bus().set("cells", std::to_string(cells));
    EXPECT_EQ(host.ask(read_all).size(), 2U * static_cast<unsigned>(total)) << cells;
  }
}

TEST(SimulatorJkbms, AnswersVariantsOfTheRequest) {
  Host host("Jkbms");
  const std::string usual = host.ask(read_all);
  EXPECT_EQ(host.ask("4e5700130000000006020000000000006800000128"), usual) << "from the GPS module";
  EXPECT_EQ(host.ask("4e5700130000000003030000000000006800000126").substr(16, 2), "03") << "read one, register 0";
  const ByteVector other = *wire::from_hex(host.ask("4e570013000000050603000000000000680000012e"));
  EXPECT_TRUE(well_formed(other));
  EXPECT_EQ(wire::u32be(other, 4), 5U) << "the terminal number is returned";
  const ByteVector soc = *wire::from_hex(host.ask("4e57001300000000030300850000000068000001ab"));
  EXPECT_TRUE(well_formed(soc));
  EXPECT_EQ(wire::to_hex(Bytes(soc).subspan(11, 2)), "853c");
}

TEST(SimulatorJkbms, IgnoresBrokenRequests) {
  Host host("Jkbms");
  EXPECT_EQ(host.ask("4e5700130000000006030000000000006800000128"), "");
  EXPECT_EQ(host.ask("4e5700140000000006030000000000006800000129"), "");
  EXPECT_EQ(host.ask("4f5700130000000006030000000000006800000129"), "");
  EXPECT_EQ(host.ask("4e570013000000000603010000000000680000012a"), "") << "a reply is no request";
  EXPECT_EQ(host.ask("00ff4e" + std::string(read_all)), host.ask(read_all));
}

TEST(SimulatorJkbms, WritesSwitchesAndAcknowledges) {
  Host host("Jkbms");
  const ByteVector acknowledged = *wire::from_hex(host.ask("4e5700140000000002030 0ab000000000068000001d1"));
  EXPECT_TRUE(well_formed(acknowledged));
  EXPECT_EQ(acknowledged[8], 0x02);
  EXPECT_EQ(acknowledged[10], 1);
  EXPECT_EQ(acknowledged[11], 0xAB);
  auto registers = registers_of(*wire::from_hex(host.ask(read_all)));
  EXPECT_EQ(wire::u16be(registers.at(0x8C), 0), 2) << "charging off, discharging on";
  EXPECT_EQ(registers.at(0xAB)[0], 0);

  host.bus().set("password_required", "on");
  const std::string charge_on = "4e570014000000000203 00ab010000000068000001d2";
  EXPECT_EQ(host.ask(charge_on), "") << "locked";
  ByteVector unlock = *wire::from_hex("4e57001d00000000050300b2313233343536000000000000000068");
  wire::put_u32be(unlock, wire::sum(unlock));
  EXPECT_TRUE(well_formed(*wire::from_hex(host.ask(unlock).empty() ? "00" : wire::to_hex(host.ask(unlock)))));
  EXPECT_NE(host.ask(charge_on), "");
  EXPECT_EQ(host.bus().get("charge_switch"), "1");
}

TEST(SimulatorJkbms, SleepsUntilActivated) {
  Host host("Jkbms");
  host.bus().set("sleep", "on");
  EXPECT_EQ(host.ask(read_all), "");
  const ByteVector awake = *wire::from_hex(host.ask("4e5700130000000001030000000000006800000124"));
  EXPECT_TRUE(well_formed(awake));
  EXPECT_EQ(awake[8], 0x01);
  EXPECT_NE(host.ask(read_all), "");
}

TEST(SimulatorJkbms, Quirks) {
  Host host("Jkbms");
  const std::string usual = host.ask(read_all);
  host.bus().set("rebooting", "on");
  auto registers = registers_of(*wire::from_hex(host.ask(read_all)));
  EXPECT_EQ(registers.at(0x85)[0], 0);
  EXPECT_EQ(wire::u16be(registers.at(0x87), 0), 0);
  host.bus().set("rebooting", "off");
  host.bus().set("unsolicited", "on");
  const auto both = host.answers(read_all);
  ASSERT_THAT(both, SizeIs(1));
  ASSERT_THAT(both[0], SizeIs(2));
  EXPECT_EQ(both[0][0].bytes[10], 2);
  EXPECT_EQ(wire::to_hex(both[0][1].bytes), usual);
  host.bus().set("unsolicited", "off");
  host.bus().set("absurd_length", "on");
  EXPECT_EQ(host.ask(read_all).substr(4, 2), "ff");
}

RC_GTEST_PROP(SimulatorJkbms, AnyStateGivesWellFormedFrames, ()) {
  Host host("Jkbms");
  Bus& bus = host.bus();
  const auto number = [](double low, double high) { return std::to_string(low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0); };
  const int cells = *rc::gen::inRange(1, 33);
  bus.set("cells", std::to_string(cells));
  bus.set("cell", number(0, 5));
  bus.set("current", number(-400, 400));
  bus.set("soc", number(0, 100));
  bus.set("temperature", number(-50, 120));
  bus.set("old_format", *rc::gen::arbitrary<bool>() ? "on" : "off");
  bus.set("alarms", std::to_string(*rc::gen::arbitrary<std::uint16_t>()));
  const ByteVector frame = *wire::from_hex(host.ask(read_all));
  RC_ASSERT(well_formed(frame));
  auto registers = registers_of(frame);
  RC_ASSERT(registers.at(0x79)[0] == 3 * cells);
  RC_ASSERT(wire::u16be(registers.at(0x8A), 0) == cells);
  RC_ASSERT(registers.at(0x85)[0] <= 100);
  RC_ASSERT(registers.contains(0xC0) == (bus.get("old_format") == "off"));
}

}  // namespace
}  // namespace serialbattery::simulator
