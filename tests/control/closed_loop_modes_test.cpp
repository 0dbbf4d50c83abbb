// Charge control in the closed loop: bounds on what the modes of CVL_CONTROLLER_MODE do to a pack within a day or two.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "support/loop_controller.hpp"
#include "support/loop_grid.hpp"
#include "support/sanitizer.hpp"

namespace serialbattery::loop {
namespace {

Metrics run(const Case& one, int mode) {
  ControllerRegulator regulator(loop_config(mode), one.reporting);
  return simulate(one, regulator).metrics;
}

TEST(ClosedLoop, WithoutReactionAnUnbalancedPackTripsItsProtection) {
  const Case one{.pack = PackKind::soc5, .charger = ChargerKind::b, .balancer = BalancerKind::none, .offset = 0.05, .days = 1};
  const Metrics metrics = run(one, 0);
  EXPECT_GT(metrics.trips, 0);
  EXPECT_GT(metrics.seconds_above_3_55, 60);
}

TEST(ClosedLoop, EveryOtherModeKeepsTheProtectionFromTripping) {
  const Case one{.pack = PackKind::soc5, .charger = ChargerKind::b, .balancer = BalancerKind::none, .offset = 0.05, .days = 1};
  for (const int mode : {1, 2, 3, 4}) {
    const Metrics metrics = run(one, mode);
    EXPECT_EQ(metrics.trips, 0) << "mode " << mode;
    EXPECT_LT(metrics.highest_cell, 3.55) << "mode " << mode;
  }
}

struct Circumstances {
  const char* name;
  Reporting reporting;
  friend void PrintTo(const Circumstances& s, std::ostream* out) { *out << s.name; }
};

class OwnLaw : public testing::TestWithParam<Circumstances> {};

TEST_P(OwnLaw, HoldsTheHighestCellFloatsAndDoesNotHunt) {
  if (test::kSanitized) GTEST_SKIP() << "minutes of the same steps; the invariants check them with sanitizers";
  Grid grid;
  grid.packs = {PackKind::balanced, PackKind::soc3, PackKind::hires};
  grid.balancers = {BalancerKind::passive};
  grid.days = 1;
  grid.reporting = GetParam().reporting;
  const auto cases = cases_of(grid);
  const auto clairvoyant = clairvoyant_energies(cases, {}, 1);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& one = cases[i];
    SCOPED_TRACE(testing::Message() << to_string(one.pack) << " " << to_string(one.charger) << " " << one.offset);
    const Metrics metrics = run(one, 4);
    EXPECT_EQ(metrics.trips, 0);
    EXPECT_LE(metrics.highest_cell, 3.47);
    EXPECT_EQ(metrics.float_days, 1);
    EXPECT_LT(metrics.cvl_turns_per_hour(), 1);
    EXPECT_GT(metrics.energy, 0.997 * clairvoyant[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Readings, OwnLaw,
                         testing::Values(Circumstances{"EverySecond", {}}, Circumstances{"EveryFiveSeconds", {.poll = 5}},
                                         Circumstances{"TenMillivoltSteps", {.cell_step = 0.01}},
                                         Circumstances{"LostReadings", {.losses = true}}),
                         [](const auto& tested) { return tested.param.name; });

TEST(ClosedLoop, ResultsDoNotDependOnTheNumberOfThreads) {
  if (test::kSanitized) GTEST_SKIP() << "minutes of the same steps; the invariants check them with sanitizers";
  Grid grid;
  grid.packs = {PackKind::weak};
  grid.days = 1;
  const auto cases = cases_of(grid);
  const auto make = [](const Case& one) { return std::make_unique<ControllerRegulator>(loop_config(4), one.reporting); };
  const auto alone = simulate_all(cases, make, 1);
  const auto together = simulate_all(cases, make, 3);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(alone[i].energy, together[i].energy);
    EXPECT_EQ(alone[i].highest_cell, together[i].highest_cell);
    EXPECT_EQ(alone[i].cvl_turns, together[i].cvl_turns);
  }
}

TEST(ClosedLoop, TenthOfTheStepChangesLittleUnderControl) {
  const Case coarse{.pack = PackKind::hires, .charger = ChargerKind::b, .offset = 0.05, .days = 1};
  Case fine = coarse;
  fine.step = 0.1;
  const Metrics a = run(coarse, 4), b = run(fine, 4);
  EXPECT_NEAR(a.highest_cell, b.highest_cell, 0.005);
  EXPECT_NEAR(a.energy, b.energy, 0.001 * b.energy);
}

}  // namespace
}  // namespace serialbattery::loop
