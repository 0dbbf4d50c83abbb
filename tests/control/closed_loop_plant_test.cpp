// The simulated plant on its own: its books balance, its results do not depend on step size or luck.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "support/loop_ocv.hpp"
#include "support/loop_simulation.hpp"

namespace serialbattery::loop {

static void PrintTo(PackKind kind, std::ostream* out) {
  *out << to_string(kind);
}
static void PrintTo(ChargerKind kind, std::ostream* out) {
  *out << to_string(kind);
}
static void PrintTo(BalancerKind kind, std::ostream* out) {
  *out << to_string(kind);
}

namespace {

/// Always the same limits: the plainest controller there is.
class Constant : public Regulator {
 public:
  explicit Constant(Limits limits) : limits_(limits) {}
  Answer poll(const Battery*, const Now&) override { return {limits_, "Bulk"}; }

 private:
  Limits limits_;
};

Result run(const Case& one) {
  Constant regulator({3.45 * static_cast<double>(one.cells), 50, 60});
  return simulate(one, regulator);
}

TEST(Ocv, PassesThroughItsPointsAndNeverFalls) {
  EXPECT_DOUBLE_EQ(lifepo4().voltage(40), 3.293);
  EXPECT_DOUBLE_EQ(lifepo4().voltage(99.3), 3.447);
  EXPECT_DOUBLE_EQ(lifepo4().voltage(-2), 1.80);
  double last = 0;
  for (int i = -300; i <= 10600; ++i) {
    const double voltage = lifepo4().voltage(i / 100.0);
    EXPECT_GE(voltage, last - 1e-12) << i / 100.0;
    last = voltage;
  }
}

TEST(Ocv, IntegralIsTheAreaBelowTheCurve) {
  double area = 0;
  constexpr double width = 0.001;
  for (double soc = 90; soc < 101 - width / 2; soc += width) area += lifepo4().voltage(soc + width / 2) * width;
  EXPECT_NEAR(lifepo4().integral(101) - lifepo4().integral(90), area, 1e-6);
}

TEST(Plant, PacksAreMadeAsDescribed) {
  EXPECT_NEAR(Pack(PackKind::balanced, BalancerKind::none, 16, 40, 1).spread(), 0, 1e-9);
  EXPECT_NEAR(Pack(PackKind::soc5, BalancerKind::none, 16, 40, 1).spread(), 5, 1e-9);
  EXPECT_NEAR(Pack(PackKind::soc3, BalancerKind::none, 24, 40, 7).mean_soc(), 40, 1e-9);
  const Pack weak(PackKind::weak, BalancerKind::none, 16, 40, 1);
  EXPECT_NEAR(weak.spread(), 0, 1e-9);
  EXPECT_LT(weak.cells()[5].soc, 38);
  const Pack hires(PackKind::hires, BalancerKind::none, 16, 40, 1);
  EXPECT_GT(hires.cells()[5].ohmic_resistance, 3 * hires.cells()[4].ohmic_resistance);
}

class EnergyBalance : public testing::TestWithParam<std::tuple<PackKind, ChargerKind, BalancerKind>> {};

TEST_P(EnergyBalance, ClosesWithinTwoTenthousandths) {
  const auto [pack, charger, balancer] = GetParam();
  const Result result = run({.pack = pack, .charger = charger, .balancer = balancer, .offset = 0.05, .days = 2});
  const EnergyAccount& e = result.energy;
  const double booked = result.stored_change + e.ohmic + e.polarisation + e.balancer;
  EXPECT_GT(e.throughput, 10'000);
  EXPECT_GT(e.ohmic, 0);
  EXPECT_GT(e.polarisation, 0);
  EXPECT_NEAR(e.terminal, booked, 2e-4 * e.throughput);
}

INSTANTIATE_TEST_SUITE_P(Packs, EnergyBalance,
                         testing::Combine(testing::Values(PackKind::balanced, PackKind::soc5, PackKind::hires),
                                          testing::Values(ChargerKind::a, ChargerKind::b),
                                          testing::Values(BalancerKind::none, BalancerKind::passive, BalancerKind::active)));

TEST(Plant, BalancersCloseTheSpread) {
  const Case one{.pack = PackKind::soc1, .days = 3};
  Case without = one, active = one;
  without.balancer = BalancerKind::none;
  active.balancer = BalancerKind::active;
  EXPECT_NEAR(run(without).metrics.spread, 1, 0.01);
  EXPECT_LT(run(one).metrics.spread, 0.95);
  EXPECT_LT(run(active).metrics.spread, 0.7);
}

TEST(Plant, StepSizeHardlyMatters) {
  for (const ChargerKind charger : {ChargerKind::a, ChargerKind::b}) {
    Case coarse{.pack = PackKind::hires, .charger = charger, .days = 2};
    Case fine = coarse;
    fine.step = 0.1;
    const Metrics a = run(coarse).metrics, b = run(fine).metrics;
    EXPECT_NEAR(a.highest_cell, b.highest_cell, 0.005);
    EXPECT_NEAR(a.energy, b.energy, 0.001 * b.energy);
  }
}

TEST(Plant, SameSeedSameResult) {
  const Case one{.pack = PackKind::soc3, .reporting = {.poll = 5, .cell_step = 0.01, .losses = true}, .seed = 5};
  const Metrics a = run(one).metrics, b = run(one).metrics;
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.highest_cell, b.highest_cell);
  EXPECT_EQ(a.spread, b.spread);
  Case other = one;
  other.seed = 6;
  EXPECT_NE(run(other).metrics.energy, a.energy);
}

TEST(Plant, ProtectionTripsWhenNobodyRegulatesAndReleases) {
  const Case one{.pack = PackKind::soc5, .charger = ChargerKind::b, .balancer = BalancerKind::none, .days = 2};
  const Metrics metrics = run(one).metrics;
  EXPECT_GT(metrics.trips, 0);
  EXPECT_GT(metrics.seconds_above_3_55, 0);
  EXPECT_GT(metrics.highest_cell, 3.65);
  EXPECT_LT(metrics.highest_cell, 3.80) << "the protection must hold the cell";
}

TEST(Plant, ClairvoyantChargerIsHardToBeat) {
  const Case one{.pack = PackKind::balanced, .offset = -0.05};
  const double best = clairvoyant_energy(one, {});
  EXPECT_GT(best, 10'000);
  EXPECT_LT(run(one).metrics.energy, best);
  EXPECT_GT(run(one).metrics.energy, 0.98 * best);
}

TEST(TurnCounter, CountsOnlyTurnsBeyondTheThreshold) {
  TurnCounter counter(0.010);
  for (const double value : {1.0, 1.05, 1.045, 1.06, 1.04, 1.035, 1.039, 1.05, 1.0}) counter.add(value);
  EXPECT_EQ(counter.turns(), 3);  // down from 1.06, up from 1.035, down from 1.05
}

}  // namespace
}  // namespace serialbattery::loop
