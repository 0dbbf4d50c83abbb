// The complete state of control of one battery: its start, and what the single controllers see of it.
#include "control/state.hpp"

#include <algorithm>

namespace serialbattery::control {
namespace {

constexpr double kShortestGap = 10;  // s
constexpr double kGapPolls = 3;      // poll intervals

InternalErrors::Configuration validity(const Config& config) {
  const bool invalid = config.has_errors || config.blocked.charge || config.blocked.discharge;
  return invalid ? InternalErrors::Configuration::invalid : InternalErrors::Configuration::valid;
}

}  // namespace

Controller::State::State(std::shared_ptr<const Settings> prepared, const Persisted& restored)
    : settings(std::move(prepared)),
      poll_interval(settings->traits.poll_interval),
      soc(settings->config, restored.soc_calc),
      charge_voltage(settings->config, {restored.allow_max_voltage, restored.max_voltage_start_time, restored.soc_reset_last_reached}),
      errors(validity(settings->config)),
      time_to_go(settings->config),
      history(restored.history, settings->traits.counted_by_bms),
      service_state(errors.code() ? ServiceState::error : ServiceState::initialising) {
  snapshot.connection_information.reserve(Connection::kLongestText);
  snapshot.charge_mode.reserve(ChargeVoltage::kLongestText);
  snapshot.charge_limitation.reserve(CurrentLimiter::kLongestText);
  snapshot.discharge_limitation.reserve(CurrentLimiter::kLongestText);
}

double Controller::State::gap_limit() const {
  return std::max(kShortestGap, kGapPolls * std::chrono::duration<double>(poll_interval).count());
}

ChargeVoltageInputs Controller::State::charge_voltage_inputs() const {
  return {.cells = cells,
          .pack_voltage = reading.voltage,
          .soc = soc.value(),
          .current = current,
          .capacity = reading.capacity,
          .stated_charge_voltage = reading.limits.charge_voltage,
          .stated_low_voltage = reading.limits.low_voltage,
          .heating = reading.heater.active.value_or(false),
          .gap_limit = gap_limit()};
}

LimitInputs Controller::State::charge_inputs() const {
  return {
      .stated = reading.limits.charge_current,
      .cell = cells.control_highest(),
      .cell_fraction = charge_fraction(settings->config, charge_voltage.highest_allowed_cell(settings->config), cells.control_highest()),
      .coldest = temperatures.lowest(),
      .hottest = temperatures.highest(),
      .mosfet = temperatures.mosfet(),
      .soc = soc.value(),
      .fet = reading.charge_fet,
      .cells_lost = cells.lost(),
      .temperatures_lost = temperatures.lost(),
      .mosfet_lost = temperatures.mosfet_lost(),
      .soc_lost = soc.lost()};
}

LimitInputs Controller::State::discharge_inputs() const {
  LimitInputs in = charge_inputs();
  in.stated = reading.limits.discharge_current;
  in.cell = cells.control_lowest();
  in.cell_fraction.reset();
  in.fet = reading.discharge_fet;
  return in;
}

HistoryInputs Controller::State::history_inputs() const {
  return {.cell_count = cells.count(),
          .capacity = reading.capacity,
          .consumed = consumed(reading.capacity, remaining_capacity(settings->config, reading, soc.value())),
          .soc = soc.value(),
          .average = average.value(),
          .voltage = voltage,  // unknown while offline
          .lowest_cell = cells.shown_lowest(),
          .highest_cell = cells.shown_highest(),
          .coldest = temperatures.lowest(),
          .hottest = temperatures.highest()};
}

}  // namespace serialbattery::control
