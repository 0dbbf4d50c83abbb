#include "support/loop_simulation.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "support/loop_weather.hpp"

namespace serialbattery::loop {
namespace {

using Ticks = std::int64_t;  // tenths of a second since midnight of the first day

constexpr Ticks ticks_per_second = 10;
constexpr Ticks day = 24 * 3600 * ticks_per_second;
constexpr Ticks start = 6 * 3600 * ticks_per_second;
constexpr Ticks night_step = 5 * ticks_per_second;
constexpr double calm_below = 3.36;  // V
constexpr double start_soc = 40;     // %
constexpr double reference_cells = 16;
constexpr std::int64_t epoch = 1'760'000'000;  // wall clock of midnight of the first day; any will do

double to_seconds(Ticks ticks) {
  return static_cast<double>(ticks) / ticks_per_second;
}

/// Sun, load, pack and time of one case; what both the controlled and the clairvoyant charger live in.
class World {
 public:
  explicit World(const Case& one)
      : pack(one.pack, one.balancer, one.cells, start_soc, one.seed),
        weather_(one.seed),
        scale_(static_cast<double>(one.cells) / reference_cells),
        step_(static_cast<Ticks>(std::llround(one.step * ticks_per_second))),
        end_(start + one.days * day) {}

  [[nodiscard]] bool over() const { return now >= end_; }
  [[nodiscard]] bool day_begins() const { return (now - start) % day == 0; }

  /// Length of the step that begins now: at night, with calm cells, a long one will do.
  [[nodiscard]] Ticks step_length() {
    if (now % ticks_per_second == 0) refresh();
    return dark_ && pack.highest() < calm_below && now % night_step == 0 ? std::max(step_, night_step) : step_;
  }
  [[nodiscard]] Supply supply() const {
    const double volts = pack.voltage();
    return {(sun_ - load_) / volts, load_ / volts};
  }

  Pack pack;
  Ticks now = start;

 private:
  void refresh() {
    const double seconds = to_seconds(now);
    sun_ = weather_.sun(seconds) * scale_;
    load_ = weather_.load(seconds) * scale_;
    dark_ = sun_ == 0;
  }

  Weather weather_;
  double scale_;
  Ticks step_, end_;
  double sun_ = 0, load_ = 0;
  bool dark_ = false;
};

double gated(double current, const Bms& bms) {
  if (!bms.charge_fet()) current = std::min(current, 0.0);
  if (!bms.discharge_fet()) current = std::max(current, 0.0);
  return current;
}

Now clock_at(Ticks now) {
  return {TimePoint(std::chrono::hours(1) + std::chrono::milliseconds(now * 1000 / ticks_per_second)), epoch + now / ticks_per_second};
}

constexpr double score_max_current = 50;  // A, CCL turns count from a tenth of this

}  // namespace

Result simulate(const Case& one, Regulator& regulator, const std::function<void(const Moment&)>& watch) {
  World world(one);
  Pack& pack = world.pack;
  Charger charger(one.charger, one.offset);
  Bms bms(one.reporting, one.seed);
  Scorer scorer(score_max_current);
  const double stored = pack.stored_energy();
  const auto poll_every = static_cast<Ticks>(std::llround(one.reporting.poll * ticks_per_second));
  Ticks next_poll = world.now;
  std::uint64_t polls = 0;
  double current = 0;
  Answer answer;
  while (!world.over()) {
    if (world.day_begins()) scorer.begin_day();
    if (world.now >= next_poll) {
      const double seconds = to_seconds(world.now);
      answer = regulator.poll(bms.read(pack, current, polls++, seconds), clock_at(world.now));
      scorer.poll(answer.limits, answer.mode);
      if (watch) watch({seconds, pack, current, answer});
      next_poll = world.now + poll_every;
    }
    const Ticks length = world.step_length();
    const double dt = to_seconds(length);
    current = gated(charger.step(answer.limits, world.supply(), pack, dt), bms);
    pack.step(current, dt);
    bms.protect(pack, dt);
    scorer.step(pack, current, dt);
    world.now += length;
  }
  return {scorer.finish(pack, bms.trips()), pack.energy(), pack.stored_energy() - stored};
}

double clairvoyant_energy(const Case& one, const Ideal& ideal) {
  World world(one);
  Scorer scorer(score_max_current);
  Pack& pack = world.pack;
  while (!world.over()) {
    if (world.day_begins()) scorer.begin_day();
    const Ticks length = world.step_length();
    const double dt = to_seconds(length);
    const Supply supply = world.supply();
    double current = std::min(supply.surplus, pack.current_at(ideal.cell_voltage));
    if (one.charger == ChargerKind::a) current = std::min(current, ideal.charge_current);
    current = std::max(current, -std::min(supply.load, ideal.discharge_current));
    pack.step(current, dt);
    scorer.step(pack, current, dt);
    world.now += length;
  }
  return scorer.finish(pack, 0).energy;
}

}  // namespace serialbattery::loop
