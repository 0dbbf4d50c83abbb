// Safety invariants of the charge voltage (control.md 13) over random lives of a battery.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "control/numbers.hpp"
#include "control/state.hpp"
#include "support/control_walk.hpp"

namespace serialbattery::test {
namespace {

using namespace control;

constexpr double kTiny = 1e-9;
constexpr double kStep = 2e-6;  // V: CV is rounded to 6 decimals

bool charging(ChargePhase phase) {
  return phase == ChargePhase::bulk || phase == ChargePhase::absorption;
}

double cv(const Controller& c) {
  return c.state().charge_voltage.voltage().value_or(0);
}

// The cells of a reading as control.md 2.3 and 2.4 count them, computed independently.
struct CountedCells {
  unsigned count = 0;
  std::size_t known = 0;
  double sum = 0;
  bool given = false, complete = false;

  CountedCells(const Config& config, const Battery& reading, unsigned last_count) {
    count = reading.cell_count.value_or(static_cast<unsigned>(reading.cells.size()));
    if (count == 0) count = last_count;
    bool positive = true;
    for (std::size_t i = 0; i < std::min<std::size_t>(count, reading.cells.size()); ++i) {
      const auto& voltage = reading.cells[i].voltage;
      if (!voltage || !std::isfinite(*voltage)) continue;
      given = true;
      if (std::fabs(*voltage) > 2 * config.max_cell_voltage) continue;
      ++known;
      sum += *voltage;
      positive = positive && *voltage > 0;
    }
    complete = known == count && positive && count > 0;
    if (known > 0) sum = round_to(sum * count / static_cast<double>(known), 6);
  }
};

TEST(Invariant, Inv01VoltageStaysInItsBounds) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    return [&config](const Before&, const Poll&, const Controller& c) {
      const auto& v = c.state().charge_voltage;
      if (!v.voltage()) return;
      const unsigned n = c.state().cells.count();
      const auto& stated = c.state().reading.limits.charge_voltage;
      double bound = pack_voltage(config.max_cell_voltage, n);
      if (v.reset_requested()) bound = std::max(bound, pack_voltage(soc_reset_cell_voltage(config), n));
      if (v.phase() == ChargePhase::float_transition) bound = std::max(bound, v.transition_from());
      if (config.use_bms_dvcc_values && stated) bound = *stated;
      demand(*v.voltage() <= bound + kTiny, [&] { return fmt::format("CV {} above {}", *v.voltage(), bound); });
      demand(*v.voltage() >= 0, [&] { return fmt::format("CV {} below 0", *v.voltage()); });
      demand(c.snapshot().cvl == round_to(*v.voltage() + config.voltage_drop, 2),
             [&] { return fmt::format("CVL {} is not CV {} + drop", c.snapshot().cvl, *v.voltage()); });
    };
  });
}

TEST(Invariant, Inv02FloatTransitionNeverRises) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    return [&config](const Before& before, const Poll&, const Controller& c) {
      const auto& v = c.state().charge_voltage;
      if (before.phase != ChargePhase::float_transition || v.phase() != ChargePhase::float_transition) return;
      if (v.transition_from() < pack_voltage(config.float_cell_voltage, c.state().cells.count())) return;
      demand(cv(c) <= *before.cv + kTiny, [&] { return fmt::format("CV rises from {} to {}", *before.cv, cv(c)); });
    };
  });
}

TEST(Invariant, Inv07FailedPollRaisesNothing) {
  check_walks(Chemistry::any, [](const Config&) -> Observer {
    return [](const Before& before, const Poll& poll, const Controller& c) {
      const auto& s = c.state();
      if (taken(poll)) return;
      const auto not_above = [](std::optional<double> now, std::optional<double> then, const char* what) {
        demand(now.value_or(0) <= then.value_or(0), [&] { return fmt::format("{} rises to {} in a failed poll", what, *now); });
      };
      not_above(s.charge_voltage.voltage(), before.cv, "CV");
      not_above(s.charge_limit.limit(), before.ccl, "CCL");
      not_above(s.discharge_limit.limit(), before.dcl, "DCL");
    };
  });
}

// Row 3 of the table "Follow": between two good polls in bulk or absorption, while a limitation is pending.
TEST(Invariant, Inv09VoltageRecoversNotFasterThanItsRate) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    struct Memory {
      double cv = 0;
      TimePoint time{};
      bool comparable = false;
    };
    auto memory = std::make_shared<Memory>();
    return [&config, memory](const Before& before, const Poll& poll, const Controller& c) {
      if (!taken(poll)) return;
      const auto& v = c.state().charge_voltage;
      const bool comparable = charging(v.phase()) && !v.in_error();
      if (comparable && memory->comparable && before.limited && config.cvl_recovery_rate_v_per_sec > 0) {
        const double allowed = config.cvl_recovery_rate_v_per_sec * seconds_between(memory->time, poll.now.mono);
        demand(cv(c) <= memory->cv + allowed + kStep,
               [&] { return fmt::format("CV rises from {} to {}, more than {} V", memory->cv, cv(c), allowed); });
      }
      *memory = {cv(c), poll.now.mono, comparable};
    };
  });
}

