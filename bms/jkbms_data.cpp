// What the registers of the JK 4E 57 protocol say; see jkbms.hpp.
#include <fmt/format.h>

#include "bms/content.hpp"
#include "bms/jkbms.hpp"

namespace serialbattery::jkbms {

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

using wire::bits;

// Each row: alarm, bits that warn of it, bits that raise it.
constexpr wire::AlarmBits alarm_table[] = {
    {Alarm::low_soc, bits(), bits(0)},
    {Alarm::high_internal_temperature, bits(), bits(1)},
    {Alarm::high_voltage, bits(), bits(2)},
    {Alarm::low_voltage, bits(), bits(3)},
    {Alarm::high_charge_current, bits(5), bits()},
    {Alarm::high_discharge_current, bits(6), bits()},
    {Alarm::cell_imbalance, bits(7), bits()},
    {Alarm::high_cell_voltage, bits(10), bits()},
    {Alarm::low_cell_voltage, bits(11), bits()},
    {Alarm::internal_failure, bits(), bits(12, 13)},  // front ends "309_A", "309_B"
};
// What a temperature alarm is about depends on the direction of the current. 4: battery, 8: battery box.
constexpr wire::AlarmBits charging_table[] = {{Alarm::high_charge_temperature, bits(4, 8), bits()},
                                              {Alarm::low_charge_temperature, bits(9), bits()}};
constexpr wire::AlarmBits other_table[] = {{Alarm::high_temperature, bits(4, 8), bits()}, {Alarm::low_temperature, bits(9), bits()}};

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

void decode_alarms(unsigned word, Battery& next) {
  const bool charging = next.current > 0.0;
  wire::decode_alarms(alarm_table, word, next.alarms);
  wire::decode_alarms(charging_table, charging ? word : 0, next.alarms);
  wire::decode_alarms(other_table, charging ? 0 : word, next.alarms);
}

// Throws FrameError(implausible) unless index and count make sense.
std::vector<unsigned> millivolts(Bytes groups, unsigned cells) {
  constexpr std::size_t group_size = 3;  // index, from 1; voltage
  require(cells >= 1 && cells <= 32 && groups.size() == group_size * cells, "JK: number of cells");
  std::vector<unsigned> result(cells);
  for (std::size_t at = 0; at < groups.size(); at += group_size) {
    const std::size_t index = groups[at];
    require(index >= 1 && index <= cells, "JK: index of a cell");
    result[index - 1] = wire::u16be(groups, at + 1);
  }
  return result;
}

}  // namespace

void decode_reading(const Registers& registers, jk::CellReader& cells, Battery& next, boost::json::object& details) {
  for (const Tag tag : {cell_voltages, pack_voltage, current, soc, cell_count, state}) {
    if (registers[tag].empty()) throw FrameError(Fault::implausible, fmt::format("JK: register {:02X} is missing", unsigned{tag}));
  }
  for (const auto& field : number_fields) {
    const auto raw = registers.number(field.tag);
    next.*field.target = raw ? std::optional(*raw / field.per_unit) : std::nullopt;
  }
  require(*next.soc <= 100, "JK: SoC above 100 %");
  next.current = amperes(*registers.number(current), registers.number(protocol_version).value_or(0));
  next.history[HistoryValue::charge_cycles] = registers.number(cycles);
  next.limits.charge_current = registers.number(charge_limit);
  next.limits.discharge_current = registers.number(discharge_limit);
  next.mos_temperature = celsius(registers.number(mos_temperature));
  next.temperatures = {celsius(registers.number(temperature_1)), celsius(registers.number(temperature_2))};

  const unsigned count = *registers.number(cell_count);
  const std::vector<unsigned> voltages = millivolts(registers[cell_voltages], count);
  set_cell_count(next, count, 1, 32);
  cells.read(voltages, next);

  const unsigned word = *registers.number(state);
  next.charge_fet = (word & charging_on) != 0;
  next.discharge_fet = (word & discharging_on) != 0;
  jk::show_balancing((word & balancing_now) != 0, next);
  const auto balancer = registers.number(balance_switch);
  next.balance_fet = balancer ? std::optional(*balancer != 0) : std::nullopt;
  next.alarms = {};
  if (const auto events = registers.number(alarms)) decode_alarms(*events, next);

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
