// The cells of the closed-loop simulation: charge, ohmic and polarisation voltage, balancer, and an account of every joule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace serialbattery::loop {

/// How the cells of a pack differ beyond the normal spread of capacity and resistance.
enum class PackKind : std::uint8_t {
  balanced,  // all cells full at the same moment
  soc1,      // missing charge spread evenly over 1 % of the capacity
  soc3,
  soc5,
  weak,   // one cell with 5 % less capacity
  hires,  // one cell with four times the ohmic resistance
};

enum class BalancerKind : std::uint8_t {
  none,
  passive,  // 0.1 A out of every high cell
  active,   // 1.5 A from the highest to the lowest cell
};

std::string_view to_string(PackKind kind);
std::string_view to_string(BalancerKind kind);

/// Energies in Wh since the start. terminal = change of stored + ohmic + polarisation + balancer.
struct EnergyAccount {
  double terminal = 0;      // into the pack, at its terminals
  double throughput = 0;    // absolute value of the same
  double ohmic = 0;         // lost
  double polarisation = 0;  // lost
  double balancer = 0;      // lost in resistors or in the converter
};

struct CellModel {
  double capacity = 0;                 // Ah
  double ohmic_resistance = 0;         // Ohm, link included
  double polarisation_resistance = 0;  // Ohm
  double soc = 0;                      // %, may leave 0..100
  double polarisation = 0;             // V
  double bleed = 0;                    // A taken out by the balancer (negative: put in)
  double ocv = 0;                      // V
  double voltage = 0;                  // V at the cell's terminals
};

class Pack {
 public:
  static constexpr double nominal_capacity = 280;  // Ah

  /// `soc`: mean state of charge at the start, %.
  Pack(PackKind kind, BalancerKind balancer, std::size_t cells, double soc, std::uint64_t seed);

  /// Moves `dt` seconds on with a constant current (A, positive charges).
  void step(double current, double dt);

  [[nodiscard]] const std::vector<CellModel>& cells() const { return cells_; }
  [[nodiscard]] double voltage() const { return voltage_; }
  /// Terminal voltage = source_voltage() + current x resistance() at this moment.
  [[nodiscard]] double source_voltage() const { return source_voltage_; }
  [[nodiscard]] double resistance() const { return resistance_; }
  [[nodiscard]] double highest() const { return highest_; }
  [[nodiscard]] double lowest() const { return lowest_; }
  [[nodiscard]] double mean_soc() const { return mean_soc_; }  // %
  /// Largest current with which no cell stands above `cell_voltage` at this moment, A.
  [[nodiscard]] double current_at(double cell_voltage) const;
  /// Difference between the cells with most and least charge missing to full, % of the nominal capacity.
  [[nodiscard]] double spread() const;
  /// Wh in the cells, above their state at the bottom of the curve; includes what the polarisation holds.
  [[nodiscard]] double stored_energy() const;
  [[nodiscard]] const EnergyAccount& energy() const { return energy_; }

 private:
  void balance();
  void refresh(double current);

  std::vector<CellModel> cells_;
  BalancerKind balancer_;
  EnergyAccount energy_;
  double decay_for_ = -1, decay_ = 0, mean_decay_ = 0;  // factors of the polarisation for a step of decay_for_ seconds
  double voltage_ = 0, source_voltage_ = 0, resistance_ = 0, highest_ = 0, lowest_ = 0, mean_soc_ = 0;
};

}  // namespace serialbattery::loop
