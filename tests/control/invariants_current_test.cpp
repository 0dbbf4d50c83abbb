// Safety invariants of the current limits (control.md 13) over random lives of a battery.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "control/numbers.hpp"
#include "control/state.hpp"
#include "support/control_walk.hpp"

namespace serialbattery::test {
namespace {

using namespace control;

constexpr double kRounding = 0.0005001;  // A: limits have 3 decimals

double ccl(const Controller& c) {
  return c.state().charge_limit.limit().value_or(0);
}
double dcl(const Controller& c) {
  return c.state().discharge_limit.limit().value_or(0);
}

std::optional<double> stated(std::optional<double> limit) {
  if (!limit || !std::isfinite(*limit)) return std::nullopt;
  return std::max(*limit, 0.0);
}

TEST(Invariant, Inv03LimitsStayInTheirBounds) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    return [&config](const Before&, const Poll& poll, const Controller& c) {
      const auto inside = [](double limit, double maximum, const char* name) {
        demand(limit >= 0 && limit <= maximum + kRounding, [&] { return fmt::format("{} {} outside 0..{}", name, limit, maximum); });
      };
      inside(c.snapshot().ccl, config.max_battery_charge_current, "CCL");
      inside(c.snapshot().dcl, config.max_battery_discharge_current, "DCL");
      if (!taken(poll)) return;
      inside(ccl(c), stated(poll.reading.limits.charge_current).value_or(1e9), "CCL (stated)");
      inside(dcl(c), stated(poll.reading.limits.discharge_current).value_or(1e9), "DCL (stated)");
    };
  });
}

// A restriction applies in the same poll: no memory ever allows more than a controller without memory would.
TEST(Invariant, Inv04LimitsNeverAboveThoseOfAFreshController) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    return [&config](const Before&, const Poll& poll, const Controller& c) {
      if (!taken(poll)) return;
      Persisted start = c.persisted(poll.now);
      start.soc_calc = c.state().soc.value();
      Controller fresh(config, {.poll_interval = poll.interval}, start);
      fresh.good_poll(poll.reading, poll.environment, poll.now);
      if (fresh.state().cells.count() == 0) return;  // this reading alone does not say how many cells there are
      const auto not_above = [](double limit, double target, const char* name) {
        demand(limit <= target + 1e-9, [&] { return fmt::format("{} {} above the target {}", name, limit, target); });
      };
      // The curve of the law of mode 4 follows its target, which a SoC reset raises; the request itself is not stored.
      const bool same_target = c.state().charge_voltage.reset_requested() == fresh.state().charge_voltage.reset_requested();
      if (config.cvl_controller_mode != 4 || same_target) not_above(ccl(c), fresh.state().charge_limit.target().amperes, "CCL");
      not_above(dcl(c), fresh.state().discharge_limit.target().amperes, "DCL");
    };
  });
}

TEST(Invariant, Inv05NoCurrentBeyondTheEndsOfTheCellLists) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    const auto end = [](const std::vector<double>& points, const std::vector<double>& values, bool top) {
      const bool ascending = points.front() <= points.back();
      return top == ascending ? std::pair(points.back(), values.back()) : std::pair(points.front(), values.front());
    };
    const auto top = end(config.cell_voltages_while_charging, config.max_charge_current_cv_fraction, true);
    const auto bottom = end(config.cell_voltages_while_discharging, config.max_discharge_current_cv_fraction, false);
    return [&config, top, bottom](const Before&, const Poll& poll, const Controller& c) {
      if (!taken(poll)) return;
      const unsigned count = c.state().cells.count();
      for (std::size_t i = 0; i < std::min<std::size_t>(count, poll.reading.cells.size()); ++i) {
        const auto& voltage = poll.reading.cells[i].voltage;
        if (!voltage || !std::isfinite(*voltage) || std::fabs(*voltage) > 2 * config.max_cell_voltage) continue;
        if (config.cccm_cv_enable && top.second == 0 && *voltage >= top.first) {
          demand(ccl(c) == 0, [&] { return fmt::format("CCL {} with a cell at {} V", ccl(c), *voltage); });
        }
        if (config.dccm_cv_enable && bottom.second == 0 && *voltage <= bottom.first) {
          demand(dcl(c) == 0, [&] { return fmt::format("DCL {} with a cell at {} V", dcl(c), *voltage); });
        }
      }
    };
  });
}

