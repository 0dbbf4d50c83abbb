// CVL_CONTROLLER_MODE 4: holds the highest cell at its target, whichever cell that is (docs/charge-control.md).
//
// The pack voltage at which the highest cell stands at the target T is N x (T - spread), with spread = highest cell - mean. The law
// publishes that, plus a slow trim for what it can not see (cable drop, error of the charger's own measurement). It falls at once, rises
// slowly, and leaves CVL alone inside a band, so that noise and clouds do not move it. It also decides when the pack is full: from the
// cells and the tapered current, not from the sum of the cells, which a charger that measures too low never reaches.
#pragma once

#include <cstddef>
#include <optional>

#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

struct LawInputs;
struct LawOutput;
enum class Fullness : unsigned char;

class CellTopLaw {
 public:
  explicit CellTopLaw(const Config& config);
  LawOutput evaluate(const LawInputs& in);

  /// CCL as a part (0..1) of its maximum: only the second line, full until the highest cell is well above the target. It is 0 from the end
  /// of the configured curve on, if that ends in 0.
  [[nodiscard]] static double charge_fraction(const Config& config, double target, double highest);

  static constexpr double kSagBelow = 0.040;  // V below the target: the highest cell is no longer at the top
  static constexpr int kPatience = 8 * 3600;  // s at the top after which an unbalanced pack counts as full

 private:
  void observe(const LawInputs& in);
  void watch_top(const LawInputs& in);
  void adjust_trim(const LawInputs& in);
  void move_level(const LawInputs& in);
  [[nodiscard]] bool held_down(const LawInputs& in) const;
  [[nodiscard]] double goal(const LawInputs& in) const;
  [[nodiscard]] bool at_top(const LawInputs& in) const;
  [[nodiscard]] bool balanced(const LawInputs& in) const;
  Fullness judge_fullness(const LawInputs& in);

  // from the configuration
  double wait_ = 0;             // s
  double balanced_below_ = 0;   // V, difference of the cells
  double bulk_difference_ = 0;  // V, difference of the cells that ends float

  // filtered measurements
  std::size_t count_ = 0;          // cells; 0: nothing seen yet
  TimePoint seen_{};               // last evaluation with cells
  double elapsed_ = 0;             // s between the last two of them, error polls included
  double top_ = 0;                 // V, highest cell
  double spread_ = 0;              // V, highest cell - mean
  double imbalance_ = 0;           // V, highest - lowest cell while hardly any current flows
  std::optional<double> current_;  // A, mean of the last minute or so
  bool regulated_ = false;         // the charger is limited by CVL

  // the controller
  bool acting_ = false;
  double sagged_for_ = 0;  // s for which the highest cell has been well below the target
  double trim_ = 0;        // V
  double level_ = 0;       // V, pack: what the law allows, finer than it is published
  double given_ = 0;       // V, pack: what it answered last

  // fullness
  bool waited_enough_ = false;  // the wait was complete while the pack was held at the top
  double lapse_ = 0;            // s since the pack last looked full
};

}  // namespace serialbattery::control
