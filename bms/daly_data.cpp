// Layout of the data of Daly's commands; see daly_data.hpp.
#include "bms/daly_data.hpp"

#include <fmt/format.h>

#include "bms/content.hpp"
#include "serialbattery/errors.hpp"

namespace serialbattery::daly {

void name(Battery& next) {
  Identity& identity = next.identity;
  identity.unique_id = identity.custom_field;
  std::ranges::replace(identity.unique_id, ' ', '_');
  if (!identity.unique_id.empty() || !next.capacity) return;
  // "None" stands under stored settings of earlier drivers.
  identity.unique_id =
      fmt::format("{}_{}", identity.production_date.empty() ? "None" : identity.production_date, static_cast<int>(*next.capacity));
}

namespace {

using enum wire::Type;

constexpr std::size_t cells_per_frame = 3;

using wire::bits;

// d0 to d6 in one word, d0 lowest.
constexpr wire::AlarmBits fault_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(0), bits(1)},
    {Alarm::low_cell_voltage, bits(2), bits(3, 51)},  // 51: charging forbidden, cell far too low
    {Alarm::high_voltage, bits(4), bits(5)},
    {Alarm::low_voltage, bits(6), bits(7)},
    {Alarm::high_charge_temperature, bits(8), bits(9)},
    {Alarm::low_charge_temperature, bits(10), bits(11)},
    {Alarm::high_temperature, bits(12), bits(13)},
    {Alarm::low_temperature, bits(14), bits(15)},
    {Alarm::high_charge_current, bits(16), bits(17)},
    {Alarm::high_discharge_current, bits(18), bits(19, 50)},  // 50: short circuit
    {Alarm::low_soc, bits(22), bits(23)},
    {Alarm::cell_imbalance, bits(24), bits(25)},
    {Alarm::high_internal_temperature, bits(), bits(32, 33)},                                           // charge, discharge MOSFET
    {Alarm::internal_failure, bits(34, 35, 42, 43, 44), bits(36, 37, 38, 39, 40, 41, 45, 47, 48, 49)},  // names: daly_data.hpp
};

// Boards that count current the other way name their over-current alarms the other way, too.
std::uint64_t with_swapped_current_alarms(std::uint64_t word) {
  constexpr std::uint64_t charge_mask = bits(16, 17), discharge_mask = bits(18, 19);
  return (word & ~(charge_mask | discharge_mask)) | ((word & charge_mask) << 2U) | ((word & discharge_mask) >> 2U);
}

void decode_faults(Bytes data, const Config& config, Battery& next, boost::json::object& details) {
  const std::uint64_t word = fault_word(data);
  wire::decode_alarms(fault_table, config.invert_current_measurement < 0 ? with_swapped_current_alarms(word) : word, next.alarms);
  details["fault_code"] = data[7];
}

void decode_pack(Bytes data, const Config& config, Battery& next) {
  constexpr double no_current = 30000;
  const double voltage = wire::u16be(data, 0) / 10.0;
  const double current = (no_current - wire::u16be(data, 4)) / 10 * config.invert_current_measurement;
  const double soc = wire::u16be(data, 6) / 10.0;
  // Seen right after waking up and while a charger disturbs: 0.1 V, -3000 A, SoC 0.
  require(voltage >= 1 && voltage <= 250 && std::abs(current) < 1000 && soc <= 100, "Daly: pack values");
  next.voltage = voltage;
  next.current = current + 0.0;  // never -0
  next.soc = soc;
}

void decode_cell_extremes(Bytes data, Battery& next, boost::json::object& details) {
  const auto volts = [&](std::size_t offset) {
    const unsigned millivolts = wire::u16be(data, offset);
    return millivolts != 0 ? std::optional(millivolts / 1000.0) : std::nullopt;
  };
  next.cell_max = volts(0);
  next.cell_min = volts(3);
  details["max_cell_no"] = data[2];
  details["min_cell_no"] = data[5];
}

void decode_state(Bytes data, Board& board, Battery& next, boost::json::object& details) {
  static constexpr const char* names[] = {"idle", "charging", "discharging"};
  board.flow = data[0];
  if (board.flow < std::size(names)) details["state"] = names[board.flow];
  next.charge_fet = data[1] != 0;
  next.discharge_fet = data[2] != 0;
  details["heartbeat"] = data[3];
  next.capacity_remaining = wire::u32be(data, 4) / 1000.0;
}

void describe(Battery& next) {
  if (!next.cell_count) return;
  const std::string& made = next.identity.production_date;
  next.identity.hardware_version = fmt::format("DalyBMS {}S{}", *next.cell_count, made.empty() ? "" : " (" + made + ")");
}

void decode_status(Bytes data, Board& board, Battery& next, boost::json::object& details) {
  const unsigned cells = data[0], sensors = data[1];
  require(cells >= 1 && cells <= most_cells && sensors <= 16, "Daly: number of cells or sensors");
  next.cell_count = cells;
  next.cells.resize(cells);
  next.history[HistoryValue::charge_cycles] = wire::u16be(data, 5);
  board.sensors = sensors;
  board.own_temperature = data[7];
  details["temperature_sensors"] = sensors;
  details["charger_connected"] = data[2] != 0;
  details["load_connected"] = data[3] != 0;
  describe(next);
}

// What lies behind the last cell is a leftover.
void decode_cell_voltages(Bytes data, const Config& config, Battery& next) {
  for (std::size_t i = 0; i < next.cells.size(); ++i) {
    const double volts = wire::u16be(data, numbered_size * (i / cells_per_frame) + 2 * (i % cells_per_frame)) / 1000.0;
    next.cells[i].voltage = volts < config.min_cell_voltage / 2 ? std::nullopt : std::optional(volts);
  }
}

