// Frame and field layout of the JBD protocol; see lltjbd.hpp.
#include <fmt/format.h>

#include "bms/lltjbd.hpp"

namespace serialbattery::lltjbd {

namespace {

using enum wire::Type;

constexpr std::uint8_t start_mark = 0xDD;
constexpr std::uint8_t end_mark = 0x77;
constexpr std::uint8_t read_mark = 0xA5;
constexpr std::uint8_t write_mark = 0x5A;
constexpr std::size_t frame_overhead = 7;

std::uint16_t checksum(Bytes covered) {
  return static_cast<std::uint16_t>(0x10000U - wire::sum(covered));
}

ByteVector request(std::uint8_t mark, std::uint8_t reg, Bytes data) {
  ByteVector frame{start_mark, mark, reg, static_cast<std::uint8_t>(data.size())};
  frame.insert(frame.end(), data.begin(), data.end());
  wire::put_u16be(frame, checksum(Bytes(frame).subspan(2)));
  frame.push_back(end_mark);
  return frame;
}

struct Range {
  std::size_t least, most;
  [[nodiscard]] bool contains(std::size_t length) const { return length >= least && length <= most; }
};

// Length of the data that a register can have in a good reply. Lengths differ between firmware, so never one fixed number.
Range data_length(std::uint8_t reg, Access access) {
  if (access == Access::write) return {0, 0};
  switch (reg) {
    case basic_info: return {22, 80};  // 22 is impossible too, but is to be told as a frame that is too short
    case cell_voltages: return {2, 64};
    case product_name: return {0, 64};
    case error_counters: return {22, 32};
    case 0xA0:
    case 0xA1:
    case 0xA2: return {1, 64};
    default: return {2, 2};
  }
}

bool is_status(std::uint8_t byte) {
  return byte == 0x00 || (byte >= 0x80 && byte <= 0x83);
}

enum class Candidate { none, incomplete, bad_length, bad_sum, good };

bool ends_well(Bytes frame) {
  return frame.back() == end_mark && wire::u16be(frame, frame.size() - 3) == checksum(frame.subspan(2, frame.size() - 5));
}

// Looks at a frame that may begin at the first byte, for register `reg`.
Candidate examine(Bytes seen, std::uint8_t reg, Range range) {
  if (seen.size() < 4) {
    const bool fits = (seen.size() < 2 || seen[1] == reg) && (seen.size() < 3 || is_status(seen[2]));
    return fits ? Candidate::incomplete : Candidate::none;
  }
  const std::size_t length = seen[3];
  // Firmware of 2018 repeats the read mark in place of the register. An echo of our own request has the register as "status".
  const bool old_firmware = seen[1] == read_mark && reg != read_mark;
  if (old_firmware) {
    if (seen[2] != 0 || length == 0 || !range.contains(length)) return Candidate::none;
  } else {
    if (seen[1] != reg || !is_status(seen[2])) return Candidate::none;
    const bool length_fits = seen[2] == 0 ? range.contains(length) : length == 0;
    if (!length_fits) return Candidate::bad_length;
  }
  if (seen.size() < length + frame_overhead) return Candidate::incomplete;
  if (ends_well(seen.first(length + frame_overhead))) return Candidate::good;
  return old_firmware ? Candidate::none : Candidate::bad_sum;
}

}  // namespace

ByteVector read_request(std::uint8_t reg) {
  return request(read_mark, reg, {});
}

ByteVector write_request(std::uint8_t reg, std::uint16_t value) {
  ByteVector data;
  wire::put_u16be(data, value);
  return request(write_mark, reg, data);
}

Scan scan_reply(Bytes seen, std::uint8_t reg, Access access) {
  const Range range = data_length(reg, access);
  bool damaged = false, incomplete = false, wrong_length = false, other_register = false;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    if (seen[at] != start_mark) continue;
    const Bytes rest = seen.subspan(at);
    switch (examine(rest, reg, range)) {
      case Candidate::good: return Scan::found(at, at + rest[3] + frame_overhead);
      case Candidate::incomplete: incomplete = true; break;
      case Candidate::bad_length: wrong_length = true; break;
      case Candidate::bad_sum: damaged = true; break;
      case Candidate::none:
        // A whole good frame of another register is a late reply to an earlier request.
        if (rest.size() >= 4 && is_status(rest[2]) && rest.size() >= rest[3] + frame_overhead &&
            ends_well(rest.first(rest[3] + frame_overhead))) {
          other_register = true;
          at += rest[3] + frame_overhead - 1;
        }
        break;
    }
  }
  const Fault fault = damaged                      ? Fault::checksum
                      : incomplete || wrong_length ? Fault::length
                      : other_register             ? Fault::implausible
                                                   : Fault::timeout;
  return incomplete ? Scan::started(fault) : Scan::searching(fault);
}

Reply parse_reply(Bytes frame) {
  return {frame[2], frame.subspan(4, frame[3])};
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
  return fmt::format("{}{}_{}Ah", version >> 4U, minor == 10 ? 1 : minor,
                     capacity == std::floor(capacity) ? fmt::format("{:.1f}", capacity) : fmt::format("{}", capacity));
}