TEST(Invariant, Inv06FetOffMeansNoCurrentAndNoPermission) {
  check_walks(Chemistry::any, [](const Config&) -> Observer {
    return [](const Before&, const Poll& poll, const Controller& c) {
      const auto& out = c.snapshot();
      demand(out.ccl != 0 || !out.allow_charge, [] { return "CCL is 0 but charging is permitted"; });
      demand(out.dcl != 0 || !out.allow_discharge, [] { return "DCL is 0 but discharging is permitted"; });
      if (!taken(poll)) return;
      if (poll.reading.charge_fet == false) demand(out.ccl == 0 && !out.allow_charge, [] { return "charge FET off, charging permitted"; });
      if (poll.reading.discharge_fet == false) {
        demand(out.dcl == 0 && !out.allow_discharge, [] { return "discharge FET off, discharging permitted"; });
      }
    };
  });
}

// What was known once, kept by the test itself.
class Sight {
 public:
  explicit Sight(const Config& config) : config_(config) {}

  struct Lost {
    bool cells = false, temperatures = false, mosfet = false, soc = false;
  };

  Lost look(const Battery& reading, std::optional<double> soc) {
    Lost lost;
    unsigned count = reading.cell_count.value_or(static_cast<unsigned>(reading.cells.size()));
    if (count == 0) count = count_;
    if (count != count_) cells_.assign(count, false);
    count_ = count;
    for (std::size_t i = 0; i < count; ++i) {
      const auto voltage = i < reading.cells.size() ? reading.cells[i].voltage : std::nullopt;
      update(cells_[i], voltage && std::isfinite(*voltage) && std::fabs(*voltage) <= 2 * config_.max_cell_voltage, lost.cells);
    }
    for (const int sensor : config_.temperature_source_battery) {
      const auto& value = reading.temperatures[static_cast<std::size_t>(sensor - 1)];
      update(temperatures_[static_cast<std::size_t>(sensor - 1)], value && std::isfinite(*value), lost.temperatures);
    }
    update(mosfet_, reading.mos_temperature && std::isfinite(*reading.mos_temperature), lost.mosfet);
    update(soc_, soc.has_value(), lost.soc);
    return lost;
  }

 private:
  static void update(bool& ever, bool known, bool& lost) {
    lost = lost || (ever && !known);
    ever = ever || known;
  }
  static void update(std::vector<bool>::reference ever, bool known, bool& lost) {
    lost = lost || (ever && !known);
    ever = ever || known;
  }

  const Config& config_;
  unsigned count_ = 0;
  std::vector<bool> cells_;
  std::array<bool, 4> temperatures_{};
  bool mosfet_ = false, soc_ = false;
};

TEST(Invariant, Inv08NothingRisesWhileAnInputIsLost) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    auto sight = std::make_shared<Sight>(config);
    return [&config, sight](const Before& before, const Poll& poll, const Controller& c) {
      if (!taken(poll)) return;
      const auto lost = sight->look(poll.reading, c.state().soc.value());
      const auto not_above = [](double now, const std::optional<double>& then, const char* name) {
        demand(!then || now <= *then, [&] { return fmt::format("{} rises from {} to {} although an input is lost", name, *then, now); });
      };
      const bool charge = lost.cells || (lost.temperatures && config.cccm_t_enable) || (lost.mosfet && config.cccm_t_mosfet_enable) ||
                          (lost.soc && config.cccm_soc_enable);
      const bool discharge = lost.cells || (lost.temperatures && config.dccm_t_enable) || (lost.mosfet && config.dccm_t_mosfet_enable) ||
                             (lost.soc && config.dccm_soc_enable);
      if (charge) not_above(ccl(c), before.ccl, "CCL");
      if (discharge) not_above(dcl(c), before.dcl, "DCL");
      if (lost.cells && config.cvcm_enable) not_above(c.state().charge_voltage.voltage().value_or(0), before.cv, "CV");
    };
  });
}

