#include "support/loop_charger.hpp"

#include <algorithm>
#include <cmath>

namespace serialbattery::loop {
namespace {

constexpr double lag = 3;               // s
constexpr double voltage_slope = 0.5;   // V/s
constexpr double rise = 10, fall = 40;  // A/s
constexpr double cable = 5e-3;          // Ohm
constexpr double feed_in = 40;          // A that charger B draws out to lower the voltage

}  // namespace

std::string_view to_string(ChargerKind kind) {
  return kind == ChargerKind::a ? "A" : "B";
}

void Charger::follow(const Limits& limits, double dt) {
  if (!started_) {
    started_ = true;
    cvl_ = limits.cvl;
    ccl_ = limits.ccl;
  }
  if (dt != lag_for_) {
    lag_for_ = dt;
    lag_ = std::exp(-dt / lag);
  }
  cvl_ += std::clamp((limits.cvl - cvl_) * (1 - lag_), -voltage_slope * dt, voltage_slope * dt);
  ccl_ += (limits.ccl - ccl_) * (1 - lag_);
}

double Charger::step(const Limits& limits, const Supply& supply, const Pack& pack, double dt) {
  follow(limits, dt);
  const double regulated = (cvl_ + offset_ - pack.source_voltage()) / (pack.resistance() + cable);
  double highest = supply.surplus;
  if (kind_ == ChargerKind::a) highest = std::min(highest, ccl_);
  // Solar of kind A can only stop: the load then comes out of the battery. The discharge limit binds the inverter of both.
  const double out = kind_ == ChargerKind::b ? std::max(supply.load, feed_in) : supply.load;
  const double lowest = -std::min(out, limits.dcl);
  const double wanted = std::max(std::min(regulated, highest), lowest);
  current_ = std::clamp(wanted, current_ - fall * dt, current_ + rise * dt);
  return current_;
}

}  // namespace serialbattery::loop
