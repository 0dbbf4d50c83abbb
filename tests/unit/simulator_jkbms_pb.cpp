// The JK PB model against recorded frames and against its protocol's rules.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

namespace json = boost::json;
using testing::SizeIs;

constexpr std::size_t payload_size = 300;

struct Span {
  std::size_t offset;
  std::size_t size;
};
/// What is compared, per frame type: all that `expect` speaks of; the rest of a payload is unknown, or stored numbers.
const std::vector<Span> described[] = {
    {},
    {{50, 4}, {62, 4}, {114, 4}, {126, 4}, {130, 4}, {270, 4}, {282, 3}},
    {{0, 5},
     {6, 68},
     {144, 2},
     {150, 4},
     {158, 4},
     {162, 4},
     {166, 4},
     {172, 2},
     {174, 4},
     {182, 4},
     {190, 1},
     {198, 2},
     {214, 2},
     {236, 2}},
    {{6, 32}, {46, 16}, {78, 8}, {86, 12}, {102, 16}},
};

ByteVector request(std::uint8_t address, std::uint16_t trigger) {
  ByteVector bytes = {address, 0x10};
  wire::put_u16be(bytes, trigger);
  for (const std::uint8_t byte : ByteVector{0x00, 0x01, 0x02, 0x00, 0x00}) bytes.push_back(byte);
  wire::put_u16le(bytes, wire::crc_modbus(bytes));
  return bytes;
}

bool good_payload(Bytes answer) {
  return answer.size() >= payload_size && wire::u32be(answer, 0) == 0x55AAEB90U &&
         answer[payload_size - 1] == (wire::sum(answer.first(payload_size - 1)) & 0xFFU);
}

bool good_acknowledgement(Bytes tail, std::uint8_t address, std::uint16_t trigger) {
  return tail.size() == 8 && tail[0] == address && tail[1] == 0x10 && wire::u16be(tail, 2) == trigger && wire::crc_modbus(tail) == 0;
}

std::string text_at(Bytes payload, std::size_t offset, std::size_t size) {
  const Bytes field = payload.subspan(offset, size);
  return {field.begin(), std::find(field.begin(), field.end(), 0)};
}

