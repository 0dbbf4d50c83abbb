#include "simulator/pack.hpp"

#include <array>
#include <cmath>
#include <numeric>

namespace serialbattery::simulator {

namespace {

/// Adds `name`: the number of elements of `values`; new ones copy the last.
void bind_count(Properties& properties, std::string name, std::vector<double>& values, double initial, Range range) {
  properties.add(
      std::move(name), [&values] { return std::to_string(values.size()); },
      [&values, initial, range](std::string_view text) {
        const double count = parse_number(text);
        if (count < range.min || count > range.max || count != std::floor(count)) throw PropertyError("no possible count");
        values.resize(static_cast<std::size_t>(count), values.empty() ? initial : values.back());
      });
}

}  // namespace

double Pack::voltage() const {
  return voltage_override.value_or(std::accumulate(cells.begin(), cells.end(), 0.0));
}

double Pack::remaining() const {
  return remaining_override.value_or(capacity * soc / 100);
}

void Pack::bind(Properties& properties) {
  properties.add(
      "voltage", [this] { return std::to_string(voltage()); },
      [this](std::string_view text) { voltage_override = text == "auto" ? std::nullopt : std::optional(parse_number(text)); });
  properties.number("current", current);
  properties.number("soc", soc, {0, 255});  // above 100: a BMS that talks nonsense
  properties.number("soh", soh, {0, 255});
  properties.number("capacity", capacity, {0, 1e6});
  properties.automatic("remaining", remaining_override, {0, 1e6});
  properties.number("cycles", cycles);
  bind_count(properties, "cells", cells, 3.3, {0, most_cells});
  properties.list("cell", cells, {0, 65});
  bind_count(properties, "sensors", temperatures, 25, {0, 16});
  properties.list("temperature", temperatures, {-300, 7000});
  properties.number("mos_temperature", mos_temperature, {-300, 7000});
  properties.flag("charge_fet", charge_fet);
  properties.flag("discharge_fet", discharge_fet);
  properties.number("balancing", balancing);
}

double open_circuit_voltage(double soc) {
  struct Point {
    double soc;
    double voltage;
  };
  static constexpr std::array<Point, 11> curve = {
      {{0, 2.6}, {3, 2.95}, {8, 3.15}, {15, 3.22}, {30, 3.26}, {50, 3.29}, {70, 3.315}, {90, 3.335}, {96, 3.35}, {99, 3.42}, {100, 3.5}}};
  if (soc <= curve.front().soc) return curve.front().voltage;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    if (soc <= curve[i].soc) {
      return std::lerp(curve[i - 1].voltage, curve[i].voltage, (soc - curve[i - 1].soc) / (curve[i].soc - curve[i - 1].soc));
    }
  }
  return curve.back().voltage;
}

void RunningBattery::bind(Properties& properties) {
  properties.flag("run", run_);
  properties.flag("cycle", cycle_);
  properties.number("speed", speed_, {0, 1e5});
  properties.number("cycle_current", cycle_current_, {0, 1000});
}

void RunningBattery::advance(Pack& pack, TimePoint now) {
  const auto since = std::exchange(last_, now);
  if (!run_ || !since) return;
  constexpr double longest_step = 10;  // s: short enough for the bends of the curve
  double seconds = std::chrono::duration<double>(now - *since).count() * speed_;
  for (; seconds > 0; seconds -= longest_step) step(pack, std::min(seconds, longest_step));
}

void RunningBattery::step(Pack& pack, double seconds) {
  if (pack.cells.empty() || pack.capacity <= 0) return;
  if (cycle_) {
    if (pack.soc >= 99.5) charging_ = false;
    if (pack.soc <= 20) charging_ = true;
    const double taper = charging_ ? std::clamp((100.5 - pack.soc) / 5, 0.05, 1.0) : 1.0;
    pack.current = (charging_ ? 1 : -1) * cycle_current_ * taper;
  }
  double current = pack.current;
  if ((current > 0 && !pack.charge_fet) || (current < 0 && !pack.discharge_fet)) current = 0;
  pack.current = current;
  pack.soc = std::clamp(pack.soc + current * seconds / 36 / pack.capacity, 0.0, 100.0);
  constexpr double resistance = 0.001;  // ohm per cell
  for (std::size_t i = 0; i < pack.cells.size(); ++i) {
    const double spread = 0.001 * (static_cast<double>((i * 7) % 5) - 2);  // V
    pack.cells[i] = open_circuit_voltage(pack.soc) + current * resistance + spread;
  }
}

}  // namespace serialbattery::simulator
