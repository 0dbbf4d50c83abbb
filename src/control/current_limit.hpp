// Charge and discharge current limit (CCL, DCL): one algorithm, used twice (control.md 5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/curve.hpp"
#include "serialbattery/clock.hpp"

namespace serialbattery::control {

/// One curve of a direction.
struct LimitCurve {
  bool enabled = false;
  Curve curve;  // input -> A
  Between step = Between::lower;
};

/// The configuration of one direction.
struct LimitRules {
  double maximum = 0;  // A
  std::string_view maximum_label;
  bool step_mode = false;  // CHARGE_MODE 2
  LimitCurve cell, temperature, mosfet, soc;
  double recovery_threshold = 0;  // fraction: a limit of 0 rises only if at least this part is allowed
  double hold = 0;                // s
  double rate = 0;                // A/s; 0 = jump
  double text_refresh_every = 0;  // s: how long the text of an unchanged limit may stay
  bool blocked = false;           // by an invalid configuration
};

/// What the limit of one direction depends on. Unknown values drop out of the target; if one is *lost*, nothing rises.
struct LimitInputs {
  std::optional<double> stated;                    // A, limit stated by the BMS, >= 0
  std::optional<double> cell;                      // V: highest (charge) or lowest (discharge) cell
  std::optional<double> cell_fraction;             // 0..1 of the maximum: replaces the cell voltage curve (own law, see charge_law.hpp)
  std::optional<double> coldest, hottest, mosfet;  // degrees Celsius
  std::optional<double> soc;                       // %
  std::optional<bool> fet;                         // false: known to be off
  bool cells_lost = false, temperatures_lost = false, mosfet_lost = false, soc_lost = false;  // known earlier in this run, not now
};

/// Why a limit is what it is. In the order of the text.
enum class LimitCause : std::uint8_t { maximum, stated, cell, temperature, mosfet, soc, fet, count };

/// What a direction would allow without memory.
struct LimitTarget {
  double amperes = 0;        // 3 decimals
  std::uint32_t causes = 0;  // one bit per LimitCause
  bool blocked = false;
};

[[nodiscard]] LimitTarget limit_target(const LimitRules& rules, const LimitInputs& inputs);

class CurrentLimiter {
 public:
  /// No text is longer: room is made once.
  static constexpr std::size_t kLongestText = 96;
  CurrentLimiter() { text_.reserve(kLongestText); }

  /// One good poll. `gap_limit` in s: after a longer time without all inputs the hold starts again.
  void evaluate(const LimitRules& rules, const LimitInputs& inputs, double gap_limit, TimePoint now);

  /// Limit 0 with this text, at once; the way up is that of every recovery from 0.
  void block(std::string_view text);

  /// A; unknown before the first good poll.
  [[nodiscard]] std::optional<double> limit() const { return limit_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const LimitTarget& target() const { return target_; }
  [[nodiscard]] std::optional<TimePoint> evaluated() const { return evaluated_; }

 private:
  enum class Mark { none, held };  // " *": more would be allowed
  void cancel_recovery();
  void write_text(const LimitRules& rules, Mark mark);
  void keep(const LimitRules& rules, TimePoint now);
  void recover(const LimitRules& rules, const LimitInputs& inputs, double gap_limit, TimePoint now);

  std::optional<double> limit_;
  std::string text_;
  LimitTarget target_;
  std::optional<TimePoint> hold_;       // since when a rise has been possible
  std::optional<TimePoint> ramp_;       // start of the ramp
  double ramp_from_ = 0;                // A
  std::optional<TimePoint> text_time_;  // last poll whose target differed from the limit, or last refresh of the text
  std::optional<TimePoint> sighted_;    // last good poll with all needed inputs
  std::optional<TimePoint> evaluated_;
};

}  // namespace serialbattery::control
