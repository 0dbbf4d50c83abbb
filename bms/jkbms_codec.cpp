// Frame and registers of the JK 4E 57 protocol; see jkbms.hpp.
#include "bms/jkbms.hpp"

#include <fmt/format.h>

namespace serialbattery::jkbms {

namespace {

// --- The frame ---

constexpr std::uint8_t request_frame = 0, reply_frame = 1;
constexpr std::uint8_t from_pc = 3;
constexpr std::uint8_t end_mark = 0x68;
constexpr std::size_t head_size = 11;
constexpr std::size_t tail_size = 9;
constexpr std::size_t least_length = 0x0013, most_length = 0x0200;  // of the length field

ByteVector request(Operation operation, Bytes information) {
  ByteVector frame{0x4E, 0x57};
  wire::put_u16be(frame, static_cast<unsigned>(head_size + information.size() + tail_size - 2));
  wire::put_u32be(frame, 0);  // terminal number, ignored by the BMS
  frame.insert(frame.end(), {operation, from_pc, request_frame});
  frame.insert(frame.end(), information.begin(), information.end());
  wire::put_u32be(frame, 0);  // record number
  frame.push_back(end_mark);
  wire::put_u32be(frame, wire::sum(frame) & 0xFFFFU);
  return frame;
}

bool sum_fits(Bytes frame) {
  const std::size_t covered = frame.size() - 4;
  return wire::u32be(frame, covered) == (wire::sum(frame.first(covered)) & 0xFFFFU);
}

bool answers(Operation asked, std::uint8_t operation) {
  return asked == write_register ? operation == write_register : operation == read_all || operation == read_register;
}

}  // namespace

ByteVector read_all_request() {
  return request(read_all, std::array<std::uint8_t, 1>{0});
}

ByteVector write_request(Tag tag, std::uint8_t value) {
  return request(write_register, std::array<std::uint8_t, 2>{tag, value});
}

std::optional<Operation> operation_of(Bytes request) {
  if (request.size() < head_size + tail_size || request[0] != 0x4E || request[1] != 0x57) return std::nullopt;
  for (const Operation known : {write_register, read_register, read_all}) {
    if (request[8] == known) return known;
  }
  return std::nullopt;
}

Scan scan_reply(Bytes seen, Operation asked) {
  Scan newest;
  bool damaged = false, misshapen = false, incomplete = false;
  for (std::size_t at = 0; at + 1 < seen.size();) {
    const Bytes rest = seen.subspan(at);
    if (rest[0] != 0x4E || rest[1] != 0x57) {
      ++at;
      continue;
    }
    at += 2;  // unless this is a whole frame, the next start mark is looked for right behind this one
    if (rest.size() < 4) {
      incomplete = true;
      continue;
    }
    const std::size_t length = wire::u16be(rest, 2);
    if (length < least_length || length > most_length) {
      misshapen = true;
      continue;
    }
    const std::size_t size = length + 2;
    const bool reply = rest.size() < head_size || rest[10] == reply_frame;
    if (rest.size() < size) {
      incomplete = incomplete || reply;
      continue;
    }
    const Bytes frame = rest.first(size);
    if (!sum_fits(frame)) {
      damaged = damaged || reply;
    } else if (frame[size - 5] != end_mark) {
      misshapen = misshapen || reply;
    } else {
      const std::size_t begin = at - 2;
      at = begin + size;
      if (reply && answers(asked, frame[8])) newest = Scan::found(begin, at);
    }
  }
  if (newest.status == Scan::Status::complete) return newest;
  const Fault fault = damaged ? Fault::checksum : incomplete || misshapen ? Fault::length : Fault::timeout;
  return incomplete ? Scan::started(fault) : Scan::searching(fault);
}

std::uint8_t acknowledged_tag(Bytes frame) {
  return frame.size() > head_size + tail_size ? frame[head_size] : std::uint8_t{0};
}

// --- The registers ---

namespace {

// Tags that a frame can hold, with the size of their values; the cell voltages bring their own. B2 is a password: never shown.
constexpr struct {
  std::uint8_t first, last, size;
} value_sizes[] = {
    {0x80, 0x84, 2}, {0x85, 0x86, 1},  {0x87, 0x87, 2}, {0x89, 0x89, 4},  {0x8A, 0x8C, 2},  {0x8E, 0x9C, 2},
    {0x9D, 0x9D, 1}, {0x9E, 0xA8, 2},  {0xA9, 0xA9, 1}, {0xAA, 0xAA, 4},  {0xAB, 0xAC, 1},  {0xAD, 0xAD, 2},
    {0xAE, 0xAF, 1}, {0xB0, 0xB0, 2},  {0xB1, 0xB1, 1}, {0xB2, 0xB2, 10}, {0xB3, 0xB3, 1},  {0xB4, 0xB4, 8},
    {0xB5, 0xB6, 4}, {0xB7, 0xB7, 15}, {0xB8, 0xB8, 1}, {0xB9, 0xB9, 4},  {0xBA, 0xBA, 24}, {0xC0, 0xC0, 1},
};

}  // namespace

// Stops at an unknown tag, whose size nobody knows.
Registers::Registers(Bytes frame) {
  Bytes information = frame.subspan(head_size, frame.size() - head_size - tail_size);
  while (!information.empty()) {
    const std::uint8_t tag = information[0];
    std::size_t begin = 1, size = 0;
    if (tag == cell_voltages) {
      if (information.size() < 2) return;
      begin = 2;
      size = information[1];
    } else {
      for (const auto& range : value_sizes) {
        if (tag >= range.first && tag <= range.last) size = range.size;
      }
      if (size == 0) return;
    }
    if (information.size() < begin + size) return;
    values_[tag] = information.subspan(begin, size);
    information = information.subspan(begin + size);
  }
}

std::optional<unsigned> Registers::number(Tag tag) const {
  const Bytes value = values_[tag];
  switch (value.size()) {
    case 1: return value[0];
    case 2: return wire::u16be(value, 0);
    case 4: return wire::u32be(value, 0);
    default: return std::nullopt;
  }
}

// --- The decoder ---

namespace {

constexpr struct {
  Tag tag;
  double per_unit;
  std::optional<double> Battery::*target;
} number_fields[] = {
    {pack_voltage, 100, &Battery::voltage},
    {soc, 1, &Battery::soc},
    {capacity, 1, &Battery::capacity},
};

constexpr wire::AlarmBit alarm_bits[] = {
    {1, Alarm::high_internal_temperature, AlarmLevel::alarm},
    {2, Alarm::high_voltage, AlarmLevel::alarm},
    {3, Alarm::low_voltage, AlarmLevel::alarm},
    {5, Alarm::high_charge_current, AlarmLevel::warning},
    {6, Alarm::high_discharge_current, AlarmLevel::warning},
    {7, Alarm::cell_imbalance, AlarmLevel::warning},
    {10, Alarm::high_cell_voltage, AlarmLevel::warning},
    {11, Alarm::low_cell_voltage, AlarmLevel::warning},
    {12, Alarm::internal_failure, AlarmLevel::alarm},  // front end "309_A"
    {13, Alarm::internal_failure, AlarmLevel::alarm},  // front end "309_B"
};
constexpr wire::AlarmBit soc_bits[] = {{0, Alarm::low_soc, AlarmLevel::alarm}};
// What a temperature alarm is about depends on the direction of the current.
constexpr wire::AlarmBit charging_bits[] = {
    {4, Alarm::high_charge_temperature, AlarmLevel::warning},  // battery
    {8, Alarm::high_charge_temperature, AlarmLevel::warning},  // battery box
    {9, Alarm::low_charge_temperature, AlarmLevel::warning},
};
constexpr wire::AlarmBit other_bits[] = {
    {4, Alarm::high_temperature, AlarmLevel::warning},
    {8, Alarm::high_temperature, AlarmLevel::warning},
    {9, Alarm::low_temperature, AlarmLevel::warning},
};

enum StateBit : unsigned { charging_on = 1U << 0U, discharging_on = 1U << 1U, balancing_now = 1U << 2U };

// Since protocol version 1 a sign bit and a magnitude, before that an offset. In units of 10 mA.
double amperes(unsigned raw, unsigned version) {
  const int magnitude = static_cast<int>(raw & 0x7FFFU);
  const int hundredths = version == 0 ? 10000 - static_cast<int>(raw) : (raw & 0x8000U) ? magnitude : -magnitude;
  return hundredths / 100.0;
}

// 100 is zero, larger values are below it: confirmed in an ice bath. Above 140: sensor open or shorted.
std::optional<double> celsius(std::optional<unsigned> raw) {
  if (!raw || *raw > 140) return std::nullopt;
  return *raw < 100 ? *raw : 100.0 - *raw;
}

void decode_alarms(unsigned word, const Config& config, Battery& next) {
  const bool charging = next.current > 0.0;
  wire::decode_alarms(alarm_bits, word, next.alarms);
  wire::decode_alarms(charging_bits, charging ? word : 0, next.alarms);
  wire::decode_alarms(other_bits, charging ? 0 : word, next.alarms);
  wire::decode_alarms(soc_bits, config.soc_calculation ? 0 : word, next.alarms);
}

// Throws FrameError(implausible) unless index and count make sense.
std::vector<unsigned> millivolts(Bytes groups, unsigned cells) {
  constexpr std::size_t group_size = 3;  // index, from 1; voltage
  if (cells < 1 || cells > 32 || groups.size() != group_size * cells) throw FrameError(Fault::implausible, "JK: number of cells");
  std::vector<unsigned> result(cells);
  for (std::size_t at = 0; at < groups.size(); at += group_size) {
    const std::size_t index = groups[at];
    if (index < 1 || index > cells) throw FrameError(Fault::implausible, "JK: index of a cell");
    result[index - 1] = wire::u16be(groups, at + 1);
  }
  return result;
}

}  // namespace

void decode_reading(const Registers& registers, const Config& config, jk::CellReader& cells, Battery& next, boost::json::object& details) {
  for (const Tag tag : {cell_voltages, pack_voltage, current, soc, cell_count, state}) {
    if (registers[tag].empty()) throw FrameError(Fault::implausible, fmt::format("JK: register {:02X} is missing", unsigned{tag}));
  }
  for (const auto& field : number_fields) {
    const auto raw = registers.number(field.tag);
    next.*field.target = raw ? std::optional(*raw / field.per_unit) : std::nullopt;
  }
  if (*next.soc > 100) throw FrameError(Fault::implausible, "JK: SoC above 100 %");
  next.current = amperes(*registers.number(current), registers.number(protocol_version).value_or(0));
  next.history[HistoryValue::charge_cycles] = registers.number(cycles);
  next.limits.charge_current = registers.number(charge_limit);
  next.limits.discharge_current = registers.number(discharge_limit);
  next.mos_temperature = celsius(registers.number(mos_temperature));
  next.temperatures = {celsius(registers.number(temperature_1)), celsius(registers.number(temperature_2))};

  const unsigned count = *registers.number(cell_count);
  const std::vector<unsigned> voltages = millivolts(registers[cell_voltages], count);
  if (next.cell_count && next.cell_count != count) throw FrameError(Fault::implausible, "JK: the number of cells has changed");
  next.cell_count = count;
  cells.read(voltages, next);

  const unsigned word = *registers.number(state);
  next.charge_fet = (word & charging_on) != 0;
  next.discharge_fet = (word & discharging_on) != 0;
  jk::show_balancing((word & balancing_now) != 0, next);
  const auto balancer = registers.number(balance_switch);
  next.balance_fet = balancer ? std::optional(*balancer != 0) : std::nullopt;
  decode_alarms(registers.number(alarms).value_or(0), config, next);

  if (const auto ah = registers.number(throughput)) details["throughput_ah"] = *ah;
  if (const auto minutes = registers.number(operating_time)) details["operating_minutes"] = *minutes;
}

namespace {

std::string without(std::string text, std::string_view part) {
  const auto at = text.find(part);
  if (at != std::string::npos) text.erase(at, part.size());
  return text;
}

std::string one_blank(std::string_view text) {
  return wire::text_blanks(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace

void decode_identity(const Registers& registers, unsigned cells, Identity& identity) {
  ByteVector version(registers[software].begin(), registers[software].end());
  std::ranges::replace_if(
      version, [](std::uint8_t byte) { return byte == 0 || byte == '_'; }, ' ');
  identity.firmware_version = wire::text(version);
  const std::string made = wire::text(registers[production]);
  identity.production_date = made.empty() ? "" : "20" + made + "01";
  const std::string bracket = made.empty() ? "" : " (" + identity.production_date + ")";
  identity.hardware_version = one_blank(fmt::format("JKBMS {} {}S{}", identity.firmware_version, cells, bracket));
  identity.custom_field = wire::text_blanks(registers[user_text]);
  if (identity.custom_field == "Input Us") identity.custom_field.clear();  // factory text
  identity.unique_id = one_blank(without(wire::text_blanks(registers[manufacturer_id]), "Input Userda"));
  std::ranges::replace(identity.unique_id, ' ', '_');
}

}  // namespace serialbattery::jkbms
