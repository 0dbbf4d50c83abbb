// Devices that are no BMS, and the slave side of Modbus.
#include <gmock/gmock.h>

#include <bit>
#include <boost/crc.hpp>
#include <numeric>
#include <sstream>

#include "simulator/modbus.hpp"
#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

ByteVector said(std::string_view type) {
  return joined(Bus::of(type)->talk(at(0s)));
}

std::uint16_t crc_x25(Bytes data) {
  boost::crc_optimal<16, 0x1021, 0xFFFF, 0xFFFF, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  return static_cast<std::uint16_t>(crc.checksum());
}

TEST(SimulatorTalkers, TalkOnceASecondAndAnswerNobody) {
  for (const std::string_view type : {"NmeaGps", "VeDirect", "SmlMeter"}) {
    const auto bus = Bus::of(type);
    EXPECT_TRUE(bus->talks()) << type;
    EXPECT_THAT(bus->talk(at(0s)), SizeIs(1)) << type;
    EXPECT_THAT(bus->talk(at(900ms)), SizeIs(0)) << type;
    EXPECT_THAT(bus->talk(at(1s)), SizeIs(1)) << type;
    EXPECT_THAT(bus->receive(ByteVector{0xDD, 0xA5, 0x03, 0x00, 0xFF, 0xFD, 0x77}, at(2s)), SizeIs(0)) << type;
    bus->set_fault("silence", "on");
    EXPECT_THAT(bus->talk(at(3s)), SizeIs(0)) << type;
  }
}

TEST(SimulatorTalkers, NmeaSentencesHaveRightChecksums) {
  const ByteVector bytes = said("NmeaGps");
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_THAT(line, StartsWith("$GP"));
    const auto star = line.find('*');
    const unsigned sum = std::accumulate(line.begin() + 1, line.begin() + static_cast<std::ptrdiff_t>(star), 0U,
                                         [](unsigned x, char c) { return x ^ static_cast<unsigned char>(c); });
    EXPECT_EQ(std::stoul(line.substr(star + 1, 2), nullptr, 16), sum) << line;
  }
  EXPECT_EQ(count, 4);
}

TEST(SimulatorTalkers, VeDirectBlockSumsToZero) {
  const ByteVector block = said("VeDirect");
  EXPECT_EQ(wire::sum(block) % 256, 0U);
  EXPECT_THAT(std::string(block.begin(), block.end()), HasSubstr("\r\nV\t26600\r\n"));
}

TEST(SimulatorTalkers, SmlFileIsFramedAndChecked) {
  const ByteVector file = said("SmlMeter");
  EXPECT_EQ(wire::to_hex(Bytes(file).first(8)), "1b1b1b1b01010101");
  EXPECT_EQ(file.size() % 4, 0U);
  EXPECT_EQ(wire::to_hex(Bytes(file).subspan(file.size() - 8, 5)), "1b1b1b1b1a");
  EXPECT_EQ(wire::u16le(file, file.size() - 2), crc_x25(Bytes(file).first(file.size() - 2)));
}

TEST(SimulatorTalkers, EchoReturnsEverything) {
  Host host("Echo");
  EXPECT_EQ(host.ask("dda50300fffd77"), "dda50300fffd77");
  EXPECT_EQ(host.ask("00"), "00");
}

ByteVector modbus_request(const ByteVector& body) {
  return modbus::with_crc(body);
}

TEST(SimulatorModbus, MeterAnswersBothReads) {
  Host host("ModbusMeter");
  const ByteVector voltage = host.ask(modbus_request({0x01, 0x04, 0x00, 0x00, 0x00, 0x02}));
  ASSERT_THAT(voltage, SizeIs(9));
  EXPECT_EQ(wire::crc_modbus(voltage), 0);
  EXPECT_EQ(voltage[2], 4);
  EXPECT_NEAR(std::bit_cast<float>(wire::u32be(voltage, 3)), 230.4, 1e-3);
  EXPECT_THAT(host.ask(modbus_request({0x01, 0x03, 0x00, 0x00, 0x00, 0x27})), SizeIs(5 + 2 * 0x27));
  EXPECT_THAT(host.ask(modbus_request({0x02, 0x04, 0x00, 0x00, 0x00, 0x02})), SizeIs(0)) << "another address";
  host.bus().set("fill", "3300");
  EXPECT_EQ(wire::u16be(host.ask(modbus_request({0x01, 0x03, 0x00, 0x30, 0x00, 0x01})), 3), 3300);
}