/// Live values from `expect`; what it has no word for from the frame.
void imitate(Bus& bus, const json::object& expect, Bytes frame) {
  const auto copy = [&](std::string_view key, std::string_view property) {
    if (const json::value* value = expect.if_contains(key)) {
      bus.set(property, value->is_bool() ? (value->as_bool() ? "on" : "off") : json::serialize(*value));
    }
  };
  const auto raw = [&](std::string_view property, auto value) { bus.set(property, std::to_string(value)); };
  if (frame[4] == 2) {
    const json::array& cells = expect.at("cell_voltages").as_array();
    bus.set("cells", std::to_string(cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) bus.set("cell" + std::to_string(i + 1), json::serialize(cells[i]));
    for (const std::string_view key : {"voltage", "current", "soc", "soh", "cycles", "charge_fet", "discharge_fet"}) copy(key, key);
    copy("capacity_remaining", "remaining");
    copy("heating", "heater");
    raw("mos_temperature", wire::i16le(frame, 144) / 10.0);
    raw("temperature1", wire::i16le(frame, 162) / 10.0);
    raw("temperature2", wire::i16le(frame, 164) / 10.0);
    raw("alarms", wire::u32le(frame, 166));
    raw("cell_mask", wire::u32le(frame, 70));
    bus.set("balancer", expect.at("balancing_active").as_bool() ? "on" : "off");
    bus.set("balancer_discharges", frame[172] == 2 ? "on" : "off");
    raw("sensors_present", frame[214]);
    raw("heater_current", wire::i16le(frame, 236) / 1000.0);
  }
  if (frame[4] == 1) {
    copy("capacity", "capacity");
    bus.set("balance_switch", expect.at("balance_fet").as_bool() ? "1" : "0");
    raw("heater_start", static_cast<std::int8_t>(frame[284]));
    bus.set("charge_limit", std::to_string(expect.at("limits").at("ccl").to_number<double>() * 1000));
    bus.set("discharge_limit", std::to_string(expect.at("limits").at("dcl").to_number<double>() * 1000));
    raw("control_bits", wire::u16le(frame, 282));
    raw("cell_count", wire::u32le(frame, 114));
  }
  if (frame[4] == 3) {
    for (const auto& [offset, size, property] : {std::tuple{6, 16, "model"},
                                                 {22, 8, "hardware"},
                                                 {30, 8, "software"},
                                                 {46, 16, "name"},
                                                 {78, 8, "date"},
                                                 {86, 16, "serial"},
                                                 {102, 16, "user_data"}}) {
      bus.set(property, text_at(frame, static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
    }
  }
}

TEST(SimulatorJkbmsPb, ReproducesRecordedFrames) {
  int compared = 0;
  for (const json::value& vector : vectors_of("jkbms_pb.json")) {
    const std::string name(vector.at("name").as_string());
    if (!vector.as_object().contains("expect")) continue;
    for (const json::value& exchange : vector.at("exchanges").as_array()) {
      if (!exchange.as_object().contains("rx")) continue;
      const ByteVector tx = bytes_of(exchange.at("tx"));
      const ByteVector rx = bytes_of(exchange.at("rx"));
      if (!good_payload(rx) || (rx[4] == 1 && !vector.at("expect").as_object().contains("limits"))) continue;
      if (rx[4] == 2 && !vector.at("expect").as_object().contains("voltage")) continue;
      Host host("Jkbms_pb", {tx[0]});
      imitate(host.bus(), vector.at("expect").as_object(), rx);
      const ByteVector answer = host.ask(tx);
      ASSERT_TRUE(good_payload(answer)) << name;
      EXPECT_EQ(answer[4], rx[4]) << name;
      for (const Span& span : described[rx[4]]) {
        EXPECT_EQ(wire::to_hex(Bytes(answer).subspan(span.offset, span.size)), wire::to_hex(Bytes(rx).subspan(span.offset, span.size)))
            << name << " type " << int{rx[4]} << " offset " << span.offset;
      }
      EXPECT_TRUE(good_acknowledgement(Bytes(answer).subspan(payload_size), tx[0], wire::u16be(tx, 2))) << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 70);
}

TEST(SimulatorJkbmsPb, AcknowledgementsAsDocumented) {
  Host host("Jkbms_pb", {1, 3});
  for (const auto& [tx, acknowledgement] : {std::pair{"01101620000102 0000d6f1", "011016200001044b"},
                                            {"0110161e000102 0000d22f", "0110161e00016587"},
                                            {"0110161c000102 0000d3cd", "0110161c0001c447"},
                                            {"03101620000102 0000cf91", "03101620000105a9"}}) {
    const std::string answer = host.ask(tx);
    EXPECT_EQ(answer.size(), 616U);
    EXPECT_EQ(answer.substr(600), acknowledgement);
  }
}

TEST(SimulatorJkbmsPb, UnitsAnswerOnlyForThemselves) {
  Host host("Jkbms_pb", {1, 2});
  host.bus().set("2/soc", "11");
  EXPECT_EQ(host.ask(request(1, 0x1620))[173], 60);
  EXPECT_EQ(host.ask(request(2, 0x1620))[173], 11);
  EXPECT_TRUE(host.ask(request(3, 0x1620)).empty());
  host.bus().set_fault("2/silence", "on");
  EXPECT_TRUE(host.ask(request(2, 0x1620)).empty());
  EXPECT_FALSE(host.ask(request(1, 0x1620)).empty());
  ByteVector broken = request(1, 0x1620);
  broken.back() ^= 1;
  EXPECT_TRUE(host.ask(broken).empty());
}

TEST(SimulatorJkbmsPb, WritesSettings) {
  Host host("Jkbms_pb");
  EXPECT_EQ(host.ask("01101070000204 00000000 394b"), "01101070000244d3");
  EXPECT_EQ(host.ask(request(1, 0x1620))[198], 0);
  EXPECT_EQ(wire::u32le(host.ask(request(1, 0x161E)), 118), 0U);
  EXPECT_EQ(host.ask("01101070000204 00000001 f88b"), "01101070000244d3");
  EXPECT_EQ(host.ask(request(1, 0x1620))[198], 1);
  EXPECT_EQ(host.ask("01101078000204 00000000 38ed"), "011010780002c511");
  EXPECT_EQ(host.bus().get("balance_switch"), "0");
}

TEST(SimulatorJkbmsPb, ReadsRegistersInBigEndian) {
  Host host("Jkbms_pb");
  host.bus().set("cell1", "3.301");
  ByteVector read = {0x01, 0x03, 0x12, 0x00, 0x00, 0x01};
  wire::put_u16le(read, wire::crc_modbus(read));
  const ByteVector answer = host.ask(read);
  ASSERT_THAT(answer, SizeIs(7));
  EXPECT_EQ(wire::crc_modbus(answer), 0);
  EXPECT_EQ(wire::u16be(answer, 3), 3301);
}

TEST(SimulatorJkbmsPb, QuirksOfTheWire) {
  Host host("Jkbms_pb", {1, 2});
  const ByteVector ask = request(1, 0x1620);
  host.bus().set("pad", "on");
  EXPECT_THAT(host.ask(ask), SizeIs(310));
  host.bus().set("pad", "off");
  host.bus().set("no_acknowledgement", "on");
  EXPECT_THAT(host.ask(ask), SizeIs(300));
  host.bus().set("no_acknowledgement", "off");
  host.bus().set("acknowledge_as", "2");
  EXPECT_TRUE(good_acknowledgement(Bytes(host.ask(ask)).subspan(300), 2, 0x1620));
  host.bus().set("acknowledge_as", "0");
  host.bus().set("acknowledge_register", "0x161E");
  EXPECT_TRUE(good_acknowledgement(Bytes(host.ask(ask)).subspan(300), 1, 0x161E));
  host.bus().set("acknowledge_register", "0");
  host.bus().set("acknowledgement_crc", "on");
  EXPECT_NE(wire::crc_modbus(Bytes(host.ask(ask)).subspan(300)), 0);
  host.bus().set("acknowledgement_crc", "off");
  host.bus().set("wrong_type", "on");
  EXPECT_EQ(host.ask(ask)[4], 3);
  host.bus().set("wrong_type", "off");
  host.bus().set("count_up", "on");
  EXPECT_NE(host.ask(ask)[5], host.ask(ask)[5]);
  host.bus().set("about_silent", "on");
  EXPECT_TRUE(host.ask(request(1, 0x161C)).empty());
  host.bus().set_fault("checksum", "on");
  EXPECT_FALSE(good_payload(host.ask(ask)));
  host.bus().set_fault("checksum", "off");
  host.bus().set_fault("exception", "2");
  EXPECT_EQ(wire::to_hex(Bytes(host.ask(ask)).first(3)), "019002");
}

TEST(SimulatorJkbmsPb, NeedsAGapAlsoAfterOtherUnits) {
  const auto bus = Bus::of("Jkbms_pb", {1, 2});
  const ByteVector first = request(1, 0x1620);
  const ByteVector second = request(2, 0x1620);
  EXPECT_THAT(joined(bus->receive(first, at(0ms))), SizeIs(308));
  EXPECT_THAT(joined(bus->receive(second, at(60ms))), SizeIs(0)) << "20 ms after the end of the answer";
  EXPECT_THAT(joined(bus->receive(second, at(200ms))), SizeIs(308));
  bus->set("late_acknowledgement", "on");
  const ByteVector mixed = joined(bus->receive(first, at(260ms)));
  ASSERT_THAT(mixed, SizeIs(316));
  EXPECT_TRUE(good_acknowledgement(Bytes(mixed).first(8), 2, 0x1620)) << "of the unit before";
  EXPECT_TRUE(good_payload(Bytes(mixed).subspan(8)));
}

TEST(SimulatorJkbmsPb, BusMasterTalksByItself) {
  const auto bus = Bus::of("Jkbms_pb");
  EXPECT_FALSE(bus->talks());
  EXPECT_THAT(bus->talk(at(0s)), SizeIs(0));
  bus->set("bus_master", "on");
  EXPECT_TRUE(bus->talks());
  const auto said = bus->talk(at(1s));
  ASSERT_THAT(said, SizeIs(1));
  ASSERT_THAT(said[0], SizeIs(2));
  EXPECT_TRUE(good_payload(said[0][0].bytes));
  EXPECT_TRUE(good_acknowledgement(Bytes(said[0][0].bytes).subspan(300), 0, 0x1620));
  EXPECT_THAT(bus->talk(at(2s)), SizeIs(0));
  EXPECT_THAT(bus->talk(at(5500ms)), SizeIs(1));
}

RC_GTEST_PROP(SimulatorJkbmsPb, AnyStateGivesWellFormedFrames, ()) {
  const auto address = *rc::gen::inRange<std::uint8_t>(1, 16);
  Host host("Jkbms_pb", {address});
  Bus& bus = host.bus();
  const auto number = [](double low, double high) { return std::to_string(low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0); };
  bus.set("cells", std::to_string(*rc::gen::inRange(0, 33)));
  bus.set("current", number(-500, 500));
  bus.set("temperature", number(-200, 200));
  bus.set("capacity", number(1, 5000));
  bus.set("alarms", std::to_string(*rc::gen::arbitrary<std::uint32_t>()));
  for (const std::uint16_t trigger : std::vector<std::uint16_t>{0x1620, 0x161E, 0x161C}) {
    const ByteVector answer = host.ask(request(address, trigger));
    RC_ASSERT(good_payload(answer));
    RC_ASSERT(good_acknowledgement(Bytes(answer).subspan(300), address, trigger));
  }
}

}  // namespace
}  // namespace serialbattery::simulator
