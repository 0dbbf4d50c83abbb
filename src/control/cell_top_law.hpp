// CVL_CONTROLLER_MODE 4: holds the highest cell at its target, whichever cell that is (docs/charge-control.md).
//
// The pack voltage at which the highest cell stands at the target T is N x (T - spread), with spread = highest cell - mean. The law
// publishes that, plus a slow trim for what it can not see (cable drop, error of the charger's own measurement). It falls at once, rises
// slowly, and leaves CVL alone inside a band, so that noise and clouds do not move it. It also decides when the pack is full: from the
// cells and the tapered current, not from the sum of the cells, which a charger that measures too low never reaches.
#pragma once

#include <optional>

#include "serialbattery/config.hpp"

namespace serialbattery::control {

struct LawInputs;
struct LawOutput;
enum class Fullness : unsigned char;

class CellTopLaw {
 public:
  explicit CellTopLaw(const Config& config);
  LawOutput evaluate(const LawInputs& in);

 private:
  void observe(const LawInputs& in);
  void watch_top(const LawInputs& in);
  void adjust_trim(const LawInputs& in);
  void move_level(const LawInputs& in);
  [[nodiscard]] double goal(const LawInputs& in) const;
  [[nodiscard]] bool at_top(const LawInputs& in) const;
  [[nodiscard]] bool balanced(const LawInputs& in) const;
  Fullness judge_fullness(const LawInputs& in);
  [[nodiscard]] double charge_fraction(const LawInputs& in) const;

  // from the configuration
  double wait_ = 0;                        // s
  double balanced_below_ = 0;              // V, difference of the cells
  double bulk_difference_ = 0;             // V, difference of the cells that ends float
  std::optional<double> zero_current_at_;  // V per cell: where the configured curve of CCL ends in 0
  bool limits_current_ = false;

  // filtered measurements
  bool started_ = false;
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
