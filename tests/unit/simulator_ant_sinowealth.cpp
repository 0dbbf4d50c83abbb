// The ANT and Sinowealth models against recorded frames and against the rules of their protocols.
#include <gmock/gmock.h>

#include <spdlog/fmt/fmt.h>

#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

namespace json = boost::json;

std::string number_text(const json::value& value) {
  return fmt::format("{}", value.to_number<double>());
}

// Puts the model into the state that a vector expects.
void imitate(Bus& bus, const json::object& expect) {
  const auto set = [&](const char* property, const char* key) {
    if (const json::value* value = expect.if_contains(key)) bus.set(property, number_text(*value));
  };
  bus.set("cells", number_text(expect.at("cell_count")));
  const json::array& cells = expect.at("cell_voltages").as_array();
  for (std::size_t i = 0; i < cells.size(); ++i) bus.set(fmt::format("cell{}", i + 1), number_text(cells[i]));
  set("voltage", "voltage");
  set("current", "current");
  set("soc", "soc");
  set("capacity", "capacity");
  set("remaining", "capacity_remaining");
  set("cycles", "cycles");
  const json::object& temperatures = expect.at("temperatures").as_object();
  const char* sensors[] = {"t1", "t2", "t3", "t4"};
  const auto fitted = std::ranges::count_if(sensors, [&](const char* name) { return temperatures.contains(name); });
  bus.set("sensors", std::to_string(fitted));
  for (int i = 0; i < fitted; ++i) bus.set(fmt::format("temperature{}", i + 1), number_text(temperatures.at(sensors[i])));
  bus.set("charge_fet", expect.at("charge_fet").as_bool() ? "on" : "off");
  bus.set("discharge_fet", expect.at("discharge_fet").as_bool() ? "on" : "off");
}

void imitate_ant(Bus& bus, const json::object& expect) {
  imitate(bus, expect);
  const json::object& temperatures = expect.at("temperatures").as_object();
  bus.set("mos_temperature", number_text(temperatures.at("mos")));
  bus.set("balancer_temperature", number_text(temperatures.at("balancer")));
  const char* throughput = expect.contains("total_ah") ? "total_ah" : "total_ah_drawn";
  bus.set("throughput", number_text(expect.at(throughput)));
}

struct Stretch {
  std::size_t begin, end;
};

TEST(SimulatorAnt, ReproducesOldFrames) {
  int compared = 0;
  for (const json::value& vector : vectors_of("ant.json")) {
    const std::string_view name = vector.at("name").as_string();
    if (!name.starts_with("2019 model") && !name.starts_with("2021 model 16S")) continue;
    Host host("ANT");
    imitate_ant(host.bus(), vector.at("expect").as_object());
    const json::value& exchange = vector.at("exchanges").as_array().front();
    const ByteVector recorded = bytes_of(exchange.at("rx"));
    const ByteVector mine = host.ask(bytes_of(exchange.at("tx")));
    ASSERT_EQ(mine.size(), 140U);
    // Not the run time, the scooter's values, the power, which boards measure by themselves, and the extremes.
    for (const auto& [begin, end] : {Stretch{0, 87}, {91, 105}, {123, 124}, {132, 136}})
      EXPECT_EQ(wire::to_hex(Bytes(mine).subspan(begin, end - begin)), wire::to_hex(Bytes(recorded).subspan(begin, end - begin))) << name;
    EXPECT_EQ(wire::sum(Bytes(mine).subspan(4, 134)) & 0xFFFFU, wire::u16be(mine, 138));
    ++compared;
  }
  EXPECT_EQ(compared, 5);
}

TEST(SimulatorAnt, ReproducesANewFrame) {
  for (const json::value& vector : vectors_of("ant.json")) {
    if (vector.at("name").as_string() != "16S new protocol, 2 sensors, 0.3 A discharge") continue;
    Host host("ANT");
    imitate_ant(host.bus(), vector.at("expect").as_object());
    const json::value& exchange = vector.at("exchanges").as_array().front();
    const ByteVector recorded = bytes_of(exchange.at("rx"));
    const ByteVector mine = host.ask(bytes_of(exchange.at("tx")));
    ASSERT_EQ(mine.size(), recorded.size());
    constexpr std::size_t p = 34 + 2 * 16 + 2 * 2;  // behind cells and sensors
    for (const auto& [begin, end] : {Stretch{0, 6}, {8, 10}, {34, p + 15}, {p + 16, p + 28}, {p + 36, p + 40}})
      EXPECT_EQ(wire::to_hex(Bytes(mine).subspan(begin, end - begin)), wire::to_hex(Bytes(recorded).subspan(begin, end - begin)));
    EXPECT_EQ(wire::crc_modbus(Bytes(mine).subspan(1, mine.size() - 5)), wire::u16le(mine, mine.size() - 4));
    return;
  }
  FAIL() << "no such vector";
}

