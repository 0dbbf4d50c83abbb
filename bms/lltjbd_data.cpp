// What the registers of JBD boards hold; see lltjbd.hpp. Offsets are those within the data of a reply.
#include <fmt/format.h>

#include "bms/content.hpp"
#include "bms/lltjbd.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::lltjbd {

// "UP16S010", "JBD-UP16S..."
bool Board::is_up_series() const {
  const std::string_view name = product_name;
  for (auto at = name.find("UP"); at != std::string_view::npos; at = name.find("UP", at + 1)) {
    const auto after_digits = name.find_first_not_of("0123456789", at + 2);
    if (after_digits > at + 2 && after_digits != std::string_view::npos && name[after_digits] == 'S') return true;
  }
  return false;
}

double Board::per_ah() const {
  const bool big = function_bits ? (*function_bits & big_unit_bit) != 0 : big_unit_announced;
  return big ? 10 : 100;
}

std::string version_text(std::uint8_t version) {
  return fmt::format("{}.{}", version >> 4U, version & 0xFU);
}

std::string unique_id(std::uint8_t version, double capacity) {
  // Earlier drivers held the version as a decimal number: 2.10 lost its last digit.
  const unsigned minor = version & 0xFU;
  return fmt::format("{}{}_{}Ah", version >> 4U, minor == 10 ? 1 : minor, wire::decimal(capacity));
}

namespace {

using enum wire::Type;

constexpr std::size_t fixed_part = 23;  // bytes of basic info before the temperatures

constexpr wire::Field pack_voltage[] = {{0, u16be, 100, &Battery::voltage}};

// Unit 10 mA / 10 mAh, or 100 mA / 100 mAh on big packs.
std::array<wire::Field, 3> charge_fields(double per_ah) {
  return {
      {{2, i16be, per_ah, &Battery::current}, {4, u16be, per_ah, &Battery::capacity_remaining}, {6, u16be, per_ah, &Battery::capacity}}};
}

using wire::bits;

constexpr wire::AlarmBits protection_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(), bits(0)},
    {Alarm::low_cell_voltage, bits(), bits(1)},
    {Alarm::high_voltage, bits(), bits(2)},
    {Alarm::low_voltage, bits(), bits(3)},
    {Alarm::high_charge_temperature, bits(4), bits()},
    {Alarm::low_charge_temperature, bits(5), bits()},
    {Alarm::high_temperature, bits(6), bits()},
    {Alarm::low_temperature, bits(7), bits()},
    {Alarm::high_charge_current, bits(8), bits()},
    {Alarm::high_discharge_current, bits(9), bits(10)},   // 10: short circuit
    {Alarm::internal_failure, bits(), bits(11, 13, 14)},  // front-end IC, broken FETs; 12: FETs locked by us, a state
};
constexpr unsigned locked_bit = 12;

enum FetBit : unsigned { charge_on = 1U << 0U, discharge_on = 1U << 1U, limiter_on = 1U << 2U, heater_on = 1U << 3U, big_unit = 1U << 7U };

std::string date_text(unsigned word) {
  const unsigned year = 2000 + (word >> 9U), month = (word >> 5U) & 0xFU, day = word & 0x1FU;
  if (month < 1 || month > 12 || day < 1) return {};
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

std::optional<double> temperature(Bytes data, std::size_t sensor) {
  // 2731, not 2731.5: raw 2981 is 25.0 (vendor).
  return wire::within((wire::u16be(data, fixed_part + 2 * sensor) - 2731) / 10.0, -40, 120);
}

void decode_temperatures(Bytes data, std::size_t sensors, const Board& board, Battery& battery, boost::json::object& details) {
  battery.mos_temperature.reset();
  battery.temperatures.fill(std::nullopt);
  if (sensors == 1) {  // a cell probe
    battery.temperatures[0] = temperature(data, 0);
    return;
  }
  const bool ambient_second = sensors == 6 && board.is_up_series();
  const std::size_t first_cell_sensor = ambient_second ? 2 : 1;
  if (ambient_second) details["temperatures"] = {{"ambient", or_null(temperature(data, 1))}};
  for (std::size_t sensor = 0; sensor < sensors; ++sensor) {
    if (sensor == 0) battery.mos_temperature = temperature(data, 0);
    if (sensor >= first_cell_sensor && sensor - first_cell_sensor < 4)
      battery.temperatures[sensor - first_cell_sensor] = temperature(data, sensor);
  }
}

// Newer firmware appends humidity, an alarm word, the learned capacity and a copy of the remaining capacity; it may end anywhere.
void decode_extension(Bytes data, std::size_t at, const Board& board, boost::json::object& details) {
  details.erase("humidity");
  details.erase("full_charge_capacity");
  // Boards sold as DWF... put other words there; the copy of the remaining capacity tells the real extension.
  if (data.size() >= at + 7 && wire::u16be(data, at + 5) != wire::u16be(data, 4)) return;
  if (data.size() >= at + 1) details["humidity"] = data[at];
  if (data.size() >= at + 5) details["full_charge_capacity"] = wire::u16be(data, at + 3) / board.per_ah();
}

AlarmLevel low_soc_level(double soc, const Config& config) {
  if (soc < config.soc_low_alarm) return AlarmLevel::alarm;
  return soc < config.soc_low_warning ? AlarmLevel::warning : AlarmLevel::ok;
}

}  // namespace

