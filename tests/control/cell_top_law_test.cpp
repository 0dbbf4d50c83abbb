// The law of CVL_CONTROLLER_MODE 4: its own forms of the safety invariants over random lives, and what it does step by step.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <limits>

#include "control/cell_top_law.hpp"
#include "control/charge_law.hpp"
#include "control/numbers.hpp"
#include "control/state.hpp"
#include "support/control_walk.hpp"
#include "support/loop_controller.hpp"

namespace serialbattery::test {
namespace {

using namespace control;

constexpr double kTiny = 1e-9;
constexpr double kRise = 0.005;        // V/s for the whole pack
constexpr double kLongestStep = 5;     // s that count for a rise
constexpr double kResolution = 0.010;  // V
constexpr double kTolerated = 150;     // s that the pack may look less than full without ending the wait

/// Random lives of batteries that are all run in mode 4.
void check_own_law(const std::function<Observer(const Config&)>& make) {
  check_walks_freely([&](const Walk& walk) {
    Config config = random_config(walk.seed);
    config.cvl_controller_mode = 4;
    Script script(walk.seed, config);
    Controller controller(config, {.poll_interval = std::chrono::seconds(1)}, random_start(walk.seed));
    const Observer observe = make(config);
    for (int i = 0; i < walk.polls; ++i) {
      const Poll& poll = script.next();
      const Before before = remember(controller, poll.now);
      live(controller, poll);
      observe(before, poll, controller);
    }
  });
}

double cv(const Controller& c) {
  return c.state().charge_voltage.voltage().value_or(0);
}

bool charging(ChargePhase phase) {
  return phase == ChargePhase::bulk || phase == ChargePhase::absorption;
}

// INV-09: a rise between two polls is at most the law's own rate, and nothing is caught up after a pause. (A BMS that never tells a cell
// has no law; it is run by the ordinary table.)
TEST(CellTopLawInvariant, Inv09RisesAtItsOwnRate) {
  check_own_law([](const Config& config) -> Observer {
    return [&config](const Before& before, const Poll& poll, const Controller& c) {
      const auto& s = c.state();
      if (!taken(poll) || !config.cvcm_enable || !before.cv || !s.cells.known_before()) return;
      // Failed polls in between move nothing, so the pause may be longer than it seems; it never counts for more than this.
      const double allowed = kRise * kLongestStep + kResolution;
      const auto& v = s.charge_voltage;
      if (cv(c) <= std::min(v.minimum(), v.maximum()) + kTiny) return;  // the lower bound of CV, which a BMS may move
      demand(cv(c) <= *before.cv + allowed + kTiny, [&] { return fmt::format("CV rises from {} to {}", *before.cv, cv(c)); });
    };
  });
}

// INV-01 and INV-10 in every phase: CV is never above what the law allows, in float neither above the float voltage or the transition.
TEST(CellTopLawInvariant, Inv10NeverAboveItsWishNorTheFloatVoltage) {
  check_own_law([](const Config& config) -> Observer {
    return [&config](const Before&, const Poll& poll, const Controller& c) {
      const auto& v = c.state().charge_voltage;
      if (!taken(poll) || v.in_error() || !c.state().connection.online()) return;
      if (charging(v.phase())) demand(cv(c) <= *v.wish() + kTiny, [&] { return fmt::format("CV {} above K {}", cv(c), *v.wish()); });
      if (v.phase() != ChargePhase::float_voltage) return;
      const double float_voltage = pack_voltage(config.float_cell_voltage, c.state().cells.count());
      demand(cv(c) <= float_voltage + kTiny, [&] { return fmt::format("CV {} above the float voltage {}", cv(c), float_voltage); });
    };
  });
}

// INV-05 with its own curve: no current from 60 mV above the target on, all of it up to the target unless the configured curve ends there.
TEST(CellTopLawInvariant, Inv05NoCurrentWellAboveTheTarget) {
  check_own_law([](const Config& config) -> Observer {
    return [&config](const Before&, const Poll& poll, const Controller& c) {
      const auto highest = c.state().cells.control_highest();
      if (!taken(poll) || !config.cccm_cv_enable || !config.cvcm_enable || !highest) return;
      const double target = c.state().charge_voltage.highest_allowed_cell(config);
      if (*highest >= target + 0.060) {
        demand(c.snapshot().ccl == 0, [&] { return fmt::format("CCL {} at {} V", c.snapshot().ccl, *highest); });
      }
    };
  });
}

// INV-17 with its own conditions: a full charge needs an absorption longer than the wait in this run or the restored one; in the poll
// that ends it all cells are known, and no longer than tolerated before it they were, at the top.
TEST(CellTopLawInvariant, Inv17FullChargeNeedsTheWholeWait) {
  check_own_law([](const Config& config) -> Observer {
    struct Memory {
      double longest = 0;  // s of absorption since the last float
    };
    auto memory = std::make_shared<Memory>();
    return [&config, memory](const Before& before, const Poll& poll, const Controller& c) {
      const auto& s = c.state();
      const auto& v = s.charge_voltage;
      if (before.absorption_elapsed && taken(poll)) {
        memory->longest = std::max(memory->longest, *before.absorption_elapsed + seconds_between(before.now.mono, poll.now.mono));
      }
      if (v.full_charges() != before.full_charges) {
        demand(charging(before.phase), [] { return "full charge that does not come from bulk or absorption"; });
        demand(memory->longest > config.switch_to_float_wait_for_sec,
               [&] { return fmt::format("full charge after {} s", memory->longest); });
        demand(s.cells.complete() || !s.cells.given(), [] { return "full charge with incomplete cells"; });
        demand(taken(poll) && !v.in_error(), [] { return "full charge without a reading"; });
      }
      if (is_float(v.phase())) memory->longest = 0;
    };
  });
}

// INV-08: while a cell is lost nothing rises.
TEST(CellTopLawInvariant, Inv08NothingRisesWhileACellIsLost) {
  check_own_law([](const Config& config) -> Observer {
    return [&config](const Before& before, const Poll& poll, const Controller& c) {
      if (!taken(poll) || !config.cvcm_enable || !c.state().cells.lost() || !before.cv) return;
      demand(cv(c) <= *before.cv + kTiny, [&] { return fmt::format("CV rises from {} to {}", *before.cv, cv(c)); });
    };
  });
}

// --- step by step --------------------------------------------------------------------------------------------------------------------

/// One pack of 8 cells under the law, a poll a second.
class Bench {
 public:
  Bench() : controller_(loop::loop_config(4), {.poll_interval = std::chrono::seconds(1)}, {}) {
    reading_.cell_count = 8;
    reading_.cells.assign(8, Cell{3.30, false});
    reading_.current = 20;
    reading_.soc = 90;
    reading_.capacity = 100;
    reading_.charge_fet = reading_.discharge_fet = true;
  }
  Bench& cells(double others, double highest) {
    reading_.cells.assign(8, Cell{others, false});
    reading_.cells[3].voltage = highest;
    return *this;
  }
  Bench& current(double amperes) {
    reading_.current = amperes;
    return *this;
  }
  const Snapshot& run(int polls) {
    for (int i = 0; i < polls; ++i) {
      double sum = 0;
      for (const Cell& cell : reading_.cells) sum += cell.voltage.value_or(0);
      reading_.voltage = sum;
      now_.mono += std::chrono::seconds(1);
      ++now_.wall;
      controller_.good_poll(reading_, {}, now_);
    }
    return controller_.snapshot();
  }
  Battery& reading() { return reading_; }
  Controller& controller() { return controller_; }
  [[nodiscard]] const Now& now() const { return now_; }

