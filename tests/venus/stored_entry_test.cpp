// Identity, matching, restoring and clean-up without a bus. Spec settings.md B.1 to B.7 and the acceptance list B.11.
#include "venus/stored_entry.hpp"

#include <gtest/gtest.h>

#include "model/unique_id.hpp"
#include "venus/identity.hpp"
#include "venus/save_cadence.hpp"

namespace serialbattery::venus {
namespace {

using namespace std::chrono_literals;

StoredEntry stored(std::string group, std::map<std::string, Value, std::less<>> values) {
  return {std::move(group), std::move(values)};
}
Value integer(std::int64_t n) {
  return n;
}
Value text(const char* s) {
  return std::string(s);
}

TEST(Identity, BmsIdReplacesEverythingButLettersAndDigits) {
  EXPECT_EQ(bms_id("JKB2A20S20P_280.0Ah"), "JKB2A20S20P_280_0Ah");
  EXPECT_EQ(bms_id("Gar\u00e4ge 1"), "Gar_ge_1");
  EXPECT_EQ(group_name("JKB2a_1"), "serialbattery_JKB2A_1");
}

TEST(Identity, Fallback) {
  EXPECT_EQ(fallback_unique_id("JK-B2A20S20P", 280.0), "JKB2A20S20P_280.0Ah");
  EXPECT_EQ(fallback_unique_id("", 280.0), "280.0Ah");
  EXPECT_EQ(port_unique_id("/dev/ttyUSB0", "0x00"), "ttyUSB0__0x00");
}

TEST(Identity, ServiceNames) {
  EXPECT_EQ(battery_service_name("/dev/ttyUSB0"), "com.victronenergy.battery.ttyUSB0");
  EXPECT_EQ(battery_service_name("/dev/ttyUSB0", "0x01"), "com.victronenergy.battery.ttyUSB0__0x01");
  EXPECT_EQ(battery_service_name("/dev/serial/by-id/usb-A.B:1"), "com.victronenergy.battery.usb-A_B_1");
}

TEST(Identity, ClassAndInstance) {
  EXPECT_EQ(parse_class_and_instance("battery:3")->instance, 3);
  EXPECT_EQ(parse_class_and_instance("dcload:12")->device_class, "dcload");
  EXPECT_FALSE(parse_class_and_instance("battery"));
  EXPECT_FALSE(parse_class_and_instance("battery:x"));
  EXPECT_FALSE(parse_class_and_instance("battery:"));
}

TEST(StoredEntries, HighestLastSeenWinsAndTheLaterOneAmongEquals) {
  const StoredEntries entries = {stored("serialbattery_a", {{"UniqueIdentifier", text("AB")}, {"LastSeen", integer(10)}}),
                                 stored("serialbattery_b", {{"UniqueIdentifier", text("AB")}, {"LastSeen", integer(30)}}),
                                 stored("serialbattery_c", {{"UniqueIdentifier", text("AB")}, {"LastSeen", text("")}}),
                                 stored("serialbattery_d", {{"UniqueIdentifier", text("ab")}, {"LastSeen", integer(99)}})};
  EXPECT_EQ(find_entry(entries, "AB")->group, "serialbattery_b");
  EXPECT_EQ(find_entry({entries[2], entries[0]}, "AB")->group, "serialbattery_a");
  EXPECT_EQ(find_entry({stored("x", entries[2].values), stored("y", entries[2].values)}, "AB")->group, "y");
  EXPECT_EQ(find_entry(entries, "other"), nullptr);
}

TEST(StoredEntries, CollectsGroupsOfSerialBatteriesOnly) {
  const auto entries = collect_entries({{"serialbattery_X/CustomName", text("a")},
                                        {"ruuvi_1/CustomName", text("b")},
                                        {"serialbattery_X/LastSeen", integer(1)},
                                        {"serialbattery_X/Deep/Er", integer(1)},
                                        {"old_serialbattery/LastSeen", integer(2)}});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].group, "serialbattery_X");
  EXPECT_EQ(entries[0].values.size(), 2U);
}

