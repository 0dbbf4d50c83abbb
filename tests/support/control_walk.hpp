// Random lives of a battery for property tests of control: configurations that the loader accepts, and sequences of polls with everything
// that can go wrong. Everything follows from a seed; a shorter walk of the same seed is the beginning of the longer one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "control/controller.hpp"
#include "control/state.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::test {

/// Small, fast random numbers (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 <= result < 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double range(double low, double high) { return low + (high - low) * unit(); }
  int whole(int low, int high) { return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1)); }
  bool chance(double probability) { return unit() < probability; }
  template <typename T>
  const T& of(std::initializer_list<T> choices) {
    return choices.begin()[next() % choices.size()];
  }

 private:
  std::uint64_t state_;
};

enum class Chemistry { any, no_soc_reset, blocked, coulomb_counting };

/// One of a pool of random configurations without errors, made by the loader (blocked: with one or both directions blocked).
[[nodiscard]] const Config& random_config(std::uint64_t seed, Chemistry chemistry = Chemistry::any);

/// What is restored at the start of a walk.
[[nodiscard]] control::Persisted random_start(std::uint64_t seed);

/// One poll and what came before it.
struct Poll {
  bool good = true;
  Battery reading;
  control::Environment environment;
  Now now;
  std::optional<double> user_soc;      // set from the GUI before the poll
  std::optional<int> cleared_history;  // group written before the poll
  Duration interval{};
};

class Script {
 public:
  Script(std::uint64_t seed, const Config& config);
  [[nodiscard]] const Poll& next();

 private:
  void move_time();
  void move_cells();
  void spoil_cells();
  void move_measurements();
  void move_switches();
  void move_limits();
  double strange_number();
  std::optional<double> perhaps(double value, double unknown);

  const Config& config_;
  Dice dice_;
  Poll poll_;
  unsigned cells_;
  double level_;   // V per cell
  double spread_;  // V
  double elapsed_ = 0;
  double pace_;  // s, usual time between polls
  std::int64_t wall_offset_ = 0;
  bool gives_cells_, gives_extremes_, gives_limits_, disturbed_;
  int good_left_ = 0, failed_left_ = 0;
};

/// The reading of this poll is taken over: the poll is good and the reading plausible as a whole.
[[nodiscard]] bool taken(const Poll& poll);

/// Lets a controller live through one poll.
void live(control::Controller& controller, const Poll& poll);

/// Values of the moment before a poll, to compare with.
struct Before {
  std::optional<double> cv, ccl, dcl;
  control::ChargePhase phase = control::ChargePhase::none;
  bool in_error = false, limited = false;
  double vmax = 0;
  std::optional<double> absorption_elapsed;
  unsigned full_charges = 0;
  Now now;
};
[[nodiscard]] Before remember(const control::Controller& controller, const Now& now);

/// Looks at a poll; throws std::runtime_error if something is wrong.
using Observer = std::function<void(const Before&, const Poll&, const control::Controller&)>;

struct Walk {
  std::uint64_t seed;
  int polls;
};

/// Runs a walk with a fresh controller.
void run_walk(const Walk& walk, Chemistry chemistry, const Observer& observe);

/// A RapidCheck property over walks: `cases` cases (at least 10 000), each with an observer of its own made by `make`.
void check_walks(Chemistry chemistry, const std::function<Observer(const Config&)>& make);

/// A RapidCheck property over single seeds, 10 000 cases.
void check_seeds(const std::function<void(std::uint64_t)>& property);
/// The same over walks, for properties that steer the controllers themselves.
void check_walks_freely(const std::function<void(const Walk&)>& property);

/// Throws with this text if the condition does not hold. The text is made only then.
template <typename Text>
void demand(bool condition, Text&& text) {
  if (!condition) throw std::runtime_error(text());
}

}  // namespace serialbattery::test