TEST(SimulatorAnt, AnswersWhatItsProfileKnows) {
  Host host("ANT");
  const auto answered = [&host](const char* request) { return !host.ask(request).empty(); };
  for (const auto& [profile, all, by_register, modern] :
       {std::tuple("2019", true, true, false), std::tuple("2021", true, true, true), std::tuple("5A-only", false, true, false),
        std::tuple("new-only", false, false, true)}) {
    host.bus().set("profile", profile);
    EXPECT_EQ(answered("dbdb00000000"), all) << profile;
    EXPECT_EQ(answered("5a5a00000101"), by_register) << profile;
    EXPECT_EQ(answered("5a5a00000000"), by_register) << profile;
    EXPECT_EQ(answered("7ea1010000be1855aa55"), modern) << profile;
  }
}

TEST(SimulatorAnt, IsSilentAboutDamagedRequests) {
  Host host("ANT");
  for (const char* request : {"dbdb00000001", "5a5a00000100", "7ea1010000be1955aa55", "7ea1010000be1855aa56"})
    EXPECT_EQ(host.ask(request), "");
}

TEST(SimulatorAnt, SwitchesWhenAWriteIsApplied) {
  Host host("ANT");
  const auto code = [&host] { return host.ask(*wire::from_hex("dbdb00000000"))[103]; };
  host.ask("a5a5fa0000fa");
  EXPECT_EQ(code(), 0x01);
  host.ask("a5a5ff0000ff");
  EXPECT_EQ(code(), 0x0F);
  host.ask("a5a5fa0001fb");
  host.ask("a5a5ff0000ff");
  EXPECT_EQ(code(), 0x01);
}

TEST(SimulatorAnt, TellsItsCapacityInTwoWords) {
  Host host("ANT");
  host.bus().set("capacity", "200");
  EXPECT_EQ(host.ask("5a5a1f00001f"), "5a5a1fc200e1");
  EXPECT_EQ(host.ask("5a5a20000020"), "5a5a200beb16");
}

TEST(SimulatorSinowealth, ReproducesWholePolls) {
  int compared = 0;
  for (const json::value& vector : vectors_of("sinowealth.json")) {
    const json::object* expect = vector.as_object().if_contains("expect") ? &vector.at("expect").as_object() : nullptr;
    if (!expect || !expect->contains("cell_count") || !expect->contains("temperatures")) continue;
    Host host("Sinowealth");
    imitate(host.bus(), *expect);
    for (const json::value& exchange : vector.at("exchanges").as_array()) {
      const std::string_view tx = exchange.at("tx").as_string();
      if (tx == "0a0e02" || tx == "0a1502") continue;  // not in `expect`: the controller's temperature, full and empty
      EXPECT_EQ(host.ask(tx), exchange.at("rx").as_string()) << vector.at("name").as_string() << ", " << tx;
      ++compared;
    }
  }
  EXPECT_GT(compared, 40);
}

TEST(SimulatorSinowealth, ReproducesMeasuredSamples) {
  Host host("Sinowealth");
  host.bus().set("voltage", "13.325");
  host.bus().set("cell1", "3.331");
  EXPECT_EQ(host.ask("0a0b02"), "340d0f");
  EXPECT_EQ(host.ask("0a0102"), "0d03fd");
}

TEST(SimulatorSinowealth, LongReadsContinueAndUnknownRegistersAreSilent) {
  Host host("Sinowealth");
  const ByteVector longer = host.ask(*wire::from_hex("0a0104"));
  ASSERT_EQ(longer.size(), 5U);
  EXPECT_EQ(wire::u16be(longer, 0), 3330);
  EXPECT_EQ(wire::u16be(longer, 2), 3330);
  EXPECT_EQ(host.ask("0a3002"), "");
  EXPECT_EQ(host.ask("0a0b09"), "");
  host.bus().set("cells", "16");
  EXPECT_EQ(wire::u16be(host.ask(*wire::from_hex("0a0b02")), 0), 3330) << "a cell where small boards have the pack";
}

}  // namespace
}  // namespace serialbattery::simulator
