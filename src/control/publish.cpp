// State -> Snapshot.
#include "control/publish.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "control/alarms.hpp"
#include "control/debug_text.hpp"
#include "control/farewell.hpp"
#include "control/numbers.hpp"

namespace serialbattery::control {
namespace {

using State = Controller::State;

void write_cell_id(std::string& out, std::optional<std::size_t> index) {
  out.clear();
  if (!index) return;
  std::array<char, 24> number{};
  const auto printed = std::to_chars(number.data(), number.data() + number.size(), *index + 1);
  out.append(1, 'C').append(number.data(), printed.ptr);
}

void write_sensor_name(std::string& out, const State& s, std::optional<std::size_t> sensor) {
  out.clear();
  if (sensor) out.append(*s.settings->temperature_names[*sensor]);
}

void fill_link(const State& s, Snapshot& out) {
  out.connection_information = s.connection.information();
  out.online = s.connection.online();
  out.cable_alarm = s.connection.cable_alarm();
  out.hardware_version = s.reading.identity.hardware_version;
  out.device_name = s.reading.identity.custom_field;
}

void fill_state(const State& s, Snapshot& out) {
  out.state = static_cast<int>(s.service_state);
  out.mode = mode_of(s.service_state, s.permissions);
  out.device_state = device_state_of(s.reading.alarms, s.permissions);
  out.error_code = s.errors.code();
  out.allow_charge = s.permissions.charge;
  out.allow_discharge = s.permissions.discharge;
  out.allow_balance = s.reading.balance_fet;
  out.allow_heat = s.reading.heater.allowed;
}

void fill_measurements(const State& s, Snapshot& out) {
  out.voltage = s.voltage;
  out.current = s.current;
  out.power = s.power;
  out.current_avg = s.average.value();
  out.soc = s.soc.value();
  out.soc_bms = s.reading.soc;
  out.soh = s.reading.soh;
  out.capacity = remaining_capacity(s.settings->config, s.reading, s.soc.value());
  out.capacity_bms = s.reading.capacity_remaining;
  out.installed_capacity = s.reading.capacity;
  out.consumed_ah = consumed(s.reading.capacity, out.capacity);
  out.consumed_ah_bms = consumed(s.reading.capacity, s.reading.capacity_remaining);
  out.mid_voltage = s.midpoint ? std::optional(s.midpoint->voltage) : std::nullopt;
  out.mid_voltage_deviation = s.midpoint ? std::optional(s.midpoint->deviation) : std::nullopt;
  out.heater = s.reading.heater;
}

void fill_cells(const State& s, Snapshot& out) {
  out.cell_count = s.cells.count();
  out.cells = s.cells.cells();
  out.cell_sum.reset();
  out.cell_diff.reset();
  out.min_cell_voltage = s.cells.shown_lowest();
  out.max_cell_voltage = s.cells.shown_highest();
  write_cell_id(out.min_cell_id, s.cells.lowest_index());
  write_cell_id(out.max_cell_id, s.cells.highest_index());
  if (s.cells.known() > 0) {
    double sum = 0;
    for (const auto& cell : out.cells) sum += cell.voltage.value_or(0);
    out.cell_sum = sum;
    out.cell_diff = *out.cells[*s.cells.highest_index()].voltage - *out.cells[*s.cells.lowest_index()].voltage;
  }
  const bool told = std::any_of(out.cells.begin(), out.cells.end(), [](const Cell& cell) { return cell.balancing.has_value(); });
  out.balancing = s.reading.balancing;
  if (told) out.balancing = s.cells.balancing() || s.reading.balancing.value_or(false);
}

void fill_temperatures(const State& s, Snapshot& out) {
  out.temperatures = s.temperatures.sensors();
  out.mos_temperature = s.temperatures.mosfet();
  out.temperature = s.temperatures.battery();
  out.min_temperature = s.temperatures.lowest();
  out.max_temperature = s.temperatures.highest();
  write_sensor_name(out.min_temperature_id, s, s.temperatures.lowest_sensor());
  write_sensor_name(out.max_temperature_id, s, s.temperatures.highest_sensor());
}

void fill_limits(const State& s, Snapshot& out) {
  const auto& voltage = s.charge_voltage;
  out.cvl = voltage.published(s.settings->config);
  out.max_cell_charge_voltage = s.cells.count() > 0 ? round_to(voltage.maximum() / s.cells.count(), 3) : 0;
  out.low_voltage = voltage.minimum();
  out.charge_mode = voltage.text();
  out.ccl = s.charge_limit.limit().value_or(0);
  out.dcl = s.discharge_limit.limit().value_or(0);
  out.charge_limitation = s.charge_limit.text();
  out.discharge_limitation = s.discharge_limit.text();
}

}  // namespace

void fill_snapshot(State& s, const Now& now) {
  Snapshot& out = s.snapshot;
  fill_link(s, out);
  fill_state(s, out);
  fill_measurements(s, out);
  fill_cells(s, out);
  fill_temperatures(s, out);
  fill_limits(s, out);
  const auto& voltage = s.charge_voltage;
  out.alarms = published_alarms(s.reading.alarms, high_voltage_suppressed(voltage.reset_requested(), voltage.last_reset(), now.wall));
  out.history = s.history.values();
  out.time_since_last_full_charge = s.history.time_since_full_charge(now);
  out.time_to_go = s.time_to_go.time_to_go();
  out.time_to_soc = s.time_to_go.time_to_soc();
  fill_debug_texts(s, now);
}

void fill_safe_snapshot(State& s) noexcept {
  Snapshot& out = s.snapshot;
  allow_nothing(out);
  out.cvl = std::min(out.cvl, s.charge_voltage.published(s.settings->config));
}

}  // namespace serialbattery::control
