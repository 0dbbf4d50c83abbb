// Invariants of state, counters and numbers (control.md 13) over random lives of a battery.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <locale>

#include "control/numbers.hpp"
#include "control/state.hpp"
#include "support/control_packs.hpp"
#include "support/control_walk.hpp"

namespace serialbattery::test {
namespace {

using namespace control;
using enum HistoryValue;

constexpr std::array kCounters{total_ah_drawn,  discharged_energy,  charged_energy,     full_discharges,
                               automatic_syncs, low_voltage_alarms, high_voltage_alarms};

TEST(Invariant, Inv12CountersNeverRunBackwards) {
  check_walks(Chemistry::coulomb_counting, [](const Config&) -> Observer {
    struct Memory {
      History history;
      HistoryFlags delivered{};
    };
    auto memory = std::make_shared<Memory>();
    return [memory](const Before&, const Poll& poll, const Controller& c) {
      const auto& out = c.snapshot();
      demand(!out.soc || (*out.soc >= 0 && *out.soc <= 100), [&] { return fmt::format("SoC {}", *out.soc); });
      for (const auto counter : kCounters) {
        if (poll.reading.history[counter]) memory->delivered[counter] = true;
        const auto& then = memory->history[counter];
        const auto& now = out.history[counter];
        if (poll.cleared_history || memory->delivered[counter]) continue;
        demand(!then || (now && *now >= *then), [&] { return fmt::format("counter {} falls below {}", static_cast<int>(counter), *then); });
      }
      memory->history = out.history;
    };
  });
}

// Everything that the wall clock may change is left out: stored times and the suppression of alarms.
Snapshot without_wall_clock(const Snapshot& snapshot) {
  Snapshot result = snapshot;
  result.history[timestamp_last_full_charge].reset();
  result.time_since_last_full_charge.reset();
  result.alarms = {};
  result.debug.reset();  // shows the clock
  return result;
}

TEST(Invariant, Inv13WallClockChangesNothing) {
  check_walks_freely([](const Walk& walk) {
    const Config& config = random_config(walk.seed, Chemistry::no_soc_reset);
    Script script(walk.seed, config);
    Dice dice(walk.seed ^ 0x3a11);
    Persisted start = random_start(walk.seed);
    start.max_voltage_start_time.reset();
    Controller steady(config, {.poll_interval = std::chrono::seconds(1)}, start);
    Controller jumping(config, {.poll_interval = std::chrono::seconds(1)}, start);
    std::int64_t offset = 0;
    for (int i = 0; i < walk.polls; ++i) {
      Poll poll = script.next();
      live(steady, poll);
      if (dice.chance(0.3)) offset = dice.of<std::int64_t>({0, 3600, -3600, 400 * 86400, -1700000000, 1LL << 40});
      poll.now.wall += offset;
      live(jumping, poll);
      demand(without_wall_clock(steady.snapshot()) == without_wall_clock(jumping.snapshot()),
             [&] { return fmt::format("poll {} depends on the wall clock", i); });
    }
  });
}

void demand_proper(double value, const char* name) {
  demand(std::isfinite(value), [&] { return fmt::format("{} is not finite", name); });
  demand(value != 0 || !std::signbit(value), [&] { return fmt::format("{} is -0", name); });
}
void demand_proper(const std::optional<double>& value, const char* name) {
  if (value) demand_proper(*value, name);
}

void demand_proper_numbers(const Controller& c) {
  const auto& s = c.snapshot();
  demand_proper(s.voltage, "voltage");
  demand_proper(s.current, "current");
  demand_proper(s.power, "power");
  demand_proper(s.current_avg, "average current");
  demand_proper(s.soc, "SoC");
  demand_proper(s.soc_bms, "SoC of the BMS");
  demand_proper(s.soh, "SoH");
  demand_proper(s.capacity, "capacity");
  demand_proper(s.capacity_bms, "capacity of the BMS");
  demand_proper(s.installed_capacity, "installed capacity");
  demand_proper(s.consumed_ah, "consumed");
  demand_proper(s.consumed_ah_bms, "consumed (BMS)");
  demand_proper(s.mid_voltage, "midpoint");
  demand_proper(s.mid_voltage_deviation, "midpoint deviation");
  demand_proper(s.cell_sum, "sum");
  demand_proper(s.cell_diff, "difference");
  demand_proper(s.min_cell_voltage, "lowest cell");
  demand_proper(s.max_cell_voltage, "highest cell");
  for (const auto& cell : s.cells) demand_proper(cell.voltage, "cell");
  for (const auto& temperature : s.temperatures) demand_proper(temperature, "temperature");
  demand_proper(s.mos_temperature, "MOSFET temperature");
  demand_proper(s.temperature, "battery temperature");
  demand_proper(s.min_temperature, "lowest temperature");
  demand_proper(s.max_temperature, "highest temperature");
  demand_proper(s.cvl, "CVL");
  demand_proper(s.max_cell_charge_voltage, "CVL per cell");
  demand_proper(s.low_voltage, "low voltage");
  demand_proper(s.ccl, "CCL");
  demand_proper(s.dcl, "DCL");
  for (const auto& value : s.history) demand_proper(value, "history");
}

// No step failed unexpectedly: those failures are caught, but they would stand in `reported`.
void demand_no_failure(const Controller& c) {
  constexpr std::uint32_t kSteps = (1U << static_cast<unsigned>(Step::count)) - 1;
  demand((c.state().reported & kSteps) == 0, [&] { return fmt::format("a step failed: {:b}", c.state().reported); });
}

TEST(Invariant, Inv14NumbersAreProper) {
  check_walks(Chemistry::any, [](const Config&) -> Observer {
    return [](const Before&, const Poll&, const Controller& c) {
      demand_proper_numbers(c);
      demand_no_failure(c);
    };
  });
}

// Makes any subset of a healthy reading unknown.
void hide(Battery& reading, std::uint64_t mask) {
  int bit = 0;
  const auto hidden = [&] { return ((mask >> bit++) & 1) != 0; };
  for (auto* value : {&reading.voltage, &reading.current, &reading.soc, &reading.soh, &reading.capacity, &reading.capacity_remaining,
                      &reading.cell_min, &reading.cell_max, &reading.mos_temperature, &reading.limits.charge_current,
                      &reading.limits.discharge_current, &reading.limits.charge_voltage, &reading.limits.low_voltage}) {
    if (hidden()) value->reset();
  }
  for (auto& temperature : reading.temperatures) {
    if (hidden()) temperature.reset();
  }
  for (auto* flag : {&reading.charge_fet, &reading.discharge_fet, &reading.balance_fet, &reading.balancing}) {
    if (hidden()) flag->reset();
  }
  if (hidden()) reading.cells.clear();
  if (hidden()) reading.cell_count.reset();
  for (auto& cell : reading.cells) {
    if (hidden()) cell.voltage.reset();
  }
  if (hidden()) reading.alarms = {};
}

TEST(Invariant, Inv14AnyCombinationOfMissingValues) {
  check_seeds([](std::uint64_t seed) {
    Dice dice(seed);
    const Config& config = random_config(seed);
    Controller controller(config, {.poll_interval = std::chrono::seconds(1)}, random_start(seed));
    for (int i = 0; i < 6; ++i) {
      Battery reading = healthy_pack(4, dice.range(2.8, 3.7));
      reading.cell_min = 3.3;
      reading.cell_max = 3.31;
      reading.capacity_remaining = 40;
      hide(reading, dice.next() & dice.next());
      controller.good_poll(reading, {}, at_second(i * 40.0));
      demand_proper_numbers(controller);
      demand_no_failure(controller);
    }
  });
}

TEST(Invariant, Inv15CopyContinuesLikeTheOriginal) {
  check_walks_freely([](const Walk& walk) {
    const Config& config = random_config(walk.seed);
    Script script(walk.seed, config);
    Controller original(config, {.poll_interval = std::chrono::seconds(1)}, random_start(walk.seed));
    const int split = static_cast<int>(walk.seed % static_cast<std::uint64_t>(walk.polls));
    for (int i = 0; i < split; ++i) live(original, script.next());
    Controller copy(original);
    for (int i = split; i < walk.polls; ++i) {
      const Poll& poll = script.next();
      live(original, poll);
      live(copy, poll);
      demand(original.snapshot() == copy.snapshot(), [&] { return fmt::format("poll {}: the copy differs", i); });
      demand(original.persisted(poll.now) == copy.persisted(poll.now), [] { return "the copy would store something else"; });
      demand(original.must_leave() == copy.must_leave(), [] { return "the copy leaves differently"; });
    }
  });
}

// A restart from the stored state, in the moment and with the reading of the last poll (control.md 10 b).
void demand_restart_equivalence(const Config& config, const Poll& poll, const Controller& running) {
  Controller before(running);
  Controller restarted(config, {.poll_interval = poll.interval}, running.persisted(poll.now));
  before.good_poll(poll.reading, poll.environment, poll.now);
  restarted.good_poll(poll.reading, poll.environment, poll.now);
  if (restarted.state().cells.count() == 0 || restarted.state().charge_voltage.in_error() || before.state().charge_voltage.in_error())
    return;
  const auto& a = before.state();
  const auto& b = restarted.state();
  demand(a.charge_voltage.last_reset() == b.charge_voltage.last_reset(), [] { return "last SoC reset differs"; });
  demand(b.charge_voltage.full_charges() == 0, [] { return "a full charge happens twice"; });
  for (const auto counter : {full_discharges, automatic_syncs, low_voltage_alarms, high_voltage_alarms}) {
    if (a.history.values()[counter] && !poll.reading.history[counter] && config.history_enable) {
      demand(a.history.values()[counter] == b.history.values()[counter] || counter == full_discharges,
             [&] { return fmt::format("counter {} differs", static_cast<int>(counter)); });
    }
  }
  // The zero timer is not stored on purpose: an empty battery is recognised again a minute after the restart.
  const auto soc = before.persisted(poll.now).soc_calc;
  const auto restarted_soc = restarted.persisted(poll.now).soc_calc;
  if (soc && restarted_soc && !running.state().soc.zero_timer() && poll.reading.capacity.value_or(0) > 1) {
    demand(std::fabs(*soc - *restarted_soc) <= 0.5, [&] { return fmt::format("SoC {} becomes {}", *soc, *restarted_soc); });
  }
  demand(b.charge_limit.limit() == b.charge_limit.target().amperes, [] { return "CCL is not its target at once"; });
  const auto& voltage = b.charge_voltage;
  const bool bulk = voltage.phase() == ChargePhase::bulk || voltage.phase() == ChargePhase::absorption;
  if (bulk && !config.blocked.charge) demand(*voltage.voltage() <= *voltage.wish(), [] { return "CV above the wish after a restart"; });
  // The wait goes on where the stored start is believable with this reading; a pack out of balance starts it anew in both.
  const auto waited = a.charge_voltage.absorption_elapsed(poll.now.mono);
  const auto waits = voltage.absorption_elapsed(poll.now.mono);
  if (waited && waits && *waited > 1) {
    demand(std::fabs(*waited - *waits) <= 1.001, [&] { return fmt::format("the wait of {} s becomes {} s", *waited, *waits); });
  }
  if (waited && !waits && *waited > 1) demand(voltage.phase() != ChargePhase::absorption, [] { return "the wait is lost"; });
}

TEST(Invariant, Inv15RestartFromTheStoredState) {
  check_walks_freely([](const Walk& walk) {
    const Config& config = random_config(walk.seed, Chemistry::no_soc_reset);
    Script script(walk.seed, config);
    Controller running(config, {.poll_interval = std::chrono::seconds(1)}, random_start(walk.seed));
    Poll last;
    for (int i = 0; i < walk.polls; ++i) {
      last = script.next();
      last.now = with_steady_wall(last.now);  // a wait that was stored before the clock was set can not be found again
      live(running, last);
    }
    if (taken(last)) demand_restart_equivalence(config, last, running);
  });
}

// A decimal comma and thousands separators everywhere.
class OddNumbers : public std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '\''; }
  std::string do_grouping() const override { return "\1"; }
};

