// What a BMS would decide by itself; on the MNB board the driver does: contactors, balancing, state of charge. No chip, no clock.
#pragma once

#include <array>
#include <string>

#include "bms/mnb.hpp"
#include "serialbattery/clock.hpp"
#include "serialbattery/host.hpp"

namespace serialbattery::mnb {

/// MAX_CELL_VOLTAGE and MIN_CELL_VOLTAGE, V.
struct CellLimits {
  double max;
  double min;
};

/// One value for each pin.
struct Outputs {
  bool charge = false;     // contactor of the chargers
  bool load = false;       // contactor of the loads
  bool generator = false;  // start request
  bool fan = false;
  bool operator==(const Outputs&) const = default;
};

/// What the outputs become after a good measurement; between the thresholds they stay as they are.
Outputs decide(const Outputs& now, const Battery& measured, const CellLimits& limits);

/// The outputs on their pins. Without a host nothing is switched. Functions throw LinkError(io) unless they say otherwise.
class Switchboard {
 public:
  explicit Switchboard(Host* host) : host_(host) {}
  /// The contactors stay as they are; generator and fan go off.
  void take();
  /// What the last good measurement wants.
  [[nodiscard]] const Outputs& wanted() const { return wanted_; }
  void set(const Outputs& wanted);
  /// The contactors go off until the next set(). True: they were not yet. Never throws.
  bool force_off(const std::string& port) noexcept;

 private:
  Host* host_;
  Outputs wanted_;
  bool forced_off_ = false;
};

/// How the balancer is to be started.
struct BalancePlan {
  std::array<std::uint16_t, cell_count> timers{};  // share of the period in which the cell is discharged, 0..15
  std::uint16_t duty = 0;                          // 0..15
  [[nodiscard]] bool any() const;
};

/// Whether cells may be balanced now. `supply_fault`: bits of fmea1 that forbid it, unless a cell is too high.
bool wants_balancing(const Battery& measured, bool supply_fault);
BalancePlan plan_balancing(const Battery& measured);

/// Charge in the battery, from the current. Full and empty cells correct it.
class ChargeCounter {
 public:
  /// `start`: %; `capacity`: Ah.
  ChargeCounter(double capacity, double start);
  void count(const Battery& measured, const CellLimits& limits, TimePoint now);
  [[nodiscard]] double capacity() const { return capacity_; }  // Ah
  [[nodiscard]] double charge() const { return charge_; }      // Ah
  [[nodiscard]] double soc() const { return charge_ / capacity_ * 100; }

 private:
  double capacity_;
  double charge_;
  std::optional<TimePoint> counted_;
};

}  // namespace serialbattery::mnb
