// Control of one battery: (reading, configuration, state, now) -> (snapshot, state).
//
// Pure: reads no clock, file or bus. spec control.md; one call per poll, good or failed.
#pragma once

#include <memory>
#include <optional>

#include "control/persisted.hpp"
#include "control/snapshot.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/clock.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::control {

/// External sensor on the bus, control.md 3.2 and 3.3. nullopt: absent, not configured, or invalid.
struct ExternalSensor {
  std::optional<double> current;  // A
  std::optional<double> soc;      // %
};

/// Settings of the ESS assistant, control.md 7. Members that do not exist on the bus are nullopt.
struct EssSettings {
  std::optional<int> hub4_mode;
  std::optional<int> battery_life_state;
  std::optional<int> minimum_soc_limit;
  std::optional<int> soc_limit;
};

/// What comes from outside the BMS in one poll.
struct Environment {
  ExternalSensor sensor;
  EssSettings ess;
};

/// One flag per figure of the history.
using HistoryFlags = EnumArray<HistoryValue, bool>;

/// Facts about the battery that do not change while it is connected.
struct Traits {
  bool can_reset_soc = false;     // AUTO_RESET_SOC concerns this BMS type
  Duration poll_interval{};       // for the gap limit; updated by set_poll_interval()
  HistoryFlags counted_by_bms{};  // figures that the BMS keeps itself; those that a reading delivers are added by themselves
};

/// The steps of one poll (control.md 1.2). A failure inside one of them stays inside it.
enum class Step : std::uint8_t {
  take,
  link,
  flow,
  soc,
  temperature,
  charge_voltage,
  limits,
  error_check,
  state,
  permissions,
  midpoint,
  average,
  time_to_go,
  history,
  snapshot,
  count
};

/// Groups of /History/Clear.
enum class HistoryGroup : int { all = 1, capacity = 2, voltages = 3, time = 4, alarms = 5, temperatures = 6, energies = 7 };

class Controller {
 public:
  Controller(const Config& config, const Traits& traits, const Persisted& restored);
  ~Controller();
  Controller(const Controller&);  // a copy continues exactly like the original (INV-15)
  Controller& operator=(const Controller&) = delete;

  /// A complete, plausible reading came. Returns what to publish, valid until the next call. A reading that is implausible as a whole
  /// (control.md 2.2) is refused: it counts as a failed poll.
  const Snapshot& good_poll(const Battery& reading, const Environment& environment, const Now& now);

  /// The BMS did not deliver a reading in this poll.
  const Snapshot& failed_poll(const Environment& environment, const Now& now);

  /// After failed_poll(): the service has to leave (control.md 9.2); the snapshot still has to be published.
  [[nodiscard]] bool must_leave() const;

  /// SoC set from the GUI (SOC_CALCULATION is on); takes effect with the next good poll. Clamped to 0..100.
  void set_soc(double percent);

  /// /History/Clear; any other number than the groups does nothing. The snapshot shows it at once.
  const Snapshot& clear_history(int group, const Now& now);

  /// True once after the full-charge event if the BMS shall be told "SoC = 100 %" (AUTO_RESET_SOC).
  bool take_soc_reset_request();

  void set_poll_interval(Duration interval);
  [[nodiscard]] Persisted persisted(const Now& now) const;
  [[nodiscard]] const Snapshot& snapshot() const;

  /// Counts one internal (non-fatal) error that happened outside control (control.md 6.3).
  void count_internal_error(const Now& now);

  /// For tests: called before every step; what it throws is an unexpected internal error of that step.
  using StepProbe = void (*)(Step);
  void probe_steps(StepProbe probe);

  struct State;
  /// For tests and debug output: the complete state of the controllers (control/state.hpp).
  [[nodiscard]] const State& state() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace serialbattery::control