void decode_basic_info(Bytes data, const Config& config, Board& board, Battery& battery, boost::json::object& details) {
  require(data.size() >= fixed_part, "basic info is shorter than 23 bytes", Fault::length);
  const unsigned soc = data[19], fets = data[20], cells = data[21];
  const std::size_t sensors = data[22];
  require(data.size() >= fixed_part + 2 * sensors, "fewer temperatures than announced", Fault::length);
  require(soc <= 100, "SoC above 100 %");
  require(cells >= 1 && cells <= 32, "number of cells outside 1..32");
  require(sensors <= 16, "more than 16 temperature sensors");

  board.big_unit_announced = (fets & big_unit) != 0;
  board.sensors = sensors;
  wire::decode(pack_voltage, data, battery);
  wire::decode(charge_fields(board.per_ah()), data, battery);
  if (battery.capacity == 0) battery.capacity.reset();  // not configured
  battery.soc = soc;
  battery.history[HistoryValue::charge_cycles] = wire::u16be(data, 8);
  battery.cell_count = cells;
  battery.cells.resize(cells);
  set_balancing(battery, wire::u16be(data, 12) | std::uint64_t{wire::u16be(data, 14)} << 16U);

  const unsigned protection = wire::u16be(data, 16);
  wire::decode_alarms(protection_table, protection, battery.alarms);
  battery.alarms[Alarm::low_soc] = low_soc_level(soc, config);

  const std::uint8_t version = data[18];
  battery.charge_fet = (fets & charge_on) != 0;
  battery.discharge_fet = (fets & discharge_on) != 0;
  battery.heater.active.reset();
  if (version != 0) battery.heater.active = (fets & heater_on) != 0;  // version 0.0 sets the bit without a heater

  decode_temperatures(data, sensors, board, battery, details);
  decode_extension(data, fixed_part + 2 * sensors, board, details);

  battery.identity.hardware_version = version_text(version);
  battery.identity.production_date = date_text(wire::u16be(data, 10));
  if (battery.capacity) battery.identity.unique_id = unique_id(version, *battery.capacity);
  details["software_lock"] = wire::bit(protection, locked_bit);
  details["current_limiter"] = (fets & limiter_on) != 0;
}

void decode_cell_voltages(Bytes data, Battery& battery) {
  constexpr unsigned highest_mv = 5000;
  const std::size_t words = data.size() / 2;
  const std::size_t cells = battery.cell_count.value_or(static_cast<unsigned>(words));
  require(words >= cells, "fewer cell voltages than cells", Fault::length);
  battery.cells.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    const unsigned millivolts = wire::u16be(data, 2 * i);
    require(millivolts <= highest_mv, "cell voltage above 5 V");
    battery.cells[i].voltage = millivolts / 1000.0;  // 0 is a broken sense wire and stays in its place
  }
}

void decode_error_counters(Bytes data, boost::json::object& details) {
  static constexpr std::string_view names[] = {"short_circuit",           "charge_overcurrent",        "discharge_overcurrent",
                                               "cell_overvoltage",        "cell_undervoltage",         "charge_overtemperature",
                                               "charge_undertemperature", "discharge_overtemperature", "discharge_undertemperature",
                                               "pack_overvoltage",        "pack_undervoltage",         "restarts"};
  boost::json::object counters;
  for (std::size_t i = 0; i < std::size(names) && 2 * i + 2 <= data.size(); ++i) counters[names[i]] = wire::u16be(data, 2 * i);
  details["error_counters"] = std::move(counters);
}

std::optional<double> decode_trip_current(Bytes data, const Board& board) {
  const int raw = wire::i16be(data, 0);
  if (raw == 0) return std::nullopt;
  return std::abs(raw) / board.per_ah();
}

}  // namespace serialbattery::lltjbd
