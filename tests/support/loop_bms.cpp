#include "support/loop_bms.hpp"

#include <algorithm>
#include <cmath>

namespace serialbattery::loop {
namespace {

constexpr double over_voltage = 3.65, over_voltage_release = 3.55;    // V
constexpr double over_voltage_delay = 2;                              // s
constexpr double under_voltage = 2.60, under_voltage_release = 2.85;  // V
constexpr double noise = 0.001;                                       // V, uniform to both sides

double quantised(double value, double step) {
  return std::round(value / step) * step;
}

}  // namespace

void Bms::protect(const Pack& pack, double dt) {
  above_for_ = pack.highest() >= over_voltage ? above_for_ + dt : 0;
  if (charge_fet_ && above_for_ >= over_voltage_delay) {
    charge_fet_ = false;
    ++trips_;
  } else if (!charge_fet_ && pack.highest() < over_voltage_release) {
    charge_fet_ = true;
  }
  if (pack.lowest() <= under_voltage) discharge_fet_ = false;
  if (pack.lowest() > under_voltage_release) discharge_fet_ = true;
}

bool Bms::lost(std::uint64_t poll, double seconds) const {
  if (!reporting_.losses) return false;
  if (random_.uniform(Stream::lost_poll, poll) < 0.01) return true;
  const auto window = static_cast<std::uint64_t>(seconds / 7200);
  const double begin = random_.uniform(Stream::outage, 2 * window, 0, 7000);
  const double length = random_.uniform(Stream::outage, 2 * window + 1, 2, 9);
  const double within = seconds - static_cast<double>(window) * 7200;
  return within >= begin && within < begin + length;
}

const Battery* Bms::read(const Pack& pack, double current, std::uint64_t poll, double seconds) {
  if (lost(poll, seconds)) return nullptr;
  const auto& cells = pack.cells();
  reading_.cell_count = static_cast<unsigned>(cells.size());
  reading_.cells.resize(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double measured = cells[i].voltage + random_.uniform(Stream::cell_noise, poll * 64 + i, -noise, noise);
    reading_.cells[i].voltage = quantised(measured, reporting_.cell_step);
    reading_.cells[i].balancing = cells[i].bleed > 0;
  }
  if (reporting_.losses && random_.uniform(Stream::lost_cell, 2 * poll) < 0.005) {
    const double place = random_.uniform(Stream::lost_cell, 2 * poll + 1, 0, static_cast<double>(cells.size()));
    reading_.cells[static_cast<std::size_t>(place)].voltage.reset();
  }
  reading_.voltage = quantised(pack.voltage(), 0.01);
  reading_.current = quantised(current, 0.1);
  reading_.soc = std::clamp(std::round(pack.mean_soc()), 0.0, 100.0);
  reading_.capacity = Pack::nominal_capacity;
  reading_.temperatures = {20.0, 20.0, std::nullopt, std::nullopt};
  reading_.mos_temperature = 25.0;
  reading_.charge_fet = charge_fet_;
  reading_.discharge_fet = discharge_fet_;
  reading_.balance_fet = true;
  return &reading_;
}

}  // namespace serialbattery::loop