// Documented: one bit per cell. Boards with an active balancer: d1 is the number of the cell.
void decode_balancing(Bytes data, const Board& board, Battery& next) {
  const std::size_t cells = next.cells.size();
  const bool looks_like_number = cells <= 8 && data[0] == 0 && data[1] >= 1 && data[1] <= cells;
  const bool by_number = board.active_balancer() || looks_like_number;
  const std::uint64_t one = data[1] >= 1 && data[1] <= cells ? bits(data[1] - 1) : 0;
  set_balancing(next, by_number ? one : wire::word_of(data.first(6)));
}

void decode_rated(Bytes data, const Config& config, Battery& next, boost::json::object& details) {
  const std::uint32_t milliamperehours = wire::u32be(data, 0);
  next.capacity = milliamperehours != 0 ? milliamperehours / 1000.0 : config.battery_capacity;
  details["nominal_cell_voltage"] = wire::u32be(data, 4) / 1000.0;
  name(next);
}

void decode_battery_info(Bytes data, Battery& next, boost::json::object& details) {
  const unsigned year = data[2], month = data[3], day = data[4];
  const bool plausible = month >= 1 && month <= 12 && day >= 1 && day <= 31 && year < 100;
  next.identity.production_date = plausible ? fmt::format("20{:02}{:02}{:02}", year, month, day) : "";
  details["battery_type"] = data[0];
  details["sleep_seconds"] = wire::u16be(data, 5);
  describe(next);
  name(next);
}

// 0 and 0xFF: no reading, or no sensor.
std::optional<double> celsius(std::uint8_t raw) {
  return raw == 0 || raw == 0xFF ? std::nullopt : std::optional(raw - 40.0);
}

void place_temperatures(const Board& board, Battery& next, boost::json::object& details) {
  next.mos_temperature = board.active_balancer() ? celsius(board.own_temperature) : std::nullopt;
  next.temperatures.fill(std::nullopt);
  auto& t = next.temperatures;
  const auto hottest = celsius(board.hottest.raw), coldest = celsius(board.coldest.raw);
  const unsigned high = board.hottest.sensor, low = board.coldest.sensor;
  if (board.sensors == 0) return;
  if (board.sensors == 1) {
    t[0] = hottest;
  } else if (board.sensors == 2 && high != low && high >= 1 && high <= 2 && low >= 1 && low <= 2) {
    t[high - 1] = hottest;
    t[low - 1] = coldest;
  } else if ((board.sensors == 3 || board.sensors == 4) && board.each) {
    for (std::size_t i = 0; i < board.sensors; ++i) t[i] = celsius((*board.each)[i]);
  } else {
    t[0] = coldest;
    t[1] = hottest;
  }
  if (!board.each) return;
  boost::json::object list;
  for (std::size_t i = 0; i < std::min<std::size_t>(board.sensors, board.each->size()); ++i) {
    if (const auto value = celsius((*board.each)[i])) list[fmt::format("t{}", i + 1)] = *value;
  }
  details["sensor_temperatures"] = std::move(list);
}

}  // namespace

bool Board::active_balancer() const {
  return hardware.find("JHB") != std::string::npos || hardware.find("R24T") != std::string::npos;
}

unsigned numbered_frames(Command command, const Battery& battery, const Board& board) {
  switch (command) {
    case cell_voltages: return (battery.cell_count.value_or(most_cells) + 2) / 3;
    case temperatures: return (std::max(1U, board.sensors) + 6) / 7;
    case battery_code: return 5;
    case software:
    case hardware: return 2;
    default: return 0;
  }
}

void decode(Command command, Bytes data, const Config& config, Board& board, Battery& next, boost::json::object& details) {
  switch (command) {
    case rated: return decode_rated(data, config, next, details);
    case battery_info: return decode_battery_info(data, next, details);
    case battery_code: next.identity.custom_field = wire::text_blanks(data); return name(next);
    case software: next.identity.firmware_version = wire::text_blanks(data); return;
    case hardware:
      board.hardware = wire::text_blanks(data);
      next.identity.model = board.hardware;
      details["hardware_version_raw"] = board.hardware;
      break;
    case pack: return decode_pack(data, config, next);
    case cell_extremes: return decode_cell_extremes(data, next, details);
    case state: return decode_state(data, board, next, details);
    case status: decode_status(data, board, next, details); break;
    case temperature_extremes:
      board.hottest = {data[0], data[1]};
      board.coldest = {data[2], data[3]};
      break;
    case temperatures: board.each.emplace(data.begin(), data.end()); break;
    case cell_voltages: return decode_cell_voltages(data, config, next);
    case balancing: return decode_balancing(data, board, next);
    case faults: return decode_faults(data, config, next, details);
    default: return;  // acknowledgements of writes change nothing
  }
  place_temperatures(board, next, details);
}

std::array<std::uint8_t, data_size> soc_data(double percent, std::chrono::system_clock::time_point clock) {
  using namespace std::chrono;
  const auto day = floor<days>(clock);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(clock - day)};
  const auto byte = [](auto value) { return static_cast<std::uint8_t>(value); };
  std::array<std::uint8_t, data_size> data{};
  if (date.year() >= year{2020} && date.year() < year{2256}) {
    data = {byte(static_cast<int>(date.year()) - 2000),
            byte(static_cast<unsigned>(date.month())),
            byte(static_cast<unsigned>(date.day())),
            byte(time.hours().count()),
            byte(time.minutes().count()),
            byte(time.seconds().count())};
  }
  const auto tenths = static_cast<unsigned>(std::lround(percent * 10));
  data[6] = byte(tenths >> 8U);
  data[7] = byte(tenths & 0xFFU);
  return data;
}

}  // namespace serialbattery::daly
