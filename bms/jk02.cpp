// Layout of the 300-byte JK records; see jk02.hpp. All offsets count from the mark.
#include "bms/jk02.hpp"

#include <bit>
#include <charconv>

#include "serialbattery/errors.hpp"

namespace serialbattery::jk02 {

namespace {

using enum wire::Type;

constexpr unsigned most_cells = 32;

// --- Status ---

constexpr wire::Field status_fields[] = {
    {150, u32le, 1000, &Battery::voltage}, {158, i32le, 1000, &Battery::current},
    {173, u8, 1, &Battery::soc},           {174, i32le, 1000, &Battery::capacity_remaining},
    {190, u8, 1, &Battery::soh},
};
constexpr std::size_t cell_voltages = 6, cells_present = 70, balancer = 172, cycles = 182, throughput = 186, runtime = 194,
                      charge_fet = 198, discharge_fet = 199, sensors_present = 214, heater_on = 215, heater_current = 236;

using wire::bits;

constexpr wire::AlarmBits alarm_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_internal_temperature, bits(), bits(1)},  // MOSFET
    {Alarm::high_cell_voltage, bits(), bits(4)},
    {Alarm::high_voltage, bits(), bits(5)},
    {Alarm::high_charge_current, bits(), bits(6, 7)},  // 7: short circuit
    {Alarm::high_charge_temperature, bits(), bits(8)},
    {Alarm::low_charge_temperature, bits(), bits(9)},
    {Alarm::low_cell_voltage, bits(), bits(11)},
    {Alarm::low_voltage, bits(), bits(12)},
    {Alarm::high_discharge_current, bits(), bits(13, 14, 25, 26)},  // 14: short circuit
    {Alarm::high_temperature, bits(), bits(15, 21)},
    {Alarm::low_temperature, bits(), bits(27)},
    {Alarm::internal_failure, bits(10, 20, 22, 23, 24), bits(2, 3, 16, 17)},  // names: jk02.hpp
    {Alarm::low_soc, bits(), bits()},                                         // not among the bits; shown as "no alarm" all the same
    {Alarm::cell_imbalance, bits(), bits()},                                  // likewise
};

// Numbers of a dotted version: "15.41" is {15, 41}, so that 15.5 comes before 15.41.
std::vector<unsigned> numbers(std::string_view version) {
  std::vector<unsigned> result;
  for (const char* at = version.data(); at != version.data() + version.size();) {
    unsigned value = 0;
    const auto [behind, error] = std::from_chars(at, version.data() + version.size(), value);
    if (error == std::errc{}) result.push_back(value);
    at = behind == at ? at + 1 : behind;
  }
  return result;
}

std::optional<double> temperature(Bytes record, std::size_t offset, unsigned present_bit) {
  constexpr int no_sensor = -2000;
  const int tenths = wire::i16le(record, offset);
  const bool present = ((record[sensors_present] >> present_bit) & 1U) != 0;
  if (!present || tenths == no_sensor) return std::nullopt;
  return tenths / 10.0;
}

// The third sensor of the vendor's list, at 254, repeats the MOSFET on PB boards. Firmware before 14 leaves 256 and 258 at 0.
void decode_temperatures(Bytes record, const Board& board, Battery& next) {
  constexpr std::size_t third = 256, fourth = 258;
  next.mos_temperature = temperature(record, 144, 0);
  next.temperatures = {temperature(record, 162, 1), temperature(record, 164, 2)};
  const std::vector<unsigned> software = numbers(board.software);
  const bool four =
      board.about_known ? !software.empty() && software[0] >= 14 : wire::i16le(record, third) != 0 || wire::i16le(record, fourth) != 0;
  if (!four) return;
  next.temperatures[2] = temperature(record, third, 4);
  next.temperatures[3] = temperature(record, fourth, 5);
}

// The current field holds junk unless the heater is on; it is negative while it draws.
void decode_heater(Bytes record, Battery& next) {
  next.heater.active = record[heater_on] != 0;
  next.heater.current = *next.heater.active ? std::abs(wire::i16le(record, heater_current)) / 1000.0 : 0.0;
  next.heater.power = *next.heater.current * next.voltage.value_or(0);
}

std::vector<unsigned> millivolts(Bytes record, unsigned cells) {
  std::vector<unsigned> result(cells);
  for (unsigned i = 0; i < cells; ++i) result[i] = wire::u16le(record, cell_voltages + 2 * i);
  return result;
}

// --- Settings ---

