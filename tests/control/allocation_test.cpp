// INV-19: a poll in the steady state allocates nothing. Counted by replacing the global operator new of this test program.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <cstdlib>
#include <new>

#include "support/config_text.hpp"
#include "support/control_packs.hpp"
#include "support/control_walk.hpp"
#include "support/sanitizer.hpp"

namespace {
std::size_t allocations = 0;
}

#if !SB_SANITIZED
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace serialbattery::control {
namespace {

constexpr int kWarmUp = 1000;  // s
constexpr int kCounted = 1000;

// A day in short: charging, a cell over its maximum, lost cells, a limit of the BMS, discharging.
Battery reading(int second) {
  Battery pack = test::healthy_pack(32, 3.33);
  const int phase = second % 500;
  pack.current = phase < 250 ? 20 : -20;
  if (phase > 50 && phase < 60) pack.cells[3].voltage = 3.5;
  if (phase > 200 && phase < 205) pack.cells[7].voltage.reset();
  if (phase > 300 && phase < 310) pack.limits.discharge_current = 12.5;
  if (phase > 400 && phase < 410) pack.charge_fet = false;
  return pack;
}

TEST(ControlAllocations, NoneInTheSteadyState) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer counts for itself";
  const auto config = test::config_from({{"SOC_CALCULATION", "True"}, {"MIDPOINT_ENABLE", "True"}, {"TIME_TO_SOC_POINTS", "100, 50"}});
  Controller controller(config, {.poll_interval = std::chrono::seconds(1)}, {});
  std::size_t during_polls = 0;
  for (int i = 0; i < kWarmUp + kCounted; ++i) {
    const Battery pack = reading(i);
    const std::size_t before = allocations;
    if (i % 50 < 48) {
      controller.good_poll(pack, {}, test::at_second(i));
    } else {
      controller.failed_poll({}, test::at_second(i));
    }
    if (i >= kWarmUp) during_polls += allocations - before;
  }
  EXPECT_EQ(during_polls, 0U);
  EXPECT_GT(allocations, 0U) << "the counter does not count";
}

// After any life: as soon as the same thing is said again and again, nothing is allocated.
TEST(Invariant, Inv19SteadyStateAllocatesNothing) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer counts for itself";
  test::check_walks_freely([](const test::Walk& walk) {
    const Config& config = test::random_config(walk.seed);
    test::Script script(walk.seed, config);
    Controller controller(config, {.poll_interval = std::chrono::seconds(1)}, test::random_start(walk.seed));
    test::Poll poll;
    for (int i = 0; i < walk.polls; ++i) {
      poll = script.next();
      test::live(controller, poll);
    }
    poll.user_soc.reset();
    poll.cleared_history.reset();
    constexpr int kSettled = 3;
    // The texts of times to an SoC are due now, and not again while we count.
    poll.now.mono += std::chrono::seconds(5 + config.time_to_soc_recalculate_every);
    for (int i = 0; i < kSettled + 5; ++i) {
      poll.now.mono += std::chrono::milliseconds(100);
      const std::size_t before = allocations;
      test::live(controller, poll);
      test::demand(i < kSettled || allocations == before, [&] { return fmt::format("poll {} allocates", i); });
    }
  });
}

}  // namespace
}  // namespace serialbattery::control
