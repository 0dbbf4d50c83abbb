#include "support/loop_pack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "support/loop_ocv.hpp"
#include "support/loop_random.hpp"

namespace serialbattery::loop {
namespace {

constexpr double ohmic_resistance = 0.30e-3;         // Ohm
constexpr double polarisation_resistance = 0.45e-3;  // Ohm
constexpr double polarisation_time = 240;            // s
constexpr double resistance_sigma = 0.08;
constexpr double capacity_sigma = 0.005;

constexpr double balance_from = 3.40;     // V
constexpr double balance_spread = 0.010;  // V
constexpr double passive_current = 0.1;   // A
constexpr double active_current = 1.5;    // A
constexpr double active_efficiency = 0.9;

/// Missing charge of each cell beyond that of the fullest one, Ah.
std::vector<double> missing_charge(PackKind kind, std::size_t cells, const Random& random) {
  const double spread = kind == PackKind::soc1 ? 1 : kind == PackKind::soc3 ? 3 : kind == PackKind::soc5 ? 5 : 0;
  std::vector<double> missing(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    missing[i] = Pack::nominal_capacity * spread / 100 * static_cast<double>(i) / static_cast<double>(cells - 1);
  }
  for (std::size_t i = cells - 1; i > 0; --i) {
    std::swap(missing[i], missing[static_cast<std::size_t>(random.uniform(Stream::shuffle, i) * static_cast<double>(i + 1))]);
  }
  return missing;
}

}  // namespace

std::string_view to_string(PackKind kind) {
  switch (kind) {
    case PackKind::balanced: return "balanced";
    case PackKind::soc1: return "soc1";
    case PackKind::soc3: return "soc3";
    case PackKind::soc5: return "soc5";
    case PackKind::weak: return "weak";
    case PackKind::hires: return "hires";
  }
  return "";
}

std::string_view to_string(BalancerKind kind) {
  switch (kind) {
    case BalancerKind::none: return "none";
    case BalancerKind::passive: return "passive";
    case BalancerKind::active: return "active";
  }
  return "";
}

Pack::Pack(PackKind kind, BalancerKind balancer, std::size_t cells, double soc, std::uint64_t seed) : cells_(cells), balancer_(balancer) {
  const Random random(seed);
  const auto missing = missing_charge(kind, cells, random);
  const std::size_t odd_one = cells / 3;  // the weak or the high-resistance cell
  double missing_share = 0, inverse_capacity = 0;
  for (std::size_t i = 0; i < cells; ++i) {
    CellModel& cell = cells_[i];
    cell.capacity = nominal_capacity * (1 + capacity_sigma * random.normal(Stream::capacity, i));
    cell.ohmic_resistance = ohmic_resistance * (1 + resistance_sigma * random.normal(Stream::resistance, i));
    cell.polarisation_resistance = polarisation_resistance * (1 + resistance_sigma * random.normal(Stream::polarisation, i));
    if (kind == PackKind::weak && i == odd_one) cell.capacity *= 0.95;
    if (kind == PackKind::hires && i == odd_one) cell.ohmic_resistance *= 4;
    missing_share += missing[i] / cell.capacity;
    inverse_capacity += 1 / cell.capacity;
    resistance_ += cell.ohmic_resistance;
  }
  // The charge missing in the fullest cell so that the mean state of charge is as wanted.
  const double common = (static_cast<double>(cells) * (1 - soc / 100) - missing_share) / inverse_capacity;
  for (std::size_t i = 0; i < cells; ++i) {
    cells_[i].soc = 100 * (1 - (common + missing[i]) / cells_[i].capacity);
    cells_[i].ocv = lifepo4().voltage(cells_[i].soc);
  }
  refresh(0);
}

void Pack::balance() {
  if (balancer_ == BalancerKind::none || highest_ <= balance_from) {
    for (CellModel& cell : cells_) cell.bleed = 0;
  } else if (balancer_ == BalancerKind::passive) {
    const double from = std::max(balance_from, lowest_ + balance_spread);
    for (CellModel& cell : cells_) cell.bleed = cell.voltage > from ? passive_current : 0;
  } else {
    for (CellModel& cell : cells_) cell.bleed = 0;
    if (highest_ - lowest_ <= balance_spread) return;
    const auto [low, high] = std::minmax_element(cells_.begin(), cells_.end(), [](auto& a, auto& b) { return a.voltage < b.voltage; });
    high->bleed = active_current;
    low->bleed = -active_current * active_efficiency * high->voltage / low->voltage;
  }
}

void Pack::step(double current, double dt) {
  if (dt != decay_for_) {
    decay_for_ = dt;
    decay_ = std::exp(-dt / polarisation_time);
    mean_decay_ = (1 - decay_) * polarisation_time / dt;
  }
  balance();
  const double hours = dt / 3600;
  double terminal = 0;
  for (CellModel& cell : cells_) {
    const double through = current - cell.bleed;
    const double settled = through * cell.polarisation_resistance;
    const double excess = cell.polarisation - settled;  // decays; the mean over the step follows from the exponential
    const double mean_polarisation = settled + excess * mean_decay_;
    const double mean_square =
        settled * settled + 2 * settled * excess * mean_decay_ + excess * excess * (1 - decay_ * decay_) * polarisation_time / (2 * dt);
    const double ocv_before = cell.ocv;
    cell.soc += through * hours / cell.capacity * 100;
    cell.ocv = lifepo4().voltage(cell.soc);
    cell.polarisation = settled + excess * decay_;
    const double voltage = (ocv_before + cell.ocv) / 2 + mean_polarisation + through * cell.ohmic_resistance;
    terminal += voltage * current * hours;
    energy_.ohmic += through * through * cell.ohmic_resistance * hours;
    energy_.polarisation += mean_square / cell.polarisation_resistance * hours;
    energy_.balancer += voltage * cell.bleed * hours;
  }
  energy_.terminal += terminal;
  energy_.throughput += std::abs(terminal);
  refresh(current);
}

void Pack::refresh(double current) {
  voltage_ = source_voltage_ = mean_soc_ = 0;
  highest_ = -std::numeric_limits<double>::infinity();
  lowest_ = std::numeric_limits<double>::infinity();
  for (CellModel& cell : cells_) {
    const double source = cell.ocv + cell.polarisation - cell.bleed * cell.ohmic_resistance;
    cell.voltage = source + current * cell.ohmic_resistance;
    source_voltage_ += source;
    voltage_ += cell.voltage;
    mean_soc_ += cell.soc;
    highest_ = std::max(highest_, cell.voltage);
    lowest_ = std::min(lowest_, cell.voltage);
  }
  mean_soc_ /= static_cast<double>(cells_.size());
}

double Pack::current_at(double cell_voltage) const {
  double current = std::numeric_limits<double>::infinity();
  for (const CellModel& cell : cells_) {
    current = std::min(current, (cell_voltage - cell.ocv - cell.polarisation) / cell.ohmic_resistance + cell.bleed);
  }
  return current;
}

double Pack::spread() const {
  const auto missing = [](const CellModel& cell) { return cell.capacity * (1 - cell.soc / 100); };
  const auto [least, most] = std::minmax_element(cells_.begin(), cells_.end(), [&](auto& a, auto& b) { return missing(a) < missing(b); });
  return (missing(*most) - missing(*least)) / nominal_capacity * 100;
}

double Pack::stored_energy() const {
  double energy = 0;
  for (const CellModel& cell : cells_) {
    const double farads = polarisation_time / cell.polarisation_resistance;
    energy += cell.capacity / 100 * lifepo4().integral(cell.soc) + farads * cell.polarisation * cell.polarisation / 2 / 3600;
  }
  return energy;
}

}  // namespace serialbattery::loop