constexpr wire::Field settings_fields[] = {{130, u32le, 1000, &Battery::capacity}};
constexpr std::size_t charge_limit = 50, discharge_limit = 62, charge_cold = 98, charge_cold_over = 102, cell_count = 114,
                      balance_switch = 126, control_bits = 282, heating_start = 284, heating_stop = 285;

// Which boards have thresholds of their own for heating; the others heat where charging is too cold. Plain byte order: "15.XA" < "15A".
void apply_heating_thresholds(const Board& board, Heater& heater) {
  const std::vector<unsigned> since{15, 41};
  const bool newer = board.hardware > "15A" || (board.hardware == "15A" && numbers(board.software) >= since);
  const auto& thresholds = newer ? board.heating : board.charge_too_cold;
  heater.start = thresholds ? std::optional(thresholds->start) : std::nullopt;
  heater.stop = thresholds ? std::optional(thresholds->stop) : std::nullopt;
}

}  // namespace

bool sum_fits(Bytes record) {
  return record.back() == (wire::sum(record.first(record.size() - 1)) & 0xFFU);
}

std::optional<std::size_t> find_mark(Bytes seen, std::size_t from) {
  const auto found =
      std::search(seen.begin() + static_cast<std::ptrdiff_t>(std::min(from, seen.size())), seen.end(), std::begin(mark), std::end(mark));
  if (found == seen.end()) return std::nullopt;
  return static_cast<std::size_t>(found - seen.begin());
}

void decode_status(Bytes record, const Board& board, jk::CellReader& cells, Battery& next, boost::json::object& details) {
  wire::decode(status_fields, record, next);
  require(*next.soc <= 100, "JK: SoC above 100 %");
  if (*next.soh > 100) next.soh.reset();
  const unsigned fitted = static_cast<unsigned>(std::popcount(wire::u32le(record, cells_present)));
  require(fitted != 0, "JK: no cell is fitted");
  if (!next.cell_count) next.cell_count = fitted;  // settings not read yet
  cells.read(millivolts(record, std::min(*next.cell_count, most_cells)), next);
  jk::show_balancing(record[balancer] != 0, next);
  decode_temperatures(record, board, next);
  decode_heater(record, next);
  next.charge_fet = record[charge_fet] != 0;
  next.discharge_fet = record[discharge_fet] != 0;
  next.history[HistoryValue::charge_cycles] = wire::u32le(record, cycles);

  wire::decode_alarms(alarm_table, alarm_word(record), next.alarms);
  details["throughput_ah"] = wire::u32le(record, throughput) / 1000.0;
  details["runtime_seconds"] = wire::u32le(record, runtime);
}

void decode_settings(Bytes record, Board& board, Battery& next) {
  wire::decode(settings_fields, record, next);
  require(*next.capacity >= 1 && *next.capacity <= 5000, "JK: capacity outside 1..5000 Ah");
  const std::uint32_t cells = wire::u32le(record, cell_count);
  require(cells >= 1 && cells <= most_cells, "JK: number of cells outside 1..32");
  next.cell_count = cells;
  next.limits.charge_current = wire::u32le(record, charge_limit) / 1000.0;
  next.limits.discharge_current = wire::u32le(record, discharge_limit) / 1000.0;
  next.balance_fet = wire::u32le(record, balance_switch) != 0;
  board.control_bits = wire::u16le(record, control_bits);
  next.heater.allowed = (board.control_bits & heating_enabled_bit) != 0;
  board.heating = {static_cast<double>(wire::read(record, heating_start, i8)), static_cast<double>(wire::read(record, heating_stop, i8))};
  board.charge_too_cold = {wire::i32le(record, charge_cold) / 10.0, wire::i32le(record, charge_cold_over) / 10.0};
  apply_heating_thresholds(board, next.heater);
}

void decode_about(Bytes record, Board& board, Battery& next) {
  const auto text = [&](std::size_t offset, std::size_t size) { return wire::text(record.subspan(offset, size)); };
  board.about_known = true;
  board.hardware = text(22, 8);
  board.software = text(30, 8);
  next.identity.model = text(6, 16);
  next.identity.firmware_version = board.software;
  next.identity.serial_number = text(86, 16);
  const std::string made = text(78, 8);  // YYMMDD
  next.identity.production_date = made.empty() ? "" : "20" + made;
  next.identity.custom_field = text(102, 16);
  if (next.identity.custom_field.starts_with("Input Us")) next.identity.custom_field.clear();  // factory text
  apply_heating_thresholds(board, next.heater);
}

std::string user_name(Bytes about_record) {
  return wire::text(about_record.subspan(46, 16));
}

}  // namespace serialbattery::jk02
