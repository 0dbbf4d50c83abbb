// What control makes of the cell voltages of one reading: plausibility, extremes, sum, completeness (control.md 2.3 to 2.5).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "serialbattery/battery.hpp"

namespace serialbattery::control {

/// The cells of the last good reading, and the memory of which cells were ever known in this run.
class Cells {
 public:
  /// Takes a cleaned reading over. `plausible`: largest believable voltage of a cell, 2 x MAX_CELL_VOLTAGE.
  void take(const Battery& reading, double plausible);

  /// Number of cells in series; 0 before the first reading that tells it. The last number stays if a reading does not tell it.
  [[nodiscard]] unsigned count() const { return count_; }
  /// The number of cells changed with the last reading.
  [[nodiscard]] bool count_changed() const { return count_changed_; }
  /// Cells 1..count(); unknown and implausible voltages are unknown.
  [[nodiscard]] const std::vector<Cell>& cells() const { return cells_; }

  [[nodiscard]] std::size_t known() const { return known_; }
  /// At least one voltage was given for a cell, though perhaps an implausible one.
  [[nodiscard]] bool given() const { return given_; }
  /// Exactly count() cells were given, every one known and > 0.
  [[nodiscard]] bool complete() const { return complete_; }
  /// The reading has exactly count() entries for cells, whatever they hold.
  [[nodiscard]] bool exact_number() const { return exact_number_; }
  /// A cell that was known in an earlier reading is not known now.
  [[nodiscard]] bool lost() const { return lost_; }
  /// Some cell was known in an earlier reading of this run.
  [[nodiscard]] bool known_before() const { return known_before_; }

  /// Mean of the known cells x count(), V, 6 decimals; unknown without known cells.
  [[nodiscard]] std::optional<double> sum() const { return sum_; }
  /// Of the individual cells; 0-based index of the first cell that has the extreme value.
  [[nodiscard]] std::optional<std::size_t> lowest_index() const { return lowest_; }
  [[nodiscard]] std::optional<std::size_t> highest_index() const { return highest_; }
  /// For display, the zero rule, the disconnect verdict and the history: what the BMS states, else the cells.
  [[nodiscard]] std::optional<double> shown_lowest() const { return shown_lowest_; }
  [[nodiscard]] std::optional<double> shown_highest() const { return shown_highest_; }
  /// For control: the stricter of what the BMS states and the cells.
  [[nodiscard]] std::optional<double> control_lowest() const { return control_lowest_; }
  [[nodiscard]] std::optional<double> control_highest() const { return control_highest_; }
  /// The BMS states both extremes, plausibly.
  [[nodiscard]] bool extremes_stated() const { return extremes_stated_; }
  [[nodiscard]] bool balancing() const { return balancing_; }

 private:
  void take_voltages(const Battery& reading, double plausible);
  void find_extremes(const Battery& reading, double plausible);

  unsigned count_ = 0;
  bool count_changed_ = false;
  std::vector<Cell> cells_;
  std::vector<char> ever_known_;  // one flag per cell; emptied when the number of cells changes
  bool any_ever_known_ = false;
  std::size_t known_ = 0;
  bool given_ = false, complete_ = false, exact_number_ = false, lost_ = false, known_before_ = false, extremes_stated_ = false;
  bool balancing_ = false;
  std::optional<double> sum_, shown_lowest_, shown_highest_, control_lowest_, control_highest_;
  std::optional<std::size_t> lowest_, highest_;
};

/// A copy of `reading` without non-finite numbers and with the limits that the BMS states in their bounds (control.md 1.1, 2.1).
/// Re-uses the memory of `into`.
void take_cleaned(Battery& into, const Battery& reading);

}  // namespace serialbattery::control
