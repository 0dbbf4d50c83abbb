// The log of events: what changed is told once, flapping is told once a minute, readings are not events.
#include "daemon/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serialbattery::test {

namespace {

using daemon::EventLog;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

control::Snapshot battery() {
  control::Snapshot snapshot;
  snapshot.charge_mode = "Bulk \u2502 Linear Mode";
  snapshot.allow_charge = snapshot.allow_discharge = true;
  snapshot.voltage = 52.8;
  snapshot.current = -3.21;
  snapshot.soc = 60.4;
  snapshot.min_cell_voltage = 3.298;
  snapshot.max_cell_voltage = 3.302;
  snapshot.alarms[Alarm::low_soc] = AlarmLevel::ok;
  return snapshot;
}

class EventLogTest : public testing::Test {
 protected:
  std::vector<std::string> changes(const control::Snapshot& snapshot, Duration later = 1s) {
    now_ += later;
    std::vector<std::string> texts;
    for (const EventLog::Line& line : log_.changes(snapshot, now_)) {
      texts.push_back((line.level == spdlog::level::warn ? "! " : "") + line.text);
    }
    return texts;
  }
  EventLog log_;
  TimePoint now_ = TimePoint{} + 1s;  // shortly after the device was started
};

constexpr const char* reading = " (52.80 V, -3.2 A, SoC 60 %, cells 3.298 to 3.302 V)";

}  // namespace

TEST_F(EventLogTest, TellsTheChargeModeFirstAndThenNothingWhileReadingsChange) {
  control::Snapshot snapshot = battery();
  EXPECT_THAT(changes(snapshot), ElementsAre(std::string("charge mode Bulk") + reading));
  snapshot.voltage = 52.9;
  snapshot.charge_mode = "Bulk (Cell OVP*) & SoC Reset + Balancing \u2502 Linear Mode";
  EXPECT_THAT(changes(snapshot, 2min), IsEmpty());
  snapshot.charge_mode = "Float Transition \u2502 Linear Mode";
  EXPECT_THAT(changes(snapshot), ElementsAre(testing::StartsWith("charge mode Float Transition (52.90 V")));
}

TEST_F(EventLogTest, TellsWhyChargingStopsAndThatItGoesOn) {
  control::Snapshot snapshot = battery();
  changes(snapshot);
  snapshot.allow_charge = false;
  snapshot.charge_limitation = "Cell Voltage";
  EXPECT_THAT(changes(snapshot), ElementsAre(std::string("! charging is not allowed: Cell Voltage") + reading));
  EXPECT_THAT(changes(snapshot), IsEmpty());
  snapshot.allow_charge = true;
  EXPECT_THAT(changes(snapshot, 2min), ElementsAre(std::string("charging is allowed again") + reading));
}

TEST_F(EventLogTest, TellsAlarmsThatComeRiseAndGo) {
  control::Snapshot snapshot = battery();
  changes(snapshot);
  snapshot.alarms[Alarm::low_soc] = AlarmLevel::warning;
  EXPECT_THAT(changes(snapshot), ElementsAre(std::string("! low soc: warning") + reading));
  snapshot.alarms[Alarm::low_soc] = AlarmLevel::alarm;
  EXPECT_THAT(changes(snapshot, 2min), ElementsAre(std::string("! low soc: alarm") + reading));
  snapshot.alarms[Alarm::low_soc].reset();
  EXPECT_THAT(changes(snapshot, 2min), IsEmpty()) << "the BMS is silent: the alarm may still be there";
  snapshot.alarms[Alarm::low_soc] = AlarmLevel::ok;
  EXPECT_THAT(changes(snapshot, 2min), ElementsAre(std::string("low soc: over") + reading));
}

TEST_F(EventLogTest, FlappingIsToldOnceAMinuteWithTheLatestState) {
  control::Snapshot snapshot = battery();
  changes(snapshot);
  std::size_t lines = 0;
  for (int second = 0; second < 600; ++second) {
    snapshot.allow_discharge = second % 2 == 0;
    lines += changes(snapshot).size();
  }
  EXPECT_GT(lines, 0U);
  EXPECT_LE(lines, 10U);
  snapshot.allow_discharge = false;
  changes(snapshot, 2min);
  snapshot.allow_discharge = true;
  EXPECT_THAT(changes(snapshot, 2min), ElementsAre(std::string("discharging is allowed again") + reading));
}

TEST_F(EventLogTest, ABatteryThatKnowsNothingIsToldWithoutInventedValues) {
  control::Snapshot snapshot;
  EXPECT_THAT(changes(snapshot), ElementsAre("! charging is not allowed", "! discharging is not allowed"));
}

}  // namespace serialbattery::test
