// The complete state of control of one battery: one copyable value. A copy goes on exactly like the original.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "control/cells.hpp"
#include "control/charge_voltage.hpp"
#include "control/connection.hpp"
#include "control/controller.hpp"
#include "control/current_limit.hpp"
#include "control/history.hpp"
#include "control/internal_errors.hpp"
#include "control/measurements.hpp"
#include "control/permissions.hpp"
#include "control/settings.hpp"
#include "control/soc.hpp"
#include "control/time_to_go.hpp"

namespace serialbattery::control {

struct Controller::State {
  State(std::shared_ptr<const Settings> prepared, const Persisted& restored);

  std::shared_ptr<const Settings> settings;  // never changes; copies share it
  Duration poll_interval;

  Battery reading;  // the last good one, cleaned
  Cells cells;
  Temperatures temperatures;
  std::optional<double> voltage, current, power;  // in use; unknown while offline
  std::optional<TimePoint> last_good;
  TimePoint latest{};  // the clock of control never runs backwards

  StateOfCharge soc;
  ChargeVoltage charge_voltage;
  CurrentLimiter charge_limit, discharge_limit;
  InternalErrors errors;
  Connection connection;
  AverageCurrent average;
  std::optional<Midpoint> midpoint;
  TimeToGo time_to_go;
  HistoryKeeper history;
  ServiceState service_state;
  Permissions permissions;
  std::optional<TimePoint> started;
  bool soc_reset_pending = false;                            // tell the BMS "SoC = 100 %"
  std::uint32_t reported = 0;                                // causes that stand in the log already, one bit each
  std::optional<bool> sensor_current_used, sensor_soc_used;  // external sensor, for the log
  StepProbe probe = nullptr;
  Snapshot snapshot;

  /// Time without sure data after which holds start again, s.
  [[nodiscard]] double gap_limit() const;
  [[nodiscard]] ChargeVoltageInputs charge_voltage_inputs() const;
  [[nodiscard]] LimitInputs charge_inputs() const;
  [[nodiscard]] LimitInputs discharge_inputs() const;
  [[nodiscard]] HistoryInputs history_inputs() const;
};

}  // namespace serialbattery::control