TEST(SimulatorModbus, Exceptions) {
  Host host("ModbusMeter");
  const auto answer = [&](const ByteVector& body) { return wire::to_hex(host.ask(modbus_request(body))); };
  EXPECT_EQ(answer({0x01, 0x03, 0x13, 0x02, 0x00, 0x0A}), "018302c0f1") << "no such register, as documented";
  EXPECT_THAT(answer({0x01, 0x04, 0x00, 0x00, 0x00, 0x7E}), StartsWith("018403")) << "too many";
  EXPECT_THAT(answer({0x01, 0x06, 0x00, 0x00, 0x00, 0x01}), StartsWith("018602")) << "not writable";
  host.bus().set_fault("exception", "6");
  EXPECT_THAT(answer({0x01, 0x04, 0x00, 0x00, 0x00, 0x02}), StartsWith("018406"));
}

TEST(SimulatorModbus, FaultsOfTheTestHooks) {
  Host host("ModbusMeter");
  const ByteVector request = modbus_request({0x01, 0x04, 0x00, 0x00, 0x00, 0x02});
  const ByteVector good = host.ask(request);
  host.bus().set_fault("wrong_byte_count", "on");
  EXPECT_EQ(host.ask(request)[2], 2);
  EXPECT_EQ(wire::crc_modbus(host.ask(request)), 0);
  host.bus().set_fault("wrong_byte_count", "off");
  host.bus().set_fault("wrong_address", "on");
  EXPECT_EQ(host.ask(request)[0], 2);
  EXPECT_EQ(wire::crc_modbus(host.ask(request)), 0);
  host.bus().set_fault("wrong_address", "off");
  host.bus().set_fault("checksum", "on");
  EXPECT_NE(wire::crc_modbus(host.ask(request)), 0);
  host.bus().set_fault("checksum", "off");
  EXPECT_EQ(host.ask(request), good);
  ByteVector broken = request;
  broken[5] ^= 1;
  EXPECT_THAT(host.ask(broken), SizeIs(0));
}

/// Registers, coils and writes of a slave that has all of them.
class Everything final : public modbus::Slave<Device> {
 public:
  Everything() : Slave(7) {}

 protected:
  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t /*function*/, std::uint16_t first, std::uint16_t count) override {
    if (first + count > 4) return std::nullopt;
    return std::vector<std::uint16_t>(values_.begin() + first, values_.begin() + first + count);
  }
  bool write_registers(std::uint16_t first, Bytes values) override {
    if (first + values.size() / 2 > 4) return false;
    for (std::size_t i = 0; i < values.size() / 2; ++i) values_[first + i] = wire::u16be(values, 2 * i);
    return true;
  }
  std::optional<std::vector<bool>> coils(std::uint8_t /*function*/, std::uint16_t /*first*/, std::uint16_t count) override {
    std::vector<bool> result(count);
    result[0] = on_;
    result[count - 1U] = true;
    return result;
  }
  bool write_coil_at(std::uint16_t coil, bool on) override {
    on_ = on;
    return coil == 0;
  }

 private:
  std::array<std::uint16_t, 4> values_{};
  bool on_ = false;
};

TEST(SimulatorModbus, WritesAndCoils) {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<Everything>());
  Bus bus({9600}, std::move(devices));
  Duration time{};
  const auto ask = [&](const ByteVector& body) { return wire::to_hex(joined(bus.receive(modbus_request(body), at(time += 1s)))); };
  const auto hex = [](const ByteVector& body) { return wire::to_hex(modbus_request(body)); };
  EXPECT_EQ(ask({0x07, 0x06, 0x00, 0x01, 0x12, 0x34}), hex({0x07, 0x06, 0x00, 0x01, 0x12, 0x34}));
  EXPECT_EQ(ask({0x07, 0x10, 0x00, 0x02, 0x00, 0x02, 0x04, 0x00, 0x05, 0x00, 0x06}), hex({0x07, 0x10, 0x00, 0x02, 0x00, 0x02}));
  EXPECT_EQ(ask({0x07, 0x03, 0x00, 0x00, 0x00, 0x04}), hex({0x07, 0x03, 0x08, 0x00, 0x00, 0x12, 0x34, 0x00, 0x05, 0x00, 0x06}));
  EXPECT_EQ(ask({0x07, 0x10, 0x00, 0x03, 0x00, 0x02, 0x04, 0x00, 0x05, 0x00, 0x06}), hex({0x07, 0x90, 0x02}));
  EXPECT_EQ(ask({0x07, 0x10, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x05}), hex({0x07, 0x90, 0x03}));
  EXPECT_EQ(ask({0x07, 0x05, 0x00, 0x00, 0xFF, 0x00}), hex({0x07, 0x05, 0x00, 0x00, 0xFF, 0x00}));
  EXPECT_EQ(ask({0x07, 0x01, 0x00, 0x00, 0x00, 0x09}), hex({0x07, 0x01, 0x02, 0x01, 0x01}));
}

}  // namespace
}  // namespace serialbattery::simulator
