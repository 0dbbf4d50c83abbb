// The closed loop: controller -> charger -> cells -> BMS -> controller, over simulated days.
//
//   controller --CVL, CCL, DCL--> charger --current--> cable --> cells --> BMS --reading, once a poll--> controller
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "serialbattery/battery.hpp"
#include "serialbattery/clock.hpp"
#include "support/loop_bms.hpp"
#include "support/loop_charger.hpp"
#include "support/loop_metrics.hpp"
#include "support/loop_pack.hpp"

namespace serialbattery::loop {

/// Everything that fixes a simulation, apart from the controller.
struct Case {
  std::size_t cells = 16;
  PackKind pack = PackKind::balanced;
  ChargerKind charger = ChargerKind::a;
  BalancerKind balancer = BalancerKind::passive;
  double offset = 0;  // V, error of the charger's voltage
  int days = 3;
  Reporting reporting = {};
  double step = 1;  // s, 0.1 or a multiple
  std::uint64_t seed = 1;
};

/// What a controller answers to a poll. `mode` stays valid until the next poll.
struct Answer {
  Limits limits;
  std::string_view mode;
};

class Regulator {
 public:
  virtual ~Regulator() = default;
  /// `reading` is nullptr when the poll failed.
  virtual Answer poll(const Battery* reading, const Now& now) = 0;
};

/// One moment of a simulation, after a poll.
struct Moment {
  double seconds;  // since midnight of the first day
  const Pack& pack;
  double current;  // A
  const Answer& answer;
};

struct Result {
  Metrics metrics;
  EnergyAccount energy;
  double stored_change = 0;  // Wh
};

/// Runs from 06:00 of the first day to 06:00 after the last.
Result simulate(const Case& one, Regulator& regulator, const std::function<void(const Moment&)>& watch = {});

/// Limits of the reference that `clairvoyant_energy` charges with.
struct Ideal {
  double cell_voltage = 3.45;  // V
  double charge_current = 50;  // A; kind A only, kind B knows no limit
  double discharge_current = 60;
};

/// Energy (as Metrics::energy) that a charger would put into the same pack that knows the true cell voltages and answers at once: it
/// holds the highest cell exactly at the limit whenever there is sun enough.
double clairvoyant_energy(const Case& one, const Ideal& ideal);

}  // namespace serialbattery::loop
