// Frames and contents of ANT boards: tables, checks. Pure functions.
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/ant.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::ant {

namespace {

using enum wire::Type;

constexpr std::uint8_t old_head[] = {0xAA, 0x55, 0xAA, 0xFF};
constexpr std::uint8_t new_head[] = {0x7E, 0xA1};
constexpr std::uint8_t new_tail[] = {0xAA, 0x55};
constexpr std::size_t old_size = 140, value_size = 6, new_data = 6, device_extra = 6;

struct Place {
  std::size_t at;
  wire::Type type;
  double per_unit = 1;
};

// Where the values of a status lie. Offsets of the new one count from behind its lists of cells and sensors.
struct Layout {
  Place voltage, current, soc, capacity, remaining, throughput, drawn, runtime, power;
  Place mosfet, balancer, charge_code, discharge_code, balancer_code, balancing;
  wire::Type cell, sensor;
};
constexpr Layout old_layout{.voltage = {4, u16be, 10},
                            .current = {70, i32be, -10},  // raw: positive while discharging
                            .soc = {74, u8},
                            .capacity = {75, u32be, 1e6},
                            .remaining = {79, u32be, 1e6},
                            .throughput = {83, u32be, 1000},
                            .drawn = {83, u32be, 1000},
                            .runtime = {87, u32be},
                            .power = {111, i32be},  // positive while discharging
                            .mosfet = {91, i16be},
                            .balancer = {93, i16be},
                            .charge_code = {103, u8},
                            .discharge_code = {104, u8},
                            .balancer_code = {105, u8},
                            .balancing = {132, u32be},
                            .cell = u16be,
                            .sensor = i16be};
constexpr std::size_t old_cells = 6, old_sensors = 95, old_cell_count = 123;
constexpr Layout new_layout{.voltage = {4, u16le, 100},
                            .current = {6, i16le, -10},
                            .soc = {8, u16le},
                            .capacity = {16, u32le, 1e6},
                            .remaining = {20, u32le, 1e6},
                            .throughput = {24, u32le, 1000},
                            .drawn = {62, u32le, 1000},
                            .runtime = {32, u32le},
                            .power = {28, i32le},
                            .mosfet = {0, i16le},
                            .balancer = {2, i16le},
                            .charge_code = {13, u8},  // after the other one, unlike in the old layout
                            .discharge_code = {12, u8},
                            .balancer_code = {14, u8},
                            .balancing = {36, u32le},
                            .cell = u16le,
                            .sensor = i16le};
constexpr Place new_health{10, u16le}, new_charged{66, u32le, 1000};
constexpr std::size_t new_cells = 34, new_sensor_count = 8, new_cell_count = 9, new_values_size = 78;

// Why a switch is off, by its code. 00, 0F: by hand; 04 full, 0B the other switch is on, 0E waits.
constexpr std::optional<Alarm> none;
struct Cause {
  std::uint8_t code;
  std::optional<Alarm> charging, discharging;
};
constexpr Cause causes[] = {
    {0x02, Alarm::high_cell_voltage, Alarm::low_cell_voltage},
    {0x03, Alarm::high_charge_current, Alarm::high_discharge_current},
    {0x04, none, Alarm::high_discharge_current},  // second level
    {0x05, Alarm::high_voltage, Alarm::low_voltage},
    {0x06, Alarm::high_charge_temperature, Alarm::high_temperature},
    {0x07, Alarm::high_internal_temperature, Alarm::high_internal_temperature},  // MOSFETs
    {0x08, Alarm::internal_failure, Alarm::internal_failure},                    // abnormal current
    {0x09, Alarm::internal_failure, Alarm::internal_failure},                    // balance wire lost
    {0x0A, Alarm::high_internal_temperature, Alarm::high_internal_temperature},  // board
    {0x0C, Alarm::internal_failure, Alarm::high_discharge_current},              // did not open; short circuit
    {0x0D, Alarm::internal_failure, Alarm::internal_failure},                    // discharge MOSFET
    {0x0E, none, Alarm::internal_failure},                                       // did not start
    {0x10, Alarm::high_cell_voltage, Alarm::low_cell_voltage},                   // second level
    {0x11, Alarm::low_charge_temperature, Alarm::low_temperature},
    {0x12, Alarm::cell_imbalance, Alarm::cell_imbalance},
    {0x13, none, Alarm::internal_failure},  // self-test
    {0x14, Alarm::internal_failure, none},  // self-test
};
constexpr std::uint8_t switched_on = 1, balances = 4;

void decode_causes(std::uint8_t charging, std::uint8_t discharging, Alarms& alarms) {
  for (const Cause& cause : causes) {
    if (cause.charging) alarms[*cause.charging] = AlarmLevel::ok;
    if (cause.discharging) alarms[*cause.discharging] = AlarmLevel::ok;
  }
  for (const Cause& cause : causes) {
    if (cause.code == charging && cause.charging) wire::raise(alarms, *cause.charging, AlarmLevel::alarm);
    if (cause.code == discharging && cause.discharging) wire::raise(alarms, *cause.discharging, AlarmLevel::alarm);
  }
}

double number(Bytes values, const Place& place) {
  const auto raw = static_cast<double>(wire::read(values, place.at, place.type));
  return raw == 0 ? 0 : raw / place.per_unit;  // no negative zero
}

std::optional<double> temperature(std::int64_t celsius) {
  constexpr std::int64_t not_fitted = -40;
  return celsius == not_fitted ? std::nullopt : std::optional(static_cast<double>(celsius));
}

void decode_cells(Bytes cells, std::size_t count, wire::Type type, std::uint32_t balancing, Battery& into) {
  into.cell_count = static_cast<unsigned>(count);
  into.cells.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    into.cells[i] = {.voltage = static_cast<double>(wire::read(cells, 2 * i, type)) / 1000, .balancing = ((balancing >> i) & 1U) != 0};
}

void decode_values(const Layout& layout, Bytes values, Battery& into, boost::json::object& note) {
  const auto get = [values](const Place& place) { return number(values, place); };
  const double per_cell = get(layout.voltage) / static_cast<double>(into.cells.size());
  require(per_cell >= 1 && per_cell <= 5, "ANT: pack voltage outside 1..5 V per cell");
  require(std::abs(get(layout.current)) <= 1000, "ANT: current outside -1000..1000 A");
  require(get(layout.soc) <= 100, "ANT: SoC above 100 %");
  into.voltage = get(layout.voltage);
  into.current = get(layout.current);
  into.soc = get(layout.soc);
  const double capacity = get(layout.capacity);
  into.capacity = capacity > 0 ? std::optional(capacity) : std::nullopt;  // some boards never tell it
  into.capacity_remaining = get(layout.remaining);
  into.history[HistoryValue::total_ah_drawn] = get(layout.drawn);
  into.mos_temperature = temperature(wire::read(values, layout.mosfet.at, layout.mosfet.type));
  const auto code = [values](const Place& place) { return wire::u8(values, place.at); };
  into.charge_fet = code(layout.charge_code) == switched_on;
  into.discharge_fet = code(layout.discharge_code) == switched_on;
  decode_causes(code(layout.charge_code), code(layout.discharge_code), into.alarms);
  const auto balancing = [](const Cell& cell) { return cell.balancing == true; };
  into.balancing = code(layout.balancer_code) == balances || std::ranges::any_of(into.cells, balancing);
  note["total_ah"] = get(layout.throughput);
  note["runtime"] = get(layout.runtime);
  note["power"] = get(layout.power);
  note["charge_code"] = code(layout.charge_code);
  note["discharge_code"] = code(layout.discharge_code);
  const auto balancer = temperature(wire::read(values, layout.balancer.at, layout.balancer.type));
  note["temperatures"] = boost::json::object{{"balancer", or_null(balancer)}};
}

void decode_sensors(Bytes sensors, std::size_t count, wire::Type type, Battery& into) {
  into.temperatures.fill(std::nullopt);
  for (std::size_t i = 0; i < std::min(count, into.temperatures.size()); ++i)
    into.temperatures[i] = temperature(wire::read(sensors, 2 * i, type));
}

std::uint32_t mask(Bytes values, const Place& place) {
  return static_cast<std::uint32_t>(wire::read(values, place.at, place.type));
}

void require_cells(std::size_t count) {
  require(count >= 1 && count <= 32, "ANT: number of cells outside 1..32");
}

// What the bytes from a possible head on are.
Scan scan_frame(Bytes rest, Kind kind, std::uint8_t function) {
  if (kind == Kind::old_status) {
    if (rest.size() < old_size) return Scan::started(Fault::timeout);
    const bool good = (wire::sum(rest.subspan(4, 134)) & 0xFFFFU) == wire::u16be(rest, 138);
    return good ? Scan::found(0, old_size) : Scan::searching(Fault::checksum);
  }
  if (kind == Kind::capacity_low || kind == Kind::capacity_high) {
    if (rest.size() < value_size) return Scan::started(Fault::timeout);
    return (wire::sum(rest.subspan(2, 3)) & 0xFFU) == rest[5] ? Scan::found(0, value_size) : Scan::searching(Fault::checksum);
  }
  if (rest.size() > 2 && rest[2] != function) return Scan::searching();
  if (rest.size() < new_data) return Scan::started(Fault::timeout);
  const std::size_t crc_at = new_data + rest[5], size = crc_at + 4;
  if (rest.size() < size) return Scan::started(Fault::timeout);
  if (wire::crc_modbus(rest.subspan(1, crc_at - 1)) != wire::u16le(rest, crc_at)) return Scan::searching(Fault::checksum);
  const auto ends_at = [rest](std::size_t end) { return std::ranges::equal(rest.subspan(end - 2, 2), new_tail); };
  if (ends_at(size)) {
    if (kind == Kind::new_device) return rest[5] >= 32 ? Scan::found(0, size) : Scan::searching(Fault::length);
    const std::size_t lists = 2U * (rest[new_sensor_count] + rest[new_cell_count]);
    const bool fits = rest[5] > 3 && new_cells + lists + new_values_size <= crc_at;
    return fits ? Scan::found(0, size) : Scan::searching(Fault::length);
  }
  if (kind != Kind::new_device) return Scan::searching(Fault::length);
  if (rest.size() < size + device_extra) return Scan::started(Fault::timeout);
  return ends_at(size + device_extra) && rest[5] >= 32 ? Scan::found(0, size + device_extra) : Scan::searching(Fault::length);
}

// checksum goes before length, length before timeout.
Fault graver(Fault one, Fault other) {
  const auto gravity = [](Fault fault) { return fault == Fault::checksum ? 2 : fault == Fault::length ? 1 : 0; };
  return gravity(other) > gravity(one) ? other : one;
}

}  // namespace

std::optional<Kind> kind_of(Bytes request) {
  const auto starts = [request](std::initializer_list<std::uint8_t> head) {
    return request.size() >= head.size() && std::equal(head.begin(), head.end(), request.begin());
  };
  if (request.size() == value_size && (starts({0xDB, 0xDB}) || starts({0x5A, 0x5A, 0x00}))) return Kind::old_status;
  if (std::ranges::equal(request, capacity_low_request)) return Kind::capacity_low;
  if (std::ranges::equal(request, capacity_high_request)) return Kind::capacity_high;
  if (request.size() == std::size(new_request) && starts({0x7E, 0xA1, 0x01})) return Kind::new_status;
  if (request.size() == std::size(device_request) && starts({0x7E, 0xA1, 0x02})) return Kind::new_device;
  return std::nullopt;
}

Scan scan_answer(Bytes seen, Bytes request) {
  const Kind kind = *kind_of(request);
  const bool modern = kind == Kind::new_status || kind == Kind::new_device;
  const Bytes head = modern ? Bytes(new_head) : kind == Kind::old_status ? Bytes(old_head) : request.first(3);
  const auto function = static_cast<std::uint8_t>(request[2] | 0x10U);
  Fault worst = Fault::timeout;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    if (rest.size() < head.size() || !std::ranges::equal(rest.first(head.size()), head)) continue;
    const Scan frame = scan_frame(rest, kind, function);
    worst = graver(worst, frame.fault);
    if (frame.status == Scan::Status::complete) return Scan::found(at, at + frame.end);
    if (frame.status == Scan::Status::started) return Scan::started(worst);
  }
  return Scan::searching(worst);
}

