// Conversations of the EG4 LifePower driver with the simulated pack.
#include "bms/eg4_lifepower.hpp"
#include "support/driver_test.hpp"

namespace serialbattery::test {

namespace {

class Eg4Lifepower : public DriverTest {
 protected:
  Eg4Lifepower() : DriverTest("EG4_Lifepower") {}
};

class Eg4LifepowerPair : public DriverTest {
 protected:
  Eg4LifepowerPair() : DriverTest("EG4_Lifepower", {1, 2}) {}
};

struct Group {
  std::uint8_t id;
  std::vector<unsigned> values;
};
// How the decoder takes these groups, behind those of a pack with `cells` cells but without the group `missing`.
std::optional<Fault> take(Battery& into, std::size_t cells, std::vector<Group> more = {}, std::uint8_t missing = 0) {
  std::vector<Group> groups = {{0x01, std::vector<unsigned>(cells, 3300)}, {0x02, {30000}}, {0x03, {6000}}};
  groups.push_back({0x08, {static_cast<unsigned>(cells * 330)}});
  groups.insert(groups.end(), more.begin(), more.end());
  ByteVector data;
  for (const Group& group : groups) {
    if (group.id == missing) continue;
    data.push_back(group.id);
    data.push_back(static_cast<std::uint8_t>(group.values.size()));
    for (const unsigned value : group.values) wire::put_u16be(data, value);
  }
  boost::json::object details;
  try {
    eg4_lifepower::decode_information(data, into, details);
  } catch (const BmsError& error) {
    return error.fault();
  }
  return std::nullopt;
}

}  // namespace

TEST(Eg4LifepowerContents, FourToThirtyTwoCells) {
  for (const std::size_t cells : {4U, 7U, 32U}) {
    Battery battery;
    EXPECT_EQ(take(battery, cells), std::nullopt) << cells;
    EXPECT_EQ(battery.cells.size(), cells);
  }
  for (const std::size_t cells : {3U, 33U}) {
    Battery battery;
    EXPECT_EQ(take(battery, cells), Fault::implausible) << cells;
  }
}

TEST(Eg4LifepowerContents, FourGroupsAreNeededTheOthersAreNot) {
  Battery battery;
  EXPECT_EQ(take(battery, 16), std::nullopt);
  EXPECT_EQ(battery.capacity, std::nullopt);
  EXPECT_EQ(battery.soh, std::nullopt);
  EXPECT_EQ(battery.alarms[Alarm::low_voltage], std::nullopt);
  for (const std::uint8_t missing : {std::uint8_t{0x01}, std::uint8_t{0x02}, std::uint8_t{0x03}, std::uint8_t{0x08}})
    EXPECT_EQ(take(battery, 16, {}, missing), Fault::implausible) << int{missing};
}

TEST(Eg4LifepowerContents, WhatCantBeIsUnknown) {
  Battery battery;
  EXPECT_EQ(take(battery, 16, {{0x04, {0}}, {0x09, {10001}}, {0x06, {0, 0, 0, 0}}}), std::nullopt);
  EXPECT_EQ(battery.capacity, std::nullopt);
  EXPECT_EQ(battery.soh, std::nullopt);
  EXPECT_EQ(battery.alarms[Alarm::low_voltage], std::nullopt) << "a status of four words";
  EXPECT_EQ(battery.heater.active, std::nullopt);
  EXPECT_EQ(take(battery, 16, {{0x09, {10000}}, {0x06, {0, 0, 0x0010, 0, 0x0008}}}), std::nullopt);
  EXPECT_EQ(battery.soh, 100.0);
  EXPECT_EQ(battery.alarms[Alarm::low_voltage], AlarmLevel::warning);
  EXPECT_EQ(battery.heater.active, true);
}

TEST(Eg4LifepowerFrames, TheFirstDamageIsReported) {
  const ByteVector request = eg4_lifepower::encode(0x7E, 1, 1);
  const ByteVector answer = {0x7E, 0x01, 0x01, 0x01, 0x33, 0x00, 0x0D};  // wrong checksum
  EXPECT_EQ(eg4_lifepower::scan(request, answer).fault, Fault::checksum);
  ByteVector both = answer;
  both.insert(both.end(), {0x7E, 0x01, 0x01, 0x01, 0x33, 0x00, 0x0E});
  EXPECT_EQ(eg4_lifepower::scan(request, both).fault, Fault::checksum);
  EXPECT_EQ(eg4_lifepower::scan(request, Bytes(both).subspan(7)).fault, Fault::length);
  EXPECT_EQ(eg4_lifepower::scan(request, Bytes(answer).first(2)).status, Scan::Status::searching) << "may be anybody's";
  EXPECT_EQ(eg4_lifepower::scan(request, Bytes(answer).first(3)).status, Scan::Status::started);
}

TEST_F(Eg4Lifepower, KeepsItsIdentifierWhenAnAnswerIsLost) {
  device().set_fault("silence", "on");
  device().set_fault("every", "2");  // 01, 42
  ASSERT_TRUE(identify(Effort::quick));
  EXPECT_EQ(battery().identity.unique_id, "B_100.0Ah");
}

TEST_F(Eg4Lifepower, ReadsAPack) {
  device().set("current", "-39.59");
  device().set("balancing", "2");
  ASSERT_TRUE(identify());
  EXPECT_EQ(battery().cell_count, 16U);
  EXPECT_NEAR(*battery().voltage, 52.8, 0.001);
  EXPECT_EQ(battery().current, -39.59);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().cells[1].balancing, true);
  EXPECT_EQ(battery().cells[0].balancing, false);
  EXPECT_EQ(battery().mos_temperature, 28.0);
  EXPECT_EQ(battery().charge_fet, std::nullopt);
  EXPECT_EQ(battery().identity.firmware_version, "QT-YS00-16SV100A-V3.5");
  EXPECT_EQ(battery().identity.unique_id, "B_100.0Ah");
}