// One direction of INV-09.
class RecoveryWatch {
 public:
  RecoveryWatch(const char* name, double hold, double rate) : name_(name), hold_(hold), rate_(rate) {}

  void look(double limit, double target, TimePoint now) {
    if (!last_ || limit < *last_ || target <= *last_) not_above_ = now;
    if (last_ && limit > *last_) {
      const double waited = seconds_between(not_above_, now);
      demand(waited >= hold_, [&] { return fmt::format("{} rises after {} s, the hold is {} s", name_, waited, hold_); });
      const double allowed = rate_ > 0 ? rate_ * seconds_between(last_time_, now) : 1e9;
      demand(limit - *last_ <= allowed + 2 * kRounding, [&] { return fmt::format("{} rises by {} A", name_, limit - *last_); });
    }
    last_ = limit;
    last_time_ = now;
  }
  // A block between two good polls.
  void blocked(double limit) {
    if (last_) last_ = std::min(*last_, limit);
  }

 private:
  const char* name_;
  double hold_, rate_;
  std::optional<double> last_;
  TimePoint last_time_{}, not_above_{};
};

TEST(Invariant, Inv09LimitsRiseOnlyAfterTheHoldAndNotFasterThanTheRate) {
  check_walks(Chemistry::any, [](const Config& config) -> Observer {
    auto charge = std::make_shared<RecoveryWatch>("CCL", config.ccl_recovery_hold_sec, config.ccl_recovery_rate_a_per_sec);
    auto discharge = std::make_shared<RecoveryWatch>("DCL", config.dcl_recovery_hold_sec, config.dcl_recovery_rate_a_per_sec);
    return [charge, discharge](const Before&, const Poll& poll, const Controller& c) {
      const auto& s = c.state();
      if (taken(poll)) {
        charge->look(ccl(c), s.charge_limit.target().amperes, poll.now.mono);
        discharge->look(dcl(c), s.discharge_limit.target().amperes, poll.now.mono);
      } else {
        charge->blocked(ccl(c));
        discharge->blocked(dcl(c));
      }
    };
  });
}

TEST(Invariant, Inv11CurvesAreMonotonicAndStayBetweenTheirValues) {
  check_seeds([](std::uint64_t seed) {
    Dice dice(seed);
    std::vector<double> points(static_cast<std::size_t>(dice.whole(1, 8)));
    std::vector<double> values(points.size());
    for (auto& point : points) point = dice.whole(-40, 40) / 4.0;
    for (auto& value : values) value = dice.whole(0, 20) / 20.0;
    std::sort(points.begin(), points.end());
    const bool monotonic = dice.chance(0.7);
    if (monotonic) std::sort(values.begin(), values.end());
    const bool falling = dice.chance(0.5);
    if (falling) std::reverse(values.begin(), values.end());
    if (dice.chance(0.5) && points.front() != points.back()) {
      std::reverse(points.begin(), points.end());
      std::reverse(values.begin(), values.end());
    }
    const Curve curve(points, values);
    const auto [smallest, largest] = std::minmax_element(values.begin(), values.end());
    double before = curve.at(-11, Between::linear);
    for (int i = 0; i < 40; ++i) {
      const double x = -11 + 22.0 * i / 39;
      for (const auto between : {Between::linear, Between::lower, Between::upper}) {
        const double y = curve.at(x, between);
        demand(y >= *smallest && y <= *largest, [&] { return fmt::format("{} at {} is outside of the values", y, x); });
      }
      const double y = curve.at(x, Between::linear);
      if (monotonic) demand(falling ? y <= before + 1e-12 : y >= before - 1e-12, [&] { return fmt::format("turns at {}", x); });
      before = y;
    }
  });
}

}  // namespace
}  // namespace serialbattery::test