void decode_status(Kind kind, Bytes frame, Battery& into, boost::json::object& note) {
  const bool old = kind == Kind::old_status;
  const Layout& layout = old ? old_layout : new_layout;
  const std::size_t cells = wire::u8(frame, old ? old_cell_count : new_cell_count);
  const std::size_t sensors = old ? into.temperatures.size() : wire::u8(frame, new_sensor_count);
  require_cells(cells);
  const std::size_t sensors_at = old ? old_sensors : new_cells + 2 * cells;
  const Bytes values = old ? frame : frame.subspan(sensors_at + 2 * sensors);
  decode_cells(frame.subspan(old ? old_cells : new_cells), cells, layout.cell, mask(values, layout.balancing), into);
  decode_sensors(frame.subspan(sensors_at), sensors, layout.sensor, into);
  decode_values(layout, values, into, note);
  if (old) return;
  into.soh = number(values, new_health);
  note["total_ah_charged"] = number(values, new_charged);
}

void decode_device(Bytes frame, Identity& into, boost::json::object& note) {
  into.model = wire::text(frame.subspan(new_data, 16));
  into.firmware_version = wire::text(frame.subspan(new_data + 16, 16));
  note["device_model"] = into.model;
  note["software_version"] = into.firmware_version;
}

std::uint16_t decode_value(Bytes frame) {
  return wire::u16be(frame, 3);
}

}  // namespace serialbattery::ant