TEST(Invariant, Inv20SameInputSameOutput) {
  check_walks_freely([](const Walk& walk) {
    const Config& config = random_config(walk.seed);
    Script script(walk.seed, config);
    Controller first(config, {.poll_interval = std::chrono::seconds(1)}, random_start(walk.seed));
    Controller second(config, {.poll_interval = std::chrono::seconds(1)}, random_start(walk.seed));
    const std::locale usual;
    const std::locale odd(usual, new OddNumbers);
    for (int i = 0; i < walk.polls; ++i) {
      const Poll& poll = script.next();
      live(first, poll);
      std::locale::global(odd);
      live(second, poll);
      std::locale::global(usual);
      demand(first.snapshot() == second.snapshot(), [&] { return fmt::format("poll {} differs", i); });
    }
  });
}

// The monotonic clock never runs backwards; if it did, or stood still, or leapt ahead, nothing breaks.
TEST(Invariant, MonotonicClockJumpsAreHarmless) {
  check_walks_freely([](const Walk& walk) {
    const Config& config = random_config(walk.seed);
    Script script(walk.seed, config);
    Dice dice(walk.seed ^ 0xc10c);
    Controller controller(config, {.poll_interval = std::chrono::seconds(1)}, random_start(walk.seed));
    Duration offset{};
    for (int i = 0; i < walk.polls; ++i) {
      Poll poll = script.next();
      if (dice.chance(0.2)) {
        offset = std::chrono::seconds(dice.of<std::int64_t>({-100000, -60, 0, 60, 86400 * 30, 86400 * 365}));
      }
      poll.now.mono += offset;
      const Before before = remember(controller, poll.now);
      live(controller, poll);
      demand_proper_numbers(controller);
      demand_no_failure(controller);
      demand(controller.snapshot().ccl <= config.max_battery_charge_current + 0.001, [] { return "CCL above its maximum"; });
      if (poll.good) continue;
      demand(!before.cv || *controller.state().charge_voltage.voltage() <= *before.cv, [] { return "a clock jump raises CV"; });
    }
  });
}

}  // namespace
}  // namespace serialbattery::test
