// Counting of internal errors: control.md 6.3.
#include "control/internal_errors.hpp"

#include <gtest/gtest.h>

namespace serialbattery::control {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(7)};

InternalErrors counted(int errors, seconds apart) {
  InternalErrors log(InternalErrors::Configuration::valid);
  for (int i = 0; i < errors; ++i) log.count(kStart + i * apart);
  return log;
}

TEST(InternalErrors, OneHundredAndEightyWithinThreeHours) {
  EXPECT_EQ(counted(179, seconds(1)).code(), std::nullopt);
  EXPECT_EQ(counted(180, seconds(60)).code(), 8);
  EXPECT_EQ(counted(180, seconds(61)).code(), std::nullopt) << "the first is older than three hours when the last comes";
}

TEST(InternalErrors, TheOldestOfTheLastCountsHoweverManyCameBefore) {
  EXPECT_EQ(counted(1000, seconds(61)).code(), std::nullopt);
  InternalErrors log = counted(200, seconds(61));
  const TimePoint storm = kStart + 200 * seconds(61);
  for (int i = 0; i < 179; ++i) log.count(storm + i * seconds(1));
  EXPECT_EQ(log.code(), 8) << "all of the last 180 within three hours";
  EXPECT_EQ(log.remembered(), 180U);
}

TEST(InternalErrors, WithdrawnByTheHourlyLookOnly) {
  InternalErrors log = counted(180, seconds(1));
  log.check_hourly(kStart + seconds(180));
  log.check_hourly(kStart + seconds(10000));
  EXPECT_EQ(log.code(), 8) << "the errors are not three hours old";
  log.check_hourly(kStart + seconds(13600));
  EXPECT_EQ(log.code(), 8) << "the next look is not due";
  log.check_hourly(kStart + seconds(13601));
  EXPECT_EQ(log.code(), std::nullopt);
}

TEST(InternalErrors, InvalidSettingsStay) {
  InternalErrors log(InternalErrors::Configuration::invalid);
  for (int i = 0; i < 180; ++i) log.count(kStart);
  EXPECT_EQ(log.code(), 119);
  log.check_hourly(kStart);
  log.check_hourly(kStart + seconds(20000));
  EXPECT_EQ(log.code(), 119);
}

}  // namespace
}  // namespace serialbattery::control
