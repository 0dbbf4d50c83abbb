// Conversations of the ANT driver with the simulated board, in its old and new protocol.
#include "bms/ant.hpp"
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

using testing::ElementsAre;
using testing::Optional;

class Ant : public DriverTest {
 protected:
  Ant() : DriverTest("ANT") {}
};

// Both status frames say the same.
class AntStatus : public Ant, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { device().set("profile", GetParam()); }
};

constexpr const char* read_all = "dbdb";
constexpr const char* read_by_register = "5a5a0000";
constexpr const char* read_new = "7ea101";

}  // namespace

TEST_P(AntStatus, ReadsAPack) {
  device().set("current", "-20.5");
  device().set("soc", "77");
  device().set("capacity", "200");
  device().set("balancing", "0x8001");
  device().set("cell7", "3.301");
  device().set("temperature1", "-11");
  device().set("mos_temperature", "31");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_EQ(battery().cells[6].voltage, 3.301);
  EXPECT_EQ(battery().cells[15].balancing, true);
  EXPECT_EQ(battery().cells[14].balancing, false);
  EXPECT_EQ(battery().balancing, true);
  EXPECT_THAT(battery().voltage, Optional(testing::DoubleNear(52.8, 0.01)));
  EXPECT_EQ(battery().current, -20.5);
  EXPECT_EQ(battery().soc, 77.0);
  EXPECT_EQ(battery().capacity, 200.0);
  EXPECT_EQ(battery().capacity_remaining, 154.0);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 6.0);
  EXPECT_THAT(battery().temperatures, ElementsAre(-11.0, 22.0, std::nullopt, std::nullopt));
  EXPECT_EQ(battery().mos_temperature, 31.0);
  EXPECT_EQ(battery().identity.hardware_version, "ANT BMS 16S");
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_200.0Ah");
}

TEST_P(AntStatus, FollowsTheSwitches) {
  ASSERT_TRUE(identify());
  device().set("charge_code", "2");
  device().set("discharge_fet", "off");
  refresh();
  EXPECT_EQ(battery().charge_fet, false);
  EXPECT_EQ(battery().discharge_fet, false);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::ok) << "switched off by hand";
  device().set("charge_code", "1");
  refresh();
  EXPECT_EQ(battery().charge_fet, true);
  EXPECT_EQ(battery().alarms[Alarm::high_cell_voltage], AlarmLevel::ok);
}

TEST_P(AntStatus, WarnsOfLowCells) {
  ASSERT_TRUE(identify());
  for (const auto& [volts, level] : {std::pair{"2.95", AlarmLevel::ok}, {"2.85", AlarmLevel::warning}, {"2.79", AlarmLevel::alarm}}) {
    device().set("cell4", volts);
    refresh();
    EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], level) << volts;
  }
}

TEST_P(AntStatus, RefusesWhatCanNotBe) {
  ASSERT_TRUE(identify());
  for (const auto& [name, value, normal] : {std::array{"soc", "101", "60"},
                                            {"current", "-1000.5", "0"},
                                            {"cell_count", "0", "-1"},
                                            {"cell_count", "33", "-1"},
                                            {"cell_count", "15", "-1"},
                                            {"voltage", "81", "auto"}}) {
    device().set(name, value);
    const auto fault = failing_refresh();
    EXPECT_TRUE(fault == Fault::implausible || fault == Fault::length) << name << " " << value;
    device().set(name, normal);
  }
  refresh();
}

TEST_P(AntStatus, AsksAgain) {
  ASSERT_TRUE(identify());
  device().set("current", "7");
  for (const char* fault : {"silence", "checksum"}) {
    device().set_fault("count", "1");
    device().set_fault(fault, "on");
    refresh();
    EXPECT_EQ(battery().current, 7.0) << fault;
    device().set_fault(fault, "off");
  }
  device().set_fault("count", "0");
  device().set_fault("checksum", "on");
  EXPECT_EQ(failing_refresh(), Fault::checksum);
  device().set_fault("checksum", "off");
  device().set_fault("truncate", "100");
  EXPECT_EQ(failing_refresh(), Fault::timeout);
}

TEST_P(AntStatus, SkipsWhatTheBluetoothModuleCausesOnTheLine) {
  ASSERT_TRUE(identify());
  device().set_fault("prefix", "5a5aff0000ff55aa00aa557ea121");
  device().set("current", "3");
  refresh();
  EXPECT_EQ(battery().current, 3.0);
}

