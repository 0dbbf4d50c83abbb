// An absorption that begins anew with every poll must not rewrite the settings file every second.
#include <gtest/gtest.h>

#include "venus/save_cadence.hpp"

namespace serialbattery::venus {

TEST(AbsorptionCadence, RestartsAreWrittenOnceAMinuteButBeginAndEndAtOnce) {
  const TimePoint start{std::chrono::hours(1)};
  control::Persisted state;
  SaveCadence cadence(state, start);
  state.max_voltage_start_time = 1000;
  EXPECT_EQ(cadence.due(state, Occasion::poll, start).size(), 1U);
  std::size_t writes = 0;
  for (int second = 1; second <= 600; ++second) {
    state.max_voltage_start_time = 1000 + second;
    writes += cadence.due(state, Occasion::poll, start + std::chrono::seconds(second)).size();
  }
  EXPECT_LE(writes, 10U);
  EXPECT_GE(writes, 9U);
  state.max_voltage_start_time.reset();
  EXPECT_EQ(cadence.due(state, Occasion::poll, start + std::chrono::seconds(601)).size(), 1U);
}

}  // namespace serialbattery::venus
