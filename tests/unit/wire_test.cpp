// Alarm tables and numbers as texts.
#include "serialbattery/wire.hpp"

#include <gtest/gtest.h>

namespace serialbattery::wire {

namespace {

constexpr AlarmBits table[] = {
    {Alarm::high_voltage, bits(0), bits(1, 5)},
    {Alarm::low_soc, bits(2), 0},
    {Alarm::fuse_blown, 0, bits(63)},
};

}  // namespace

TEST(AlarmTable, GivesEachAlarmTheHighestLevelOfItsBits) {
  Alarms alarms;
  decode_alarms(table, bits(0, 5), alarms);
  EXPECT_EQ(alarms[Alarm::high_voltage], AlarmLevel::alarm);
  EXPECT_EQ(alarms[Alarm::low_soc], AlarmLevel::ok);
  EXPECT_EQ(alarms[Alarm::low_voltage], std::nullopt);  // not in the table
  decode_alarms(table, bits(0, 2, 63), alarms);
  EXPECT_EQ(alarms[Alarm::high_voltage], AlarmLevel::warning);
  EXPECT_EQ(alarms[Alarm::low_soc], AlarmLevel::warning);
  EXPECT_EQ(alarms[Alarm::fuse_blown], AlarmLevel::alarm);
}

TEST(AlarmTable, RaisingKeepsWhatAnotherWordTold) {
  Alarms alarms;
  alarms[Alarm::high_voltage] = AlarmLevel::alarm;
  raise_alarms(table, bits(0, 2), alarms);
  EXPECT_EQ(alarms[Alarm::high_voltage], AlarmLevel::alarm);
  EXPECT_EQ(alarms[Alarm::low_soc], AlarmLevel::warning);
  EXPECT_EQ(alarms[Alarm::fuse_blown], AlarmLevel::ok);
}

TEST(AlarmTable, KnowsItsBits) {
  EXPECT_EQ(named_bits(table), bits(0, 1, 2, 5, 63));
}

TEST(Bits, BeyondTheWordAreUnset) {
  EXPECT_TRUE(bit(bits(63), 63));
  EXPECT_FALSE(bit(~std::uint64_t{0}, 64));
}

TEST(WordOf, PutsTheFirstByteLowest) {
  const ByteVector bytes{0x01, 0x02, 0x03};
  EXPECT_EQ(word_of(bytes), 0x030201U);
  EXPECT_EQ(word_of({}), 0U);
}

TEST(Decimal, IsShortestWithOneDecimalAtLeast) {
  EXPECT_EQ(decimal(170), "170.0");
  EXPECT_EQ(decimal(174.25), "174.25");
  EXPECT_EQ(decimal(0), "0.0");
  EXPECT_EQ(decimal(99.99), "99.99");
}

TEST(Within, ExcludesWhatIsOutside) {
  EXPECT_EQ(within(-40, -40, 120), -40.0);
  EXPECT_EQ(within(120.1, -40, 120), std::nullopt);
}

}  // namespace serialbattery::wire
