// Sinowealth controllers: framing, registers, alarms. Pure functions.
#include <algorithm>
#include <boost/crc.hpp>

#include "bms/sinowealth.hpp"

namespace serialbattery::sinowealth {

namespace {

constexpr std::uint8_t start_mark = 0x0A;

// Plain numbers, and between which they have to lie.
struct Number {
  std::uint8_t command;
  wire::Type type;
  double per_unit;
  std::optional<double> Battery::*target;
  double lowest, highest;
};
constexpr Number numbers[] = {
    {pack_voltage, wire::Type::u16be, 1000, &Battery::voltage, 4.5, 50},  // narrower once the cells are known
    {pack_current, wire::Type::i32be, 1000, &Battery::current, -1000, 1000},
    {full_capacity, wire::Type::i32be, 1000, &Battery::capacity, 0, 5000},
    {remaining_capacity, wire::Type::i32be, 1000, &Battery::capacity_remaining, 0, 5000},
};

constexpr wire::AlarmBits alarm_table[] = {
    {Alarm::high_voltage, 0, wire::bits(0)},
    {Alarm::low_voltage, 0, wire::bits(1)},
    {Alarm::high_charge_current, 0, wire::bits(2)},
    {Alarm::high_discharge_current, 0, wire::bits(3, 13)},  // short circuit
    {Alarm::high_charge_temperature, 0, wire::bits(8)},
    {Alarm::high_temperature, 0, wire::bits(9)},
    {Alarm::low_charge_temperature, 0, wire::bits(10)},
    {Alarm::low_temperature, 0, wire::bits(11)},
    {Alarm::high_cell_voltage, 0, wire::bits(12)},  // protection of the measuring chip
    {Alarm::internal_failure, 0, wire::bits(14)},   // broken wire
};
enum StatusBit : unsigned { charge_on = 1U << 0U, discharge_on = 1U << 1U, charges = 1U << 2U, discharges = 1U << 3U };
constexpr unsigned fewest_cells = 3, cells_mask = 0x07, two_sensors = 1U << 6U;

std::uint8_t crc(Bytes request, Bytes data) {
  boost::crc_optimal<8, 0x07, 0, 0, false, false> sum;
  sum.process_bytes(request.data(), request.size());
  sum.process_bytes(data.data(), data.size());
  return sum.checksum();
}

double in_range(double value, double lowest, double highest, const char* what) {
  require(value >= lowest && value <= highest, what);
  return value;
}

std::optional<double> temperature(std::uint16_t decikelvin) {
  if (decikelvin == 0) return std::nullopt;
  return in_range((decikelvin - 2731) / 10.0, -40, 120, "Sinowealth: impossible temperature");
}

void decode_cell(std::uint8_t command, std::uint16_t millivolts, Battery& into) {
  const std::size_t cell = command - std::size_t{first_cell};
  if (!into.cell_count) into.cells.resize(std::max(into.cells.size(), cell + 1));  // a recording without the configuration
  require(cell < into.cells.size(), "Sinowealth: a cell beyond the last one");
  into.cells[cell].voltage = in_range(millivolts / 1000.0, 0, 5, "Sinowealth: impossible cell voltage");
}

void decode_number(const Number& number, Bytes data, Battery& into) {
  const double value = static_cast<double>(wire::read(data, 0, number.type)) / number.per_unit;
  into.*number.target = in_range(value, number.lowest, number.highest, "Sinowealth: impossible number");
  if (number.command != pack_voltage || !into.cell_count) return;
  in_range(value, 1.5 * *into.cell_count, 5.0 * *into.cell_count, "Sinowealth: pack voltage outside 1.5..5 V per cell");
}

}  // namespace

std::uint8_t length_of(std::uint8_t command) {
  return command >= pack_current && command <= remaining_capacity ? 4 : 2;
}

ByteVector request_for(std::uint8_t command, std::uint8_t length) {
  return {start_mark, command, length};
}

bool is_request(Bytes bytes) {
  const bool well_formed = bytes.size() == 3 && bytes[0] == start_mark && (bytes[2] == 2 || bytes[2] == 4);
  return well_formed && bytes[1] >= first_cell && bytes[1] <= pack_config && bytes[2] >= length_of(bytes[1]);
}

Scan scan_answer(Bytes seen, Bytes request) {
  const std::size_t wanted = request[2] + 1U;
  const bool echoed = seen.size() >= request.size() && std::ranges::equal(seen.first(request.size()), request);
  if (echoed && seen.size() == request.size())  // an echo alone, whose answer may still come
    return Scan::searching(seen.size() == wanted ? Fault::checksum : Fault::timeout);
  const std::size_t begin = echoed ? request.size() : 0;
  const Bytes answer = seen.subspan(begin);
  if (answer.empty()) return Scan::searching();
  if (answer.size() < wanted) return Scan::started(Fault::timeout);
  if (answer.size() > wanted) return Scan::started(Fault::length, "more bytes than asked for");
  return crc(request, answer.first(wanted - 1)) == answer.back() ? Scan::found(begin, seen.size()) : Scan::started(Fault::checksum);
}

void decode(std::uint8_t command, Bytes data, Battery& into, Board& board) {
  const auto number = std::ranges::find(numbers, command, &Number::command);
  if (number != std::end(numbers)) return decode_number(*number, data, into);
  const std::uint16_t word = wire::u16be(data, 0);
  switch (command) {
    case sensor_1:
    case sensor_2: into.temperatures[command - std::size_t{sensor_1}] = temperature(word); break;
    case controller_temperature: break;
    case state_of_charge: into.soc = in_range(word & 0xFFU, 0, 100, "Sinowealth: impossible SoC"); break;
    case cycle_count: into.history[HistoryValue::charge_cycles] = word; break;
    case pack_status:
      into.charge_fet = (word & charge_on) != 0;
      into.discharge_fet = (word & discharge_on) != 0;
      board.charges = (word & charges) != 0;
      board.discharges = (word & discharges) != 0;
      break;
    case battery_status: wire::decode_alarms(alarm_table, word, into.alarms); break;
    case pack_config:
      into.cell_count = (word & cells_mask) + fewest_cells;
      into.cells.resize(*into.cell_count);
      board.sensors = (word & two_sensors) != 0 ? 2 : 1;
      break;
    default: require(command <= last_cell, "Sinowealth: a register without a meaning"); decode_cell(command, word, into);
  }
}

}  // namespace serialbattery::sinowealth
