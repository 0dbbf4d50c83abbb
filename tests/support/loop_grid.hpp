// Many simulated cases at once, and the table that controllers are compared by.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "support/loop_simulation.hpp"

namespace serialbattery::loop {

using RegulatorFactory = std::function<std::unique_ptr<Regulator>(const Case&)>;

/// What the cases of a grid are made of: every combination.
struct Grid {
  std::vector<std::size_t> cells = {16};
  std::vector<PackKind> packs = {PackKind::balanced, PackKind::soc1, PackKind::soc3, PackKind::soc5, PackKind::weak, PackKind::hires};
  std::vector<ChargerKind> chargers = {ChargerKind::a, ChargerKind::b};
  std::vector<BalancerKind> balancers = {BalancerKind::passive, BalancerKind::active};
  std::vector<double> offsets = {-0.05, 0.05};  // V
  int days = 3;
  Reporting reporting = {};
  double step = 1;  // s
  std::uint64_t seed = 1;
};

std::vector<Case> cases_of(const Grid& grid);

/// One result per case, in the order of the cases whatever the number of threads.
std::vector<Metrics> simulate_all(std::span<const Case> cases, const RegulatorFactory& make, unsigned threads);

/// Metrics::energy of the clairvoyant charger for each case.
std::vector<double> clairvoyant_energies(std::span<const Case> cases, const Ideal& ideal, unsigned threads);

/// Several cases in one line.
struct Summary {
  int cases = 0;
  double highest_cell = 0;  // V
  int trips = 0;
  double seconds_above_3_50 = 0, seconds_above_3_55 = 0;
  int days = 0, float_days = 0;
  Tally minutes_to_float, minutes_to_98_5;
  double cvl_turns_mean = 0, cvl_turns_worst = 0;  // per hour of charging
  double ccl_turns_mean = 0, ccl_turns_worst = 0;
  double energy_pct = 0;  // mean over the cases, % of the clairvoyant charger
  double energy_worst_pct = 0;
  double spread = 0;     // mean, %
  Tally balanced_after;  // days
};

/// `clairvoyant`: one energy for each of the results.
Summary summarise(std::span<const Metrics> results, std::span<const double> clairvoyant);

}  // namespace serialbattery::loop