 private:
  Controller controller_;
  Battery reading_;
  Now now_{TimePoint(std::chrono::hours(5)), 1'750'000'000};
};

TEST(CellTopLaw, LeavesTheChargerAloneFarFromTheTop) {
  Bench bench;
  const Snapshot& s = bench.run(100);
  EXPECT_EQ(s.cvl, 27.60);
  EXPECT_EQ(s.ccl, 50);
  EXPECT_EQ(s.charge_mode, "Bulk \u2502 Linear Mode");
}

TEST(CellTopLaw, FallsAtOnceToTheVoltageAtWhichTheHighestCellIsAtItsTarget) {
  Bench bench;
  bench.run(10);
  // Seven cells at 3.35 V and one at 3.45 V: the pack stands at 26.90 V with the highest cell just at the target.
  const Snapshot& s = bench.cells(3.35, 3.45).run(15);
  EXPECT_NEAR(s.cvl, 26.90, 8 * 0.006);
  EXPECT_EQ(s.charge_mode, "Bulk (Cell OVP) \u2502 Linear Mode");
  EXPECT_EQ(s.ccl, 50) << "the current is only the second line";
}

TEST(CellTopLaw, KeepsLoweringWhileTheCellStaysTooHigh) {
  Bench bench;
  const double before = bench.cells(3.35, 3.47).run(20).cvl;
  EXPECT_LT(bench.run(60).cvl, before - 0.05);
}

TEST(CellTopLaw, NoiseDoesNotMoveIt) {
  Bench bench;
  const double settled = bench.cells(3.36, 3.451).run(200).cvl;
  for (int i = 0; i < 300; ++i) {
    const double noise = 0.001 * ((i * 7) % 3 - 1);
    EXPECT_NEAR(bench.cells(3.36, 3.451 + noise).run(1).cvl, settled, 0.0301);
  }
}

TEST(CellTopLaw, CurrentIsReducedOnlyWellAboveTheTarget) {
  Bench bench;
  EXPECT_EQ(bench.cells(3.36, 3.465).run(1).ccl, 50);
  EXPECT_NEAR(bench.cells(3.36, 3.4825).run(1).ccl, 25, 0.01);
  EXPECT_EQ(bench.cells(3.36, 3.50).run(1).ccl, 0);
}

TEST(CellTopLaw, CurrentEndsWhereTheConfiguredCurveDoesOrBefore) {
  Config config = loop::loop_config(4);
  config.cell_voltages_while_charging = {3.55, 3.40};
  config.max_charge_current_cv_fraction = {0.2, 1};  // ends above 0: the law's own end stands, 60 mV above the target
  EXPECT_NEAR(CellTopLaw::charge_fraction(config, 3.45, 3.4875), 0.5, 1e-9);
  EXPECT_EQ(CellTopLaw::charge_fraction(config, 3.45, 3.511), 0);
  config.max_charge_current_cv_fraction = {0, 1};  // ends later
  EXPECT_EQ(CellTopLaw::charge_fraction(config, 3.45, 3.511), 0);
  config.cell_voltages_while_charging = {3.40, 3.46};  // ends earlier, in ascending order
  config.max_charge_current_cv_fraction = {1, 0};
  EXPECT_NEAR(CellTopLaw::charge_fraction(config, 3.45, 3.45), 0.5, 1e-9);
  EXPECT_EQ(CellTopLaw::charge_fraction(config, 3.45, 3.46), 0);
}

TEST(CellTopLaw, BalancedPackFloatsAfterTheWaitThoughTheSumStaysLow) {
  Bench bench;
  bench.cells(3.443, 3.447).current(0.2);  // a charger that measures too low never reaches 27.60 V
  EXPECT_EQ(bench.run(100).charge_mode.substr(0, 10), "Absorption");
  EXPECT_EQ(bench.run(790).charge_mode.substr(0, 10), "Absorption");
  EXPECT_EQ(bench.run(30).charge_mode.substr(0, 16), "Float Transition");
  EXPECT_EQ(bench.controller().state().charge_voltage.full_charges(), 1U);
  EXPECT_EQ(bench.cells(3.374, 3.376).run(700).charge_mode.substr(0, 6), "Float ");
  EXPECT_EQ(bench.run(1).cvl, 27.00);
}

TEST(CellTopLaw, PackStillTakingCurrentIsNotFull) {
  Bench bench;
  EXPECT_EQ(bench.cells(3.443, 3.447).current(10).run(3000).charge_mode.substr(0, 4), "Bulk");
}

TEST(CellTopLaw, UnbalancedPackStaysAtTheTopAndFloatsWhenTheChargeEnds) {
  Bench bench;
  bench.cells(3.36, 3.449).current(0.3);
  EXPECT_EQ(bench.run(4 * 3600).charge_mode.substr(0, 10), "Absorption");
  bench.cells(3.33, 3.345).current(-10);
  EXPECT_NE(bench.run(250).charge_mode.substr(0, 5), "Float");
  EXPECT_EQ(bench.run(60).charge_mode.substr(0, 5), "Float");
  EXPECT_EQ(bench.controller().state().charge_voltage.full_charges(), 1U);
}

TEST(CellTopLaw, UnbalancedPackFloatsAfterEightHoursAtTheLatest) {
  Bench bench;
  bench.cells(3.39, 3.449).current(0.3);
  EXPECT_EQ(bench.run(8 * 3600).charge_mode.substr(0, 10), "Absorption");
  EXPECT_EQ(bench.run(30).charge_mode.substr(0, 5), "Float");
}

TEST(CellTopLaw, CloudDoesNotEndTheWait) {
  Bench bench;
  bench.cells(3.446, 3.449).current(0.3).run(600);
  bench.cells(3.36, 3.365).current(-20).run(120);
  // The mean of the current needs a few minutes to forget the load; the wait goes on meanwhile.
  EXPECT_EQ(bench.cells(3.446, 3.449).current(0.3).run(20).charge_mode.substr(0, 10), "Absorption");
  EXPECT_GT(*bench.controller().state().charge_voltage.absorption_elapsed(bench.now().mono), 700);
}

// A BMS that states only the extremes of its cells, and not always.
TEST(CellTopLaw, EachFullChargeTakesAWaitOfItsOwn) {
  Bench bench;
  Battery& reading = bench.reading();
  auto poll = [&, now = bench.now()](int times) mutable {
    for (int i = 0; i < times; ++i) {
      now.mono += std::chrono::seconds(1);
      bench.controller().good_poll(reading, {}, now);
    }
    return bench.controller().snapshot().charge_mode.substr(0, 4);
  };
  reading.cells.assign(8, Cell{});
  reading.voltage = 27.55;
  reading.current = 0.2;
  reading.cell_min = 3.443;
  reading.cell_max = 3.447;
  const auto full_charges = [&] { return bench.controller().state().charge_voltage.full_charges(); };
  for (int i = 0; i < 1000 && full_charges() == 0; ++i) poll(1);
  ASSERT_EQ(full_charges(), 1U);
  // Float ends in the very next poll, which knows no cell, and the charge ends soon after: that is no second full charge.
  reading.cell_min.reset();
  reading.cell_max.reset();
  reading.soc = 10;
  EXPECT_EQ(poll(1), "Bulk");
  reading.cell_min = 3.33;
  reading.cell_max = 3.335;
  reading.current = -10;
  EXPECT_EQ(poll(400), "Bulk");
  EXPECT_EQ(full_charges(), 1U);
}

TEST(CellTopLaw, HoldsTheCellInFloatToo) {
  Bench bench;
  bench.cells(3.443, 3.447).current(0.2).run(930);
  bench.cells(3.37, 3.38).run(700);
  ASSERT_EQ(bench.run(1).cvl, 27.00);
  const Snapshot& s = bench.cells(3.35, 3.42).run(1);
  EXPECT_EQ(s.cvl, 27.00);
  EXPECT_LT(bench.cells(3.385, 3.46).run(20).cvl, 27.20);
  EXPECT_EQ(s.charge_mode.substr(0, 5), "Float");
}

TEST(CellTopLaw, RisesSlowlyAfterAnOutage) {
  Bench bench;
  bench.run(10);
  Now now = bench.now();
  for (int i = 0; i < 15; ++i) {
    now.mono += std::chrono::seconds(1);
    ++now.wall;
    bench.controller().failed_poll({}, now);
  }
  EXPECT_EQ(bench.controller().snapshot().cvl, 27.00) << "offline: not above the float voltage";
  now.mono += std::chrono::seconds(1);
  const double first = bench.controller().good_poll(bench.reading(), {}, now).cvl;
  EXPECT_LE(first, 27.00 + 5 * 0.005 + 1e-9);
  for (int i = 0; i < 130; ++i) {
    now.mono += std::chrono::seconds(1);
    bench.controller().good_poll(bench.reading(), {}, now);
  }
  EXPECT_EQ(bench.controller().snapshot().cvl, 27.60);
}

TEST(CellTopLaw, RestartKeepsTheWaitAndTheLimit) {
  Bench bench;
  bench.cells(3.40, 3.449).current(0.3);
  const double cvl = bench.run(600).cvl;
  Controller restarted(loop::loop_config(4), {.poll_interval = std::chrono::seconds(1)}, bench.controller().persisted(bench.now()));
  Now now = bench.now();
  now.mono += std::chrono::seconds(5);
  now.wall += 5;
  EXPECT_NEAR(restarted.good_poll(bench.reading(), {}, now).cvl, cvl, 0.15);
  EXPECT_NEAR(restarted.state().charge_voltage.absorption_elapsed(now.mono).value_or(0),
              *bench.controller().state().charge_voltage.absorption_elapsed(bench.now().mono) + 5, 1.0);
}

TEST(CellTopLaw, BatteryWithoutCellsIsRunByTheOrdinaryMachine) {
  Bench bench;
  bench.reading().cells.clear();
  Now now = bench.now();
  bench.reading().voltage = 27.60;
  for (int i = 0; i < 910; ++i) {
    now.mono += std::chrono::seconds(1);
    bench.controller().good_poll(bench.reading(), {}, now);
  }
  EXPECT_EQ(bench.controller().snapshot().charge_mode.substr(0, 16), "Float Transition");
}

}  // namespace
}  // namespace serialbattery::test