TEST(Invariant, Inv10VoltageNeverAboveTheWishOfTheLaw) {
  check_walks(Chemistry::any, [](const Config&) -> Observer {
    return [](const Before&, const Poll& poll, const Controller& c) {
      const auto& v = c.state().charge_voltage;
      if (!taken(poll) || v.in_error() || !charging(v.phase()) || !c.state().connection.online()) return;
      demand(cv(c) <= *v.wish() + kTiny, [&] { return fmt::format("CV {} above K {}", cv(c), *v.wish()); });
    };
  });
}

TEST(Invariant, Inv16ErrorPollRaisesNothingAndIsNoFullCharge) {
  check_walks(Chemistry::any, [](const Config&) -> Observer {
    return [](const Before& before, const Poll& poll, const Controller& c) {
      const auto& v = c.state().charge_voltage;
      if (!taken(poll) || !v.in_error()) return;
      demand(v.full_charges() == before.full_charges, [] { return "full-charge event in an error poll"; });
      demand(!before.cv || cv(c) <= *before.cv, [&] { return fmt::format("CV rises from {} to {} in an error poll", *before.cv, cv(c)); });
      demand(v.phase() == before.phase, [] { return "the phase changes in an error poll"; });
    };
  });
}

TEST(Invariant, Inv17FullChargeNeedsTheWholeWait) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    struct Memory {
      unsigned count = 0;
      std::optional<TimePoint> last_gap;  // last good poll with incomplete cells or a sagging pack
    };
    auto memory = std::make_shared<Memory>();
    return [&config, memory](const Before& before, const Poll& poll, const Controller& c) {
      if (config.cvl_controller_mode == 4) return;  // has conditions of its own: cell_top_law_test.cpp
      const auto& v = c.state().charge_voltage;
      if (v.full_charges() != before.full_charges) {
        demand(charging(before.phase), [] { return "full charge that does not come from bulk or absorption"; });
        demand(before.absorption_elapsed.has_value(), [] { return "full charge without absorption"; });
        const double waited = *before.absorption_elapsed + seconds_between(before.now.mono, poll.now.mono);
        demand(waited > config.switch_to_float_wait_for_sec, [&] { return fmt::format("full charge after {} s", waited); });
        const TimePoint start = poll.now.mono - std::chrono::round<Duration>(std::chrono::duration<double>(waited));
        demand(!memory->last_gap || *memory->last_gap <= start + std::chrono::milliseconds(1),
               [] { return "full charge although cells were incomplete or the pack sagged during the wait"; });
      }
      if (!taken(poll) || v.in_error() || !c.state().connection.online()) return;
      const CountedCells cells(config, poll.reading, memory->count);
      memory->count = cells.count;
      const bool by_cells = cells.known > 0;
      const double sum = by_cells ? cells.sum : round_to(poll.reading.voltage.value_or(0), 6);
      const bool sagging = sum < round_to(v.maximum() - 0.5, 6);
      if ((by_cells && !cells.complete) || sagging) memory->last_gap = poll.now.mono;
    };
  });
}

TEST(Invariant, Inv18BlockedDirectionStaysBlocked) {
  check_walks(Chemistry::blocked, [](const Config& config) -> Observer {
    return [&config](const Before&, const Poll& poll, const Controller& c) {
      if (!taken(poll) || c.state().connection.must_leave()) return;
      const auto& out = c.snapshot();
      demand(out.state == 10 && out.error_code == 119, [] { return "state 10 and code 119 do not last"; });
      if (config.blocked.discharge) demand(out.dcl == 0 && !out.allow_discharge, [] { return "blocked discharge is allowed"; });
      if (!config.blocked.charge) return;
      demand(out.ccl == 0 && !out.allow_charge, [] { return "blocked charge is allowed"; });
      const auto& pack = c.state().reading.voltage;
      const double cap = pack ? round_to(*pack, 2) : pack_voltage(config.float_cell_voltage, c.state().cells.count());
      demand(cv(c) <= cap + kTiny || !c.state().connection.online(),
             [&] { return fmt::format("CV {} above the pack voltage {}", cv(c), cap); });
    };
  });
}

}  // namespace
}  // namespace serialbattery::test