TEST(StoredEntries, RestoresEveryTypeThatThePythonDriverLeft) {
  const auto start = [](Value value) {
    return restore(stored("g", {{"MaxVoltageStartTime", std::move(value)}})).state.max_voltage_start_time;
  };
  EXPECT_EQ(start(integer(1700000000)), 1700000000);
  EXPECT_EQ(start(integer(0)), std::nullopt);
  EXPECT_EQ(start(text("")), std::nullopt);
  EXPECT_EQ(start(text("1700000000")), 1700000000);
  EXPECT_EQ(start(1700000000.7), 1700000000);
  const auto soc = [](Value value) { return restore(stored("g", {{"SocCalc", std::move(value)}})).state.soc_calc; };
  EXPECT_EQ(soc(63.5), 63.5);
  EXPECT_EQ(soc(text("63.5")), 63.5);
  EXPECT_EQ(soc(text("")), std::nullopt);
  EXPECT_EQ(soc(text("high")), std::nullopt);
  EXPECT_EQ(soc(400.0), std::nullopt);
  EXPECT_EQ(restore(stored("g", {{"SocCalc", text("high")}})).problems.size(), 1U);
  EXPECT_FALSE(restore(stored("g", {{"AllowMaxVoltage", integer(0)}})).state.allow_max_voltage);
  EXPECT_TRUE(restore(stored("g", {})).state.allow_max_voltage);
}

TEST(HistoryJson, CorruptTextsGiveAnEmptyHistory) {
  for (const auto* corrupt : {"{", "[]", "{\"a\":\"x\"}", "NaN", "3", "null"}) {
    std::vector<std::string> problems;
    EXPECT_EQ(history_from_json(corrupt, problems), History{}) << corrupt;
  }
}

TEST(HistoryJson, OneBadValueDoesNotCostTheOthers) {
  std::vector<std::string> problems;
  const auto history = history_from_json(
      R"({"deepest_discharge": -20.5, "minimum_voltage": NaN, "maximum_voltage": "x", "full_discharges": 3, "unknown": 1, "clear": 0})",
      problems);
  EXPECT_EQ(history[HistoryValue::deepest_discharge], 20.5);
  EXPECT_EQ(history[HistoryValue::full_discharges], 3.0);
  EXPECT_EQ(history[HistoryValue::minimum_voltage], std::nullopt);
  EXPECT_EQ(history[HistoryValue::maximum_voltage], std::nullopt);
  EXPECT_EQ(problems.size(), 1U);
}

TEST(HistoryJson, RoundTrip) {
  History history;
  history[HistoryValue::total_ah_drawn] = 1000.9333333333;
  history[HistoryValue::full_discharges] = 2;
  std::vector<std::string> problems;
  const auto again = history_from_json(history_to_json(history), problems);
  EXPECT_EQ(again[HistoryValue::total_ah_drawn], 1000.933333);
  EXPECT_EQ(again[HistoryValue::full_discharges], 2.0);
  EXPECT_EQ(again[HistoryValue::minimum_voltage], std::nullopt);
  EXPECT_NE(history_to_json(history).find("\"clear\": 0"), std::string::npos);
}

struct CleanUp : ::testing::Test {
  static constexpr std::int64_t now = 1790000000;
  static constexpr std::int64_t day = 86400;
  static bool nobody(const std::string&, std::optional<int>) { return false; }
  StoredEntry seen(const char* group, std::int64_t ago) const {
    return stored(group, {{"UniqueIdentifier", text("X")}, {"ClassAndVrmInstance", text("battery:5")}, {"LastSeen", integer(now - ago)}});
  }
};

TEST_F(CleanUp, ThirtyDays) {
  const StoredEntries entries = {seen("serialbattery_A", 31 * day), seen("serialbattery_B", 29 * day),
                                 seen("other_serialbattery", 99 * day)};
  const auto removals = stale_entries(entries, now, nobody);
  ASSERT_EQ(removals.size(), 1U);
  EXPECT_EQ(removals[0].group, "serialbattery_A");
  EXPECT_GE(removals[0].names.size(), 9U);
}

