#include "bms/jk_cells.hpp"

#include "serialbattery/errors.hpp"

namespace serialbattery::jk {

namespace {

constexpr unsigned lowest_mv = 500;
constexpr unsigned highest_mv = 5000;
constexpr unsigned longest_glitch = 5;  // readings

// Unknown cells count like the mean of the others.
bool adds_up(double sum, std::size_t known, std::size_t cells, double pack_voltage) {
  const double expected = pack_voltage * static_cast<double>(known) / static_cast<double>(cells);
  return std::abs(sum - expected) <= 0.05 * pack_voltage + 0.1;
}

}  // namespace

void CellReader::read(std::span<const unsigned> millivolts, Battery& next) {
  next.cells.resize(millivolts.size());
  zeros_.resize(millivolts.size());
  double sum = 0;
  std::size_t known = 0, fresh = 0;
  for (std::size_t i = 0; i < millivolts.size(); ++i) {
    std::optional<double>& voltage = next.cells[i].voltage;
    if (millivolts[i] == 0) {
      if (++zeros_[i] > longest_glitch) voltage.reset();
    } else {
      require(millivolts[i] >= lowest_mv && millivolts[i] <= highest_mv, "cell voltage outside 0.5..5 V");
      zeros_[i] = 0;
      voltage = millivolts[i] / 1000.0;
      ++fresh;
    }
    if (!voltage) continue;
    sum += *voltage;
    ++known;
  }
  require(fresh != 0, "no cell has a voltage");
  require(adds_up(sum, known, millivolts.size(), next.voltage.value_or(0)), "cells do not add up to the pack voltage");
}

void show_balancing(bool active, Battery& battery) {
  battery.balancing = active;
  Cell* lowest = nullptr;
  Cell* highest = nullptr;
  for (Cell& cell : battery.cells) {
    cell.balancing = false;
    if (!cell.voltage) continue;
    if (!lowest || *cell.voltage < *lowest->voltage) lowest = &cell;
    if (!highest || *cell.voltage > *highest->voltage) highest = &cell;
  }
  if (!active) return;
  for (Cell* cell : {lowest, highest}) {
    if (cell) cell->balancing = true;
  }
}

}  // namespace serialbattery::jk