TEST_P(AntStatus, CountsSensorsThreeAndFourIfTheyAreFitted) {
  device().set("sensors", "4");
  device().set("temperature3", "13");
  device().set("temperature4", "14");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().temperatures[3], 14.0);
  device().set("temperature4", "0");
  device().set("temperature3", "-40");
  refresh();
  EXPECT_EQ(battery().temperatures[3], 0.0);
  EXPECT_EQ(battery().temperatures[2], std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Protocol, AntStatus, testing::Values("2019", "2021", "5A-only", "new-only"), [](const auto& profile) {
  std::string name = profile.param;
  std::erase(name, '-');
  return name;
});

TEST_F(Ant, KeepsTheRequestThatWasAnswered) {
  device().set("profile", "5A-only");
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(sent(read_all), 1U);
  EXPECT_EQ(sent(read_by_register), 1U);
  refresh();
  EXPECT_EQ(sent(read_all), 1U);
  EXPECT_EQ(sent(read_by_register), 2U);
}

TEST_F(Ant, FindsABoardThatOnlySpeaksTheNewProtocol) {
  device().set("profile", "new-only");
  for (const char* plain : {"off", "on"}) {  // with and without the 6 strange bytes
    device().set("plain_device_frame", plain);
    ASSERT_TRUE(identify());
    EXPECT_EQ(battery().identity.firmware_version, "16ZMUB00-211026A");
    EXPECT_EQ(battery().identity.model, "16ZM");
    EXPECT_EQ(battery().soh, 100.0);
  }
  refresh();
  EXPECT_EQ(sent(read_new), 3U);
}

TEST_F(Ant, ReadsTheConfiguredCapacityWhereTheStatusHasNone) {
  device().set("hides_capacity", "on");
  device().set("capacity", "230");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 230.0);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], 5.0);
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_0.0Ah");
  refresh();
  EXPECT_EQ(battery().capacity, 230.0);
}

TEST_F(Ant, EstimatesTheCapacityOnce) {
  device().set("hides_capacity", "on");
  device().set("hides_configuration", "on");
  device().set("capacity", "123");
  device().set("soc", "41");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 120.0);
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_0.0Ah");
  device().set("capacity", "200");
  refresh();
  EXPECT_EQ(battery().capacity, 120.0) << "an estimate doesn't wander";
}

TEST_F(Ant, UsesBatteryCapacityWhenTheSocSaysTooLittle) {
  device().set("hides_capacity", "on");
  device().set("hides_configuration", "on");
  device().set("soc", "19");
  config_.battery_capacity = 99;
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, 99.0);
  config_.battery_capacity = 0;
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().capacity, std::nullopt);
  EXPECT_EQ(battery().history[HistoryValue::charge_cycles], std::nullopt);
}

TEST_F(Ant, SensorsThatReadZeroAtFirstAreNotFitted) {
  device().set("missing_sensor", "0");
  device().set("profile", "2019");
  ASSERT_TRUE(identify());
  EXPECT_THAT(battery().temperatures, ElementsAre(21.0, 22.0, std::nullopt, std::nullopt));
}

TEST_F(Ant, WritesNothing) {
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(driver().controls(), Controls{});
  EXPECT_EQ(sent("a5a5") + sent("7ea151") + sent("7ea123"), 0U);
}

TEST_F(Ant, KeepsThePauseBetweenRequests) {
  ASSERT_TRUE(identify());
  const TimePoint before = stream_.now();
  refresh();
  // 100 ms of silence, 6 bytes there, 30 ms in the board, 140 bytes back.
  EXPECT_NEAR(std::chrono::duration<double>(stream_.now() - before).count(), 0.100 + 0.003 + 0.030 + 0.073, 0.005);
}