namespace {

constexpr std::size_t fixed_part = 23;  // bytes of basic info before the temperatures

// Offsets within the data.
constexpr wire::Field pack_voltage[] = {{0, u16be, 100, &Battery::voltage}};

// Unit 10 mA / 10 mAh, or 100 mA / 100 mAh on big packs.
std::array<wire::Field, 3> charge_fields(double per_ah) {
  return {
      {{2, i16be, per_ah, &Battery::current}, {4, u16be, per_ah, &Battery::capacity_remaining}, {6, u16be, per_ah, &Battery::capacity}}};
}

constexpr wire::AlarmBit protection_bits[] = {
    {0, Alarm::high_cell_voltage, AlarmLevel::alarm},
    {1, Alarm::low_cell_voltage, AlarmLevel::alarm},
    {2, Alarm::high_voltage, AlarmLevel::alarm},
    {3, Alarm::low_voltage, AlarmLevel::alarm},
    {4, Alarm::high_charge_temperature, AlarmLevel::warning},
    {5, Alarm::low_charge_temperature, AlarmLevel::warning},
    {6, Alarm::high_temperature, AlarmLevel::warning},
    {7, Alarm::low_temperature, AlarmLevel::warning},
    {8, Alarm::high_charge_current, AlarmLevel::warning},
    {9, Alarm::high_discharge_current, AlarmLevel::warning},
    {10, Alarm::high_discharge_current, AlarmLevel::alarm},  // short circuit
    {11, Alarm::internal_failure, AlarmLevel::alarm},        // front-end IC
    // 12: FETs locked by us, a state
    {13, Alarm::internal_failure, AlarmLevel::alarm},  // charge FET broken
    {14, Alarm::internal_failure, AlarmLevel::alarm},  // discharge FET broken
};
constexpr unsigned locked_bit = 12;

enum FetBit : unsigned { charge_on = 1U << 0U, discharge_on = 1U << 1U, limiter_on = 1U << 2U, heater_on = 1U << 3U, big_unit = 1U << 7U };

std::string date_text(unsigned word) {
  const unsigned year = 2000 + (word >> 9U), month = (word >> 5U) & 0xFU, day = word & 0x1FU;
  if (month < 1 || month > 12 || day < 1) return {};
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

std::optional<double> temperature(Bytes data, std::size_t sensor) {
  const double celsius = (wire::u16be(data, fixed_part + 2 * sensor) - 2731) / 10.0;  // 2731, not 2731.5: raw 2981 is 25.0 (vendor)
  if (celsius < -40 || celsius > 120) return std::nullopt;                            // sensor missing or broken
  return celsius;
}

// "UP16S010", "JBD-UP16S..."
bool is_up_series(std::string_view name) {
  for (auto at = name.find("UP"); at != std::string_view::npos; at = name.find("UP", at + 1)) {
    const auto after_digits = name.find_first_not_of("0123456789", at + 2);
    if (after_digits > at + 2 && after_digits != std::string_view::npos && name[after_digits] == 'S') return true;
  }
  return false;
}

void decode_temperatures(Bytes data, std::size_t sensors, const Board& board, Battery& battery, boost::json::object& details) {
  battery.mos_temperature.reset();
  battery.temperatures.fill(std::nullopt);
  if (sensors == 1) {  // a cell probe
    battery.temperatures[0] = temperature(data, 0);
    return;
  }
  const bool ambient_second = sensors == 6 && is_up_series(board.product_name);
  const std::size_t first_cell_sensor = ambient_second ? 2 : 1;
  if (ambient_second) {
    const auto ambient = temperature(data, 1);
    details["temperatures"] = {{"ambient", ambient ? boost::json::value(*ambient) : boost::json::value(nullptr)}};
  }
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
  if (data.size() < fixed_part) throw FrameError(Fault::length, "basic info is shorter than 23 bytes");
  const unsigned soc = data[19], fets = data[20], cells = data[21];
  const std::size_t sensors = data[22];
  if (data.size() < fixed_part + 2 * sensors) throw FrameError(Fault::length, "fewer temperatures than announced");
  if (soc > 100) throw FrameError(Fault::implausible, "SoC above 100 %");
  if (cells < 1 || cells > 32) throw FrameError(Fault::implausible, "number of cells outside 1..32");

  board.big_unit_announced = (fets & big_unit) != 0;
  board.sensors = sensors;
  wire::decode(pack_voltage, data, battery);
  wire::decode(charge_fields(board.per_ah()), data, battery);
  if (battery.capacity == 0) battery.capacity.reset();  // not configured
  battery.soc = soc;
  battery.history[HistoryValue::charge_cycles] = wire::u16be(data, 8);
  battery.cell_count = cells;
  battery.cells.resize(cells);
  const std::uint32_t balancing = wire::u16be(data, 12) | (static_cast<std::uint32_t>(wire::u16be(data, 14)) << 16U);
  for (unsigned i = 0; i < cells; ++i) battery.cells[i].balancing = ((balancing >> i) & 1U) != 0;
  battery.balancing = std::ranges::any_of(battery.cells, [](const Cell& cell) { return cell.balancing.value_or(false); });

  const unsigned protection = wire::u16be(data, 16);
  wire::decode_alarms(protection_bits, protection, battery.alarms);
  battery.alarms[Alarm::low_soc] = config.soc_calculation ? AlarmLevel::ok : low_soc_level(soc, config);

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
  details["software_lock"] = ((protection >> locked_bit) & 1U) != 0;
  details["current_limiter"] = (fets & limiter_on) != 0;
}

void decode_cell_voltages(Bytes data, Battery& battery) {
  constexpr unsigned highest_mv = 5000;
  const std::size_t words = data.size() / 2;
  const std::size_t cells = battery.cell_count.value_or(static_cast<unsigned>(words));
  if (words < cells) throw FrameError(Fault::length, "fewer cell voltages than cells");
  battery.cells.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    const unsigned millivolts = wire::u16be(data, 2 * i);
    if (millivolts > highest_mv) throw FrameError(Fault::implausible, "cell voltage above 5 V");
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