TEST_F(CleanUp, WithoutTimeStampOnlyTheInstanceGoes) {
  const auto removals = stale_entries({stored("serialbattery_ttyUSB3", {{"ClassAndVrmInstance", text("battery:2")}})}, now, nobody);
  ASSERT_EQ(removals.size(), 1U);
  EXPECT_EQ(removals[0].names, std::vector<std::string>{"ClassAndVrmInstance"});
  EXPECT_TRUE(stale_entries({stored("serialbattery_Y", {{"LastSeen", text("")}, {"ClassAndVrmInstance", text("battery:2")}})}, now, nobody)
                  .empty());
}

TEST_F(CleanUp, NothingWithAWrongClock) {
  EXPECT_TRUE(stale_entries({seen("serialbattery_A", now)}, 5000, nobody).empty()) << "1970";
  const StoredEntry without_time = stored("serialbattery_ttyUSB3", {{"ClassAndVrmInstance", text("battery:2")}});
  EXPECT_TRUE(stale_entries({without_time}, 5000, nobody).empty()) << "1970";
  EXPECT_TRUE(stale_entries({seen("serialbattery_A", 40 * day), seen("serialbattery_B", -day)}, now, nobody).empty())
      << "time stamp in the future";
}

TEST_F(CleanUp, AGroupLastSeenByAClockThatWasNotSetStays) {
  EXPECT_TRUE(stale_entries({seen("serialbattery_A", now - 4000)}, now, nobody).empty()) << "1970-01-01 01:06";
}

TEST_F(CleanUp, LiveBatteriesStay) {
  const auto held = [](const std::string&, std::optional<int> instance) { return instance == 5; };
  EXPECT_TRUE(stale_entries({seen("serialbattery_A", 31 * day)}, now, held).empty());
}

struct Suffix : ::testing::Test {
  Unit unit(std::uint8_t address) const { return {"AB", address, {1, 2, 3}}; }
};

TEST_F(Suffix, OnlyOnSharedCables) {
  EXPECT_EQ(settled_id({"AB", std::nullopt, {}}, {}, {"AB"}), "AB");
  EXPECT_EQ(settled_id({"AB", 2, {2}}, {}, {}), "AB");
  EXPECT_EQ(settled_id(unit(1), {}, {}), "AB");
  EXPECT_EQ(settled_id(unit(2), {}, {"AB"}), "AB_0x02");
}

TEST_F(Suffix, LastsWhoeverAnswersFirst) {
  const StoredEntries entries = {stored("serialbattery_AB", {{"UniqueIdentifier", text("AB")}, {"BusAddress", integer(1)}}),
                                 stored("serialbattery_AB_0X02", {{"UniqueIdentifier", text("AB_0x02")}})};
  EXPECT_EQ(settled_id(unit(2), entries, {}), "AB_0x02");
  EXPECT_EQ(settled_id(unit(1), entries, {}), "AB");
  EXPECT_EQ(settled_id(unit(3), entries, {}), "AB_0x03") << "the owner of AB is silent now";
}

TEST_F(Suffix, LastsWithoutTheOtherUnits) {
  const StoredEntries entries = {stored("serialbattery_AB", {{"UniqueIdentifier", text("AB")}, {"BusAddress", integer(1)}}),
                                 stored("serialbattery_AB_0X02", {{"UniqueIdentifier", text("AB_0x02")}})};
  EXPECT_EQ(settled_id({"AB", 2, {2}}, entries, {}), "AB_0x02");
}

TEST_F(Suffix, ALowerNewcomerDoesNotTakeOver) {
  const StoredEntries entries = {stored("serialbattery_AB", {{"UniqueIdentifier", text("AB")}, {"BusAddress", integer(2)}})};
  EXPECT_EQ(settled_id(unit(1), entries, {}), "AB_0x01");
  EXPECT_EQ(settled_id(unit(2), entries, {"AB_0x01"}), "AB");
  const StoredEntries elsewhere = {stored("serialbattery_AB", {{"UniqueIdentifier", text("AB")}, {"BusAddress", integer(9)}})};
  EXPECT_EQ(settled_id(unit(1), elsewhere, {}), "AB") << "address 9 is not on this cable any more";
}

