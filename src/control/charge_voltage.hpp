// The charge voltage: bulk, absorption, float, the SoC-reset cycle, follow / hold / ramp (control.md 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/cells.hpp"
#include "control/charge_law.hpp"
#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

/// What the charge voltage depends on in one good poll.
struct ChargeVoltageInputs {
  const Cells& cells;
  std::optional<double> pack_voltage;                               // V
  std::optional<double> soc;                                        // %, in use
  std::optional<double> current, capacity;                          // A, Ah
  std::optional<double> stated_charge_voltage, stated_low_voltage;  // V, of the BMS
  bool heating = false;
  double gap_limit = 10;  // s: control.md 1.4
};

class ChargeVoltage {
 public:
  static constexpr std::size_t kLongestText = 96;
  struct Restored {
    bool allow_max = true;
    std::optional<std::int64_t> absorption_start;  // Unix s
    std::int64_t last_reset = 0;                   // Unix s, 0 = never
  };
  ChargeVoltage(const Config& config, const Restored& restored);

  /// What happened in an evaluation that others have to know.
  struct Outcome {
    bool error = false;            // error poll: 4.10
    bool full_charge = false;      // full-charge event: 4.5
    bool soc_contradicts = false;  // float begins although the SoC is not above the threshold for bulk
  };

  /// One good poll.
  Outcome evaluate(const Config& config, const ChargeVoltageInputs& in, const Now& now);

  /// An error poll: never a rise; mode, timers and permission stay. Also the safe side of an unexpected failure.
  void enter_error(const Config& config, unsigned cell_count);

  /// Charge is blocked by an invalid configuration: not above the measured pack voltage (4.8).
  void cap_to_pack_voltage(const Config& config, const ChargeVoltageInputs& in);

  /// The battery went offline: not above the float voltage or, with BLOCK_ON_DISCONNECT off, the upper edge of its window (9.2).
  void cap_offline(const Config& config, unsigned cell_count);

  [[nodiscard]] std::optional<double> voltage() const { return cv_; }             // V, internal (CV)
  [[nodiscard]] double published(const Config& config) const;                     // V, CVL; 0 before the first evaluation
  [[nodiscard]] double maximum() const { return vmax_; }                          // V, pack
  [[nodiscard]] double minimum() const { return vmin_; }                          // V, pack
  [[nodiscard]] std::optional<double> wish() const { return wish_; }              // V, what the law allows (K)
  [[nodiscard]] std::optional<double> sum() const { return sum_; }                // V, of the cells as the machine counts them (VS)
  [[nodiscard]] std::optional<double> difference() const { return difference_; }  // V, highest - lowest cell
  [[nodiscard]] double highest_allowed_cell(const Config& config) const;          // V, higher during a SoC reset
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] ChargePhase phase() const { return phase_; }
  [[nodiscard]] double transition_from() const { return transition_from_; }  // V, start of the way down to float (V0)
  [[nodiscard]] bool in_error() const { return in_error_; }
  [[nodiscard]] bool allow_max() const { return allow_max_; }
  [[nodiscard]] std::optional<double> absorption_elapsed(TimePoint now) const;  // s
  [[nodiscard]] std::optional<std::int64_t> absorption_start() const;           // Unix s, to be stored
  [[nodiscard]] bool reset_requested() const { return reset_requested_; }
  [[nodiscard]] std::int64_t last_reset() const { return last_reset_; }  // Unix s
  [[nodiscard]] unsigned full_charges() const { return full_charges_; }  // events since start
  [[nodiscard]] std::optional<TimePoint> last_limited() const { return limited_; }

 private:
  // What one evaluation works with.
  struct Pass {
    const Config& config;
    const ChargeVoltageInputs& in;
    const Now& now;
    unsigned count = 0;
    double sum = 0;                             // VS
    std::optional<double> highest{}, lowest{};  // of 4.2
    double difference = 0;
    bool sure = false;
    double target = 0;               // T
    double float_voltage = 0;        // F
    std::optional<double> before{};  // CV before this poll
    Outcome outcome{};
  };
  enum class Limiting : std::uint8_t { no, held, recovering };  // "", " (Cell OVP)", " (Cell OVP*)"

  [[nodiscard]] bool stated_maximum_in_use(const Config& config, const ChargeVoltageInputs& in) const;
  void update_pack_limits(const Config& config, const ChargeVoltageInputs& in, const Now& now);
  void update_reset_request(const Config& config, const ChargeVoltageInputs& in, const Now& now);
  bool read_inputs(Pass& pass) const;
  void check_restored_start(const Pass& pass);
  void start_wait(const Now& now);
  void stop_wait();
  void run_machine(Pass& pass, const std::optional<Fullness>& fullness);
  void decide_by_law(Pass& pass, Fullness fullness);
  void decide_without_wait(const Pass& pass);
  void decide_during_wait(Pass& pass);
  void begin_float(Pass& pass);
  Limiting follow(const Pass& pass, double wish);
  [[nodiscard]] double bounded_wish(const LawOutput& law) const;
  void run_bulk(const Pass& pass, const LawOutput& law);
  void run_float(Pass& pass, const LawOutput& law);
  void continue_transition(const Pass& pass);
  void hold_while_lost(const Pass& pass);
  [[nodiscard]] bool cell_over(const Pass& pass) const;
  [[nodiscard]] bool blind_gap(const Pass& pass) const;
  void write_bulk_text(const Pass& pass, Limiting limiting);
  void write_float_text(const Config& config);

  ChargeLaw law_;
  std::optional<double> cv_;
  ChargePhase phase_ = ChargePhase::none;
  bool in_error_ = false;
  std::string text_;
  double vmin_ = 0, vmax_ = 0;
  std::optional<double> wish_, sum_, difference_;

  bool allow_max_ = true;                       // bulk permission
  std::optional<TimePoint> wait_;               // start of absorption (ta)
  std::int64_t wait_wall_ = 0;                  // the same, Unix s, as stored
  std::optional<std::int64_t> restored_start_;  // stored start that was not looked at yet

  bool reset_requested_ = false;
  std::int64_t last_reset_ = 0;

  std::optional<TimePoint> limited_;  // last poll in which the law held CV down (tl)
  std::optional<TimePoint> stepped_;  // last step of the ramp (tp)
  double transition_from_ = 0;        // V0
  TimePoint transition_start_{};      // t0
  std::optional<TimePoint> evaluated_;
  std::optional<TimePoint> sighted_;  // last evaluation without a lost cell
  unsigned full_charges_ = 0;
};

/// `per_cell` x `count`, rounded as pack voltages are (2 decimals).
[[nodiscard]] double pack_voltage(double per_cell, unsigned count);

/// The SoC-reset cycle is configured (4.6), and the cell voltage that it charges to.
[[nodiscard]] bool soc_reset_enabled(const Config& config);
[[nodiscard]] double soc_reset_cell_voltage(const Config& config);

}  // namespace serialbattery::control
