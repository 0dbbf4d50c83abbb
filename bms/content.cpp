#include "bms/content.hpp"

#include <algorithm>
#include <cmath>

#include "serialbattery/errors.hpp"

namespace serialbattery {

Bytes Reader::take(std::size_t count) {
  require(count <= rest_.size(), "content ends too early");
  const Bytes taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

void set_cell_count(Battery& battery, std::size_t count, std::size_t least, std::size_t most) {
  require(count >= least && count <= most, "impossible number of cells");
  require(!battery.cell_count || *battery.cell_count == count, "the number of cells has changed");
  battery.cell_count = static_cast<unsigned>(count);
  battery.cells.resize(count);
}

void set_balancing(Battery& battery, std::uint64_t mask, std::size_t bits) {
  for (std::size_t i = 0; i < battery.cells.size(); ++i)
    battery.cells[i].balancing = i < bits ? std::optional(wire::bit(mask, i)) : std::nullopt;
  battery.balancing = std::ranges::any_of(battery.cells, [](const Cell& cell) { return cell.balancing == true; });
}

double sum_of_cells(const Battery& battery) {
  double sum = 0;
  for (const Cell& cell : battery.cells) sum += cell.voltage.value_or(0);
  return sum;
}

void check_reading(Battery& reading) {
  bool dead_cell = false;
  for (const Cell& cell : reading.cells) {
    const double volts = cell.voltage.value_or(0);
    require(volts <= 5, "cell voltage above 5 V");
    dead_cell = dead_cell || volts == 0;
  }
  const double sum = sum_of_cells(reading);
  require(sum > 0, "no cell has a voltage");
  require(reading.voltage > 0, "pack voltage is 0");
  require(dead_cell || std::abs(*reading.voltage - sum) <= 0.1 * sum, "pack voltage contradicts the cells");
  if (!reading.soc) return;
  require(*reading.soc <= 100.5, "SoC above 100 %");
  reading.soc = std::min(*reading.soc, 100.0);
}

std::optional<double> fitted_sensor(double celsius) {
  return celsius > -50 && celsius <= 150 ? std::optional(celsius) : std::nullopt;
}

}  // namespace serialbattery