struct Cadence : ::testing::Test {
  TimePoint t0{};
  control::Persisted state;
  SaveCadence cadence{state, t0};
  std::vector<Saved> poll(Duration after) { return cadence.due(state, Occasion::poll, t0 + after); }
};

TEST_F(Cadence, NothingChangedNothingDue) {
  EXPECT_TRUE(poll(1h).empty());
  EXPECT_TRUE(cadence.due(state, Occasion::all, t0 + 2h).empty());
}

TEST_F(Cadence, ChargeMachineAtOnceAndTogether) {
  state.allow_max_voltage = false;
  state.max_voltage_start_time = 1700000000;
  EXPECT_EQ(poll(1s), (std::vector<Saved>{Saved::allow_max_voltage, Saved::max_voltage_start_time}));
  EXPECT_TRUE(poll(2s).empty());
  state.max_voltage_start_time.reset();
  EXPECT_EQ(poll(3s), std::vector<Saved>{Saved::max_voltage_start_time});
}

TEST_F(Cadence, SocByStepOrTime) {
  state.soc_calc = 50;
  EXPECT_EQ(poll(1s), std::vector<Saved>{Saved::soc_calc}) << "nothing was stored so far";
  state.soc_calc = 50.4;
  EXPECT_TRUE(poll(2s).empty());
  EXPECT_EQ(poll(11min), std::vector<Saved>{Saved::soc_calc});
  state.soc_calc = 50.95;
  EXPECT_EQ(poll(11min + 1s), std::vector<Saved>{Saved::soc_calc});
  state.soc_calc = 51;
  EXPECT_EQ(cadence.due(state, Occasion::soc_set, t0 + 11min + 2s), std::vector<Saved>{Saved::soc_calc});
  state.soc_calc = 51.1;
  EXPECT_EQ(cadence.due(state, Occasion::all, t0 + 11min + 3s), std::vector<Saved>{Saved::soc_calc});
}

TEST_F(Cadence, HistoryRarelyButCountersAtOnce) {
  state.history[HistoryValue::total_ah_drawn] = 1;
  EXPECT_TRUE(poll(9min).empty());
  EXPECT_EQ(poll(10min), std::vector<Saved>{Saved::history});
  state.history[HistoryValue::total_ah_drawn] = 2;
  state.history[HistoryValue::low_voltage_alarms] = 1;
  EXPECT_EQ(poll(11min), std::vector<Saved>{Saved::history});
  state.history[HistoryValue::total_ah_drawn] = 2.00000001;
  EXPECT_TRUE(poll(30min).empty()) << "noise";
  state.history = {};
  EXPECT_EQ(cadence.due(state, Occasion::history_clear, t0 + 31min), std::vector<Saved>{Saved::history});
}

TEST_F(Cadence, FailureIsRepeatedAfterAWhile) {
  state.allow_max_voltage = false;
  ASSERT_EQ(poll(1s).size(), 1U);
  cadence.failed(Saved::allow_max_voltage, t0 + 2s);
  EXPECT_TRUE(poll(3s).empty());
  EXPECT_EQ(poll(63s), std::vector<Saved>{Saved::allow_max_voltage});
  EXPECT_TRUE(poll(64s).empty());
}

TEST_F(Cadence, AnHourOfHistoryIsSixWrites) {
  int writes = 0;
  for (int second = 1; second <= 3600; ++second) {
    state.history[HistoryValue::total_ah_drawn] = second * 0.01;
    writes += static_cast<int>(poll(std::chrono::seconds(second)).size());
  }
  EXPECT_EQ(writes, 6);
}

}  // namespace
}  // namespace serialbattery::venus