TEST_F(Eg4Lifepower, FollowsThePack) {
  ASSERT_TRUE(identify(Effort::quick));
  device().set("status", "00000009001000000002");
  refresh();
  EXPECT_EQ(battery().alarms[Alarm::high_charge_current], AlarmLevel::alarm);
  EXPECT_EQ(battery().alarms[Alarm::high_discharge_current], AlarmLevel::ok);
  EXPECT_EQ(battery().alarms[Alarm::low_cell_voltage], AlarmLevel::warning);
}

TEST_F(Eg4Lifepower, DataFullOfEndBytesIsNoProblem) {
  device().set("cell", "3.341");  // 0D0D
  ASSERT_TRUE(identify());
  EXPECT_NEAR(*battery().cells[15].voltage, 3.341, 1e-9);
}

TEST_F(Eg4Lifepower, GroupsMayBeMissingOrUnknown) {
  device().set("counters", "on");
  ASSERT_TRUE(identify());
  device().set("short_form", "on");
  refresh();
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().capacity, std::nullopt);
  EXPECT_EQ(battery().alarms[Alarm::low_voltage], std::nullopt);
  EXPECT_EQ(battery().mos_temperature, std::nullopt);
}

TEST_F(Eg4Lifepower, FindsTheOlderStartByte) {
  device().set("older", "on");
  ASSERT_TRUE(identify());
  refresh();
  EXPECT_EQ(sent("7e010100fe0d"), 1U);
}

TEST_F(Eg4Lifepower, KeepsTheReadingWhenAPollFails) {
  ASSERT_TRUE(identify());
  EXPECT_EQ(failing_refresh("checksum", "on"), Fault::checksum);
  EXPECT_EQ(failing_refresh("truncate", "-3"), Fault::timeout);
  device().set("cells", "15");
  EXPECT_EQ(failing_refresh(), Fault::implausible);
}

TEST_F(Eg4Lifepower, SurvivesLostAnswersAndEcho) {
  device().set_fault("echo", "on");
  device().set_fault("silence", "on");
  device().set_fault("every", "3");
  ASSERT_TRUE(identify());
  for (int i = 0; i < 5; ++i) refresh();
}

TEST_F(Eg4LifepowerPair, EqualPacksGiveTwoIdentifiers) {
  const auto first = make(1, true, true), second = make(2, true, true);
  ASSERT_TRUE(run(first->identify(Effort::thorough)));
  ASSERT_TRUE(run(second->identify(Effort::thorough)));
  EXPECT_EQ(first->battery().identity.unique_id, "B_100.0Ah");
  EXPECT_EQ(second->battery().identity.unique_id, "B_100.0Ah_0x02");
}

}  // namespace serialbattery::test
