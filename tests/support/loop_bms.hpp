// The BMS of the closed-loop simulation: what it measures, when it protects, which readings get lost.
#pragma once

#include <cstdint>

#include "serialbattery/battery.hpp"
#include "support/loop_pack.hpp"
#include "support/loop_random.hpp"

namespace serialbattery::loop {

/// How well the driver gets to know the battery.
struct Reporting {
  double poll = 1;           // s
  double cell_step = 0.001;  // V, resolution of the cell voltages
  bool losses = false;       // 1 % of the polls fail, 0.5 % miss one cell, a silence of 2 to 9 s every two hours
  bool operator==(const Reporting&) const = default;
};

class Bms {
 public:
  Bms(const Reporting& reporting, std::uint64_t seed) : reporting_(reporting), random_(seed) {}

  /// Protection: opens and closes the FETs from the true cell voltages. Once per step.
  void protect(const Pack& pack, double dt);
  [[nodiscard]] bool charge_fet() const { return charge_fet_; }
  [[nodiscard]] bool discharge_fet() const { return discharge_fet_; }
  [[nodiscard]] int trips() const { return trips_; }

  /// The reading of poll number `poll`; nullptr if it got lost. `seconds`: time of the simulation. Valid until the next call.
  const Battery* read(const Pack& pack, double current, std::uint64_t poll, double seconds);

 private:
  [[nodiscard]] bool lost(std::uint64_t poll, double seconds) const;

  Reporting reporting_;
  Random random_;
  Battery reading_;
  bool charge_fet_ = true, discharge_fet_ = true;
  double above_for_ = 0;  // s
  int trips_ = 0;         // over-voltage only
};

}  // namespace serialbattery::loop
