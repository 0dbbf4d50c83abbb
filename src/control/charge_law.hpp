// How the charge voltage reacts to a cell above its target: the laws of CVL_CONTROLLER_MODE (control.md 4.4).
//
// A law is a small copyable value type; all of them stand in one std::variant, so that the state of control stays one copyable value.
// A law offers
//
//     LawOutput evaluate(const LawInputs&);
//
// called once in every good poll that is not an error poll, whatever the phase (bulk, absorption or float). What it returns decides how
// much of the ordinary machine it uses:
//
//   wish             the pack voltage that it would allow (K). Bounded afterwards to min(Vmin, Vmax)..Vmax and rounded to 6 decimals; used
//                    in bulk and absorption.
//   own_pace         false: CV follows K by the rules of the table "Follow": falls at once, rises after CVL_RECOVERY_HOLD_SEC at
//                    CVL_RECOVERY_RATE_V_PER_SEC. true: CV = K in the same poll in both directions; the law's own rates are in K already,
//                    and in float CV is at most K.
//   fullness         unknown: the conditions of control.md 4.3 start, stop and end the wait. Otherwise the law does: `waiting` starts the
//                    wait or lets it go on (it is shown as absorption and survives a restart), `no` stops it, `full` begins float in
//                    this poll if bulk is permitted and all cells are known.
//
// A law may replace the configured curve of CCL over the highest cell: charge_fraction() below.
//
// What holds for every law, because the machine does it: the bounds of K, no rise while a cell is lost (4.7), error polls (4.10; the law is
// not called), the block by a configuration error (4.8), the SoC-reset cycle (4.6), the way back from float to bulk (4.3), the cap of an
// outage (9.2). After one of those has lowered CV, the law sees the lower value in LawInputs::cv at its next call.
//
// To add a law: write the type here or in a file of its own, add it to `ChargeLaw` and to make_charge_law().
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "control/cell_top_law.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

/// Phases of the charge voltage.
enum class ChargePhase : std::uint8_t { none, bulk, absorption, float_transition, float_voltage, constant };

[[nodiscard]] constexpr bool is_float(ChargePhase phase) {
  return phase == ChargePhase::float_transition || phase == ChargePhase::float_voltage;
}

/// What a law sees. References and pointers are valid during the call only.
struct LawInputs {
  const std::vector<Cell>& cells;         // cells 1..N; unknown and implausible voltages are unknown, 0 V is a disconnected wire
  std::optional<double> highest;          // V, stricter of BMS and cells; unknown: no law can act
  std::optional<double> lowest;           // V
  double sum = 0;                         // V, all cells, missing ones at the mean of the others (VS)
  double target = 0;                      // V: highest allowed cell voltage (T), higher during a SoC reset
  double float_voltage = 0;               // V, pack (F)
  double vmin = 0, vmax = 0;              // V, pack
  std::optional<double> cv;               // V, present controller voltage
  double published = 0;                   // V, CVL as last published
  std::optional<double> current;          // A, positive while charging
  std::optional<double> capacity;         // Ah
  double elapsed = 0;                     // s since the last evaluation, 1 if there was none; not bounded
  std::optional<double> waited;           // s since the wait for float began (absorption); unknown: it does not run
  ChargePhase phase = ChargePhase::none;  // of the last poll
  bool sure = false;                      // all cells known: full charge may be recognised
  TimePoint now;
};

/// What a law thinks of the charge.
enum class Fullness : unsigned char { no, waiting, full };

struct LawOutput {
  double wish = 0;  // V, pack
  bool own_pace = false;
  std::optional<Fullness> fullness{};
};

/// Mode 0: no reaction.
struct NoLaw {
  LawOutput evaluate(const LawInputs& in) const;
};

/// Mode 1: the sum of the cells less the sum of their excess.
struct PenaltySum {
  LawOutput evaluate(const LawInputs& in) const;
};

/// Mode 2: integrates the excess of the highest cell.
struct Integrator {
  double offset = 0;  // V, SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF
  double gain = 0;    // V per V and s
  LawOutput evaluate(const LawInputs& in) const;
};

/// Mode 3: the sum of the cells, each counted at most at the target, and 10 mV.
struct ClippedSum {
  LawOutput evaluate(const LawInputs& in) const;
};

using ChargeLaw = std::variant<NoLaw, PenaltySum, Integrator, ClippedSum, CellTopLaw>;

[[nodiscard]] ChargeLaw make_charge_law(const Config& config);

/// The law decides by LawOutput::fullness when the pack is full.
[[nodiscard]] inline bool judges_fullness(const ChargeLaw& law) {
  return std::holds_alternative<CellTopLaw>(law);
}

/// CCL as a part (0..1) of its maximum, in place of the configured curve over the highest cell; unknown: that curve acts.
[[nodiscard]] std::optional<double> charge_fraction(const Config& config, double target, std::optional<double> highest);

[[nodiscard]] inline LawOutput evaluate(ChargeLaw& law, const LawInputs& in) {
  return std::visit([&in](auto& one) { return one.evaluate(in); }, law);
}

}  // namespace serialbattery::control