namespace {

// A status of the new protocol: cells of 3.3 V, two sensors at 20 degrees. `length`: of the data, instead of what is needed.
ByteVector new_status(std::size_t cells, int tenths_of_amperes = 0, std::optional<std::size_t> length = std::nullopt) {
  const std::size_t sensors = 2, needed = 34 + 2 * cells + 2 * sensors + 72;
  ByteVector frame(6 + needed);
  const auto put = [&frame](std::size_t at, std::size_t value) {
    frame[at] = static_cast<std::uint8_t>(value);
    frame[at + 1] = static_cast<std::uint8_t>(value >> 8U);
  };
  const std::size_t values = 34 + 2 * cells + 2 * sensors;
  frame[0] = 0x7E, frame[1] = 0xA1, frame[2] = 0x11, frame[8] = sensors;
  frame[9] = static_cast<std::uint8_t>(cells);
  for (std::size_t i = 0; i < cells; ++i) put(34 + 2 * i, 3300);
  for (std::size_t i = 0; i < sensors; ++i) put(34 + 2 * cells + 2 * i, 20);
  put(values + 4, 330 * cells);
  put(values + 6, static_cast<std::uint16_t>(tenths_of_amperes));
  put(values + 8, 60);
  frame.resize(6 + length.value_or(needed));
  frame[5] = static_cast<std::uint8_t>(frame.size() - 6);
  wire::put_u16le(frame, wire::crc_modbus(Bytes(frame).subspan(1)));
  frame.insert(frame.end(), {0xAA, 0x55});
  return frame;
}

std::optional<Fault> decoded(const ByteVector& frame, Battery& into) {
  boost::json::object details;
  try {
    ant::decode_status(ant::Kind::new_status, frame, into, details);
  } catch (const BmsError& error) {
    return error.fault();
  }
  return std::nullopt;
}

}  // namespace

TEST(AntFrames, AnAnswerHoldsAllItsValuesOrIsTooShort) {
  EXPECT_EQ(ant::scan_answer(new_status(16), ant::new_request).status, Scan::Status::complete);
  const ByteVector cut = new_status(16, 0, 34 + 32 + 4 + 71);
  EXPECT_EQ(ant::scan_answer(cut, ant::new_request).status, Scan::Status::searching);
  EXPECT_EQ(ant::scan_answer(cut, ant::new_request).fault, Fault::length);
  const ByteVector other = {0x7E, 0xA1, 0x12};  // a function that nobody asked for
  EXPECT_EQ(ant::scan_answer(other, ant::new_request).status, Scan::Status::searching);
  EXPECT_EQ(ant::scan_answer(other, ant::device_request).status, Scan::Status::started);
}

TEST(AntFrames, DeviceInformationHoldsBothTexts) {
  const auto frame = [](std::size_t length) {
    ByteVector bytes = {0x7E, 0xA1, 0x12, 0x6C, 0x02, static_cast<std::uint8_t>(length)};
    bytes.resize(bytes.size() + length, 'A');
    wire::put_u16le(bytes, wire::crc_modbus(Bytes(bytes).subspan(1)));
    bytes.insert(bytes.end(), {0xAA, 0x55});
    return bytes;
  };
  EXPECT_EQ(ant::scan_answer(frame(32), ant::device_request).status, Scan::Status::complete);
  EXPECT_EQ(ant::scan_answer(frame(31), ant::device_request).fault, Fault::length);
  EXPECT_EQ(ant::scan_answer(frame(2), ant::device_request).fault, Fault::length);
}

TEST_F(Ant, AnotherCapacityIsTheSameBattery) {
  device().set("capacity", "200");
  ASSERT_TRUE(identify());
  device().set("capacity", "190");
  refresh();
  EXPECT_EQ(battery().capacity, 190.0);
  EXPECT_EQ(battery().identity.unique_id, "ANTBMS16S_200.0Ah");
}

TEST(AntFrames, OneToThirtyTwoCellsAndAThousandAmperes) {
  for (const std::size_t cells : {1U, 7U, 32U}) {
    Battery battery;
    EXPECT_EQ(decoded(new_status(cells, -107), battery), std::nullopt) << cells;
    EXPECT_EQ(battery.cells.size(), cells);
    EXPECT_EQ(battery.current, 10.7);
    EXPECT_EQ(battery.temperatures[1], 20.0);
    EXPECT_EQ(battery.temperatures[2], std::nullopt);
  }
  Battery battery;
  EXPECT_EQ(decoded(new_status(33), battery), Fault::implausible);
  EXPECT_EQ(decoded(new_status(16, 10000), battery), std::nullopt);
  EXPECT_EQ(decoded(new_status(16, 10001), battery), Fault::implausible);
  EXPECT_EQ(decoded(new_status(16, -10001), battery), Fault::implausible);
}

}  // namespace serialbattery::test
