#include "support/loop_grid.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <tuple>

namespace serialbattery::loop {
namespace {

/// Calls `work(i)` for 0 <= i < count, spread over threads.
void for_each_index(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto loop = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < threads; ++i) helpers.emplace_back(loop);
  loop();
}

}  // namespace

std::vector<Case> cases_of(const Grid& grid) {
  std::vector<Case> cases;
  for (const auto cells : grid.cells) {
    for (const auto pack : grid.packs) {
      for (const auto charger : grid.chargers) {
        for (const auto balancer : grid.balancers) {
          for (const auto offset : grid.offsets) {
            cases.push_back({cells, pack, charger, balancer, offset, grid.days, grid.reporting, grid.step, grid.seed});
          }
        }
      }
    }
  }
  return cases;
}

std::vector<Metrics> simulate_all(std::span<const Case> cases, const RegulatorFactory& make, unsigned threads) {
  std::vector<Metrics> results(cases.size());
  for_each_index(cases.size(), threads, [&](std::size_t i) {
    const auto regulator = make(cases[i]);
    results[i] = simulate(cases[i], *regulator).metrics;
  });
  return results;
}

std::vector<double> clairvoyant_energies(std::span<const Case> cases, const Ideal& ideal, unsigned threads) {
  // The clairvoyant charger has no offset and no readings: cases that differ only there share one simulation.
  const auto key = [](const Case& c) { return std::tuple(c.cells, c.pack, c.charger, c.balancer, c.days, c.step, c.seed); };
  std::map<decltype(key(cases.front())), std::size_t> index;
  std::vector<Case> distinct;
  for (const Case& one : cases) {
    if (index.emplace(key(one), distinct.size()).second) distinct.push_back(one);
  }
  std::vector<double> energies(distinct.size());
  for_each_index(distinct.size(), threads, [&](std::size_t i) { energies[i] = clairvoyant_energy(distinct[i], ideal); });
  std::vector<double> all;
  for (const Case& one : cases) all.push_back(energies[index.at(key(one))]);
  return all;
}

Summary summarise(std::span<const Metrics> results, std::span<const double> clairvoyant) {
  Summary sum;
  sum.energy_worst_pct = 1000;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Metrics& one = results[i];
    const double energy = 100 * one.energy / clairvoyant[i];
    ++sum.cases;
    sum.highest_cell = std::max(sum.highest_cell, one.highest_cell);
    sum.trips += one.trips;
    sum.seconds_above_3_50 += one.seconds_above_3_50;
    sum.seconds_above_3_55 += one.seconds_above_3_55;
    sum.days += one.days;
    sum.float_days += one.float_days;
    sum.minutes_to_float.add(one.minutes_to_float);
    sum.minutes_to_98_5.add(one.minutes_to_98_5);
    sum.cvl_turns_mean += one.cvl_turns_per_hour();
    sum.cvl_turns_worst = std::max(sum.cvl_turns_worst, one.cvl_turns_per_hour());
    sum.ccl_turns_mean += one.ccl_turns_per_hour();
    sum.ccl_turns_worst = std::max(sum.ccl_turns_worst, one.ccl_turns_per_hour());
    sum.energy_pct += energy;
    sum.energy_worst_pct = std::min(sum.energy_worst_pct, energy);
    sum.spread += one.spread;
    sum.balanced_after.add(one.balanced_after);
  }
  const double count = std::max<double>(1, sum.cases);
  sum.cvl_turns_mean /= count;
  sum.ccl_turns_mean /= count;
  sum.energy_pct /= count;
  sum.spread /= count;
  return sum;
}

}  // namespace serialbattery::loop
