// What the registers of Seplos V3 packs hold; see seplosv3.hpp.
// Quirk: 0x1400 looks like alarms but holds switches.
#include <fmt/format.h>

#include "bms/content.hpp"
#include "bms/seplosv3.hpp"

namespace serialbattery::seplosv3 {

namespace {

using boost::json::object;
using modbus::Block;
using modbus::Registers;
using enum wire::Type;

constexpr Block pack_serial = modbus::inputs(0x1724, 15), system = modbus::inputs(0x2000, 26);  // only in recordings
constexpr Block switches{modbus::Function::read_coils, 0x1400, 0x50};

constexpr modbus::Field pack_fields[] = {
    {0x1000, u16be, 100, &Battery::voltage},  {0x1001, i16be, 100, &Battery::current}, {0x1002, u16be, 100, &Battery::capacity_remaining},
    {0x1003, u16be, 100, &Battery::capacity}, {0x1005, u16be, 10, &Battery::soc},      {0x1006, u16be, 10, &Battery::soh},
};

using wire::bits;

// Bytes 9..14, 16 and 17 of the states in one word, lowest first.
constexpr unsigned event_coils[] = {0x1248, 0x1250, 0x1258, 0x1260, 0x1268, 0x1270, 0x1280, 0x1288};
constexpr wire::AlarmBits event_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(0), bits(1)},
    {Alarm::low_cell_voltage, bits(2), bits(3)},
    {Alarm::high_voltage, bits(4), bits(5)},
    {Alarm::low_voltage, bits(6), bits(7)},
    {Alarm::high_charge_temperature, bits(8), bits(9)},
    {Alarm::low_charge_temperature, bits(10), bits(11)},
    {Alarm::high_temperature, bits(12), bits(13)},
    {Alarm::low_temperature, bits(14, 18), bits(15, 19)},                 // cells, environment
    {Alarm::high_internal_temperature, bits(16, 20), bits(17, 21)},       // environment, power stage
    {Alarm::high_charge_current, bits(24), bits(25, 26, 34)},             // 34: latched
    {Alarm::high_discharge_current, bits(27), bits(28, 29, 30, 32, 35)},  // 30: short circuit, 32, 35: latched
    {Alarm::low_soc, bits(42, 48), bits(43, 53)},
    {Alarm::cell_imbalance, bits(44), bits(60)},
    {Alarm::internal_failure, bits(), bits(56, 57, 58, 59, 61, 62, 63)},
};
constexpr unsigned fet_coils = 0x1278;
enum FetBit : unsigned { discharge_on = 1U << 0U, charge_on = 1U << 1U, heater_on = 1U << 3U };

std::optional<double> temperature(std::optional<unsigned> raw) {
  if (!raw) return std::nullopt;
  return wire::within((static_cast<double>(*raw) - 2731) / 10, -40, 120);  // 2731: the factory's thresholds become whole degrees
}

void decode_names(const Registers& registers, Battery& into, object& details) {
  const auto name = [&](const Block& where) { return wire::text(registers.bytes(where.start, where.quantity)); };
  if (registers.has(factory_name)) {
    into.identity.manufacturer = name(factory_name);
    require(into.identity.manufacturer == "XZH-ElecTech Co.,Ltd", "another maker's name");
  }
  if (registers.has(device_name)) into.identity.hardware_version = name(device_name);
  if (registers.has(firmware)) {
    const std::string digits = name(firmware);
    into.identity.firmware_version = digits.size() == 2 ? fmt::format("{}.{}", digits[0], digits[1]) : digits;
  }
  if (registers.has(serial)) into.identity.serial_number = name(serial);
  if (registers.has(pack_serial)) details["pack_serial_number"] = name(pack_serial);
}

void decode_pack(const Registers& registers, Battery& into) {
  if (const auto full = registers.word(0x1359)) into.capacity = *full / 100.0;
  modbus::decode(pack_fields, registers, into);
  if (into.voltage) require(*into.voltage >= 5 && *into.voltage <= 100, "pack voltage outside 5..100 V");
  if (into.soc) require(*into.soc <= 100, "SoC above 100 %");
  if (into.soh) into.soh = std::min(*into.soh, 100.0);
  if (into.capacity && into.capacity_remaining > *into.capacity * 1.05) into.capacity_remaining.reset();
  if (const auto drawn = registers.word(0x1004)) into.history[HistoryValue::total_ah_drawn] = *drawn * 10.0;
  if (const auto cycles = registers.word(0x1007)) into.history[HistoryValue::charge_cycles] = *cycles;
}

void decode_cells(const Registers& registers, unsigned count, Battery& into, object& details) {
  require(count != 0 || !registers.has(cells), "no cell has a voltage");
  if (count != 0) into.cell_count = count;
  into.cells.resize(count);
  for (unsigned i = 0; i < count; ++i) {
    if (const auto millivolts = registers.word(cells.start + i)) into.cells[i].voltage = *millivolts / 1000.0;
  }
  const unsigned sensors = registers.word(0x1300).value_or(4);
  for (unsigned i = 0; i < into.temperatures.size(); ++i)
    into.temperatures[i] = i < sensors ? temperature(registers.word(0x1110 + i)) : std::nullopt;
  into.mos_temperature = temperature(registers.word(0x1119));
  if (const auto environment = temperature(registers.word(0x1118))) details["temperatures"] = {{"environment", *environment}};
}

void decode_states(const Registers& registers, Battery& into, object& details) {
  if (registers.has(event_coils[0])) wire::decode_alarms(event_table, events_of(registers), into.alarms);
  if (const auto fets = registers.word(fet_coils)) {
    into.discharge_fet = (*fets & discharge_on) != 0;
    into.charge_fet = (*fets & charge_on) != 0;
    into.heater.allowed = into.heater.active = (*fets & heater_on) != 0;
  }
  const auto first_balancing = registers.word(0x1230), more_balancing = registers.word(0x1238);
  if (first_balancing && more_balancing) set_balancing(into, *first_balancing | *more_balancing << 8U);
  if (registers.has(switches)) {
    boost::json::array bytes;
    for (unsigned coil = 0; coil < switches.quantity; coil += 8)
      bytes.emplace_back(fmt::format("{:02x}", *registers.word(switches.start + coil)));
    details["sfa_bytes"] = std::move(bytes);
  }
}

// What the pack allows now, and what it asks of the inverter.
void decode_limits(const Registers& registers, Battery& into, object& details) {
  const auto told = [&](unsigned reg, double per_unit) { return registers.scaled(reg, u16be, per_unit); };
  object limits;
  const auto put = [](object& where, const char* name, const std::optional<double>& value) {
    if (value) where[name] = *value;
  };
  const auto lower = [](std::optional<double> now, std::optional<double> asked) { return now && asked > 0 ? std::min(now, asked) : now; };
  const auto asked_charge = registers.scaled(0x1366, i16be, 1);
  auto asked_discharge = registers.scaled(0x1367, i16be, 1);
  if (asked_discharge) asked_discharge = std::abs(*asked_discharge);  // stored negative
  into.limits.charge_current = lower(told(0x1010, 1), asked_charge);
  into.limits.discharge_current = lower(told(0x100F, 1), asked_discharge);
  const auto charge_voltage = told(0x1365, 100), protection = told(0x1305, 100);
  into.limits.charge_voltage = charge_voltage > 0 && protection && charge_voltage <= protection ? charge_voltage : std::nullopt;
  into.limits.low_voltage = told(0x1309, 100);
  put(limits, "cvl", charge_voltage);
  put(limits, "max_voltage", protection);
  put(limits, "min_voltage", into.limits.low_voltage);
  put(limits, "pcs_ccl", asked_charge);
  put(limits, "pcs_dcl", asked_discharge);
  details["limits"] = std::move(limits);
  put(details, "ntc_count", told(0x1300, 1));
  put(details, "rated_capacity", told(0x1358, 100));
  put(details, "cell_over_voltage_protection", told(0x130D, 1000));
  put(details, "cell_under_voltage_protection", told(0x1311, 1000));
}

// Sums over a stack, as its master tells them; never asked for, only in recordings.
void decode_system(const Registers& registers, Battery& into, object& details) {
  if (!registers.has(system)) return;
  const auto number = [&](unsigned reg) { return *registers.low_word_first(reg); };
  into.voltage = number(0x2000) / 100.0;
  into.current = static_cast<std::int32_t>(number(0x2002)) / 10.0;
  into.capacity_remaining = number(0x2004) / 100.0;
  into.capacity = number(0x2006) / 100.0;
  into.history[HistoryValue::total_ah_drawn] = number(0x2008) * 10.0;
  into.limits.discharge_current = number(0x2010) / 10.0;
  into.limits.charge_current = number(0x2012) / 10.0;
  into.limits.charge_voltage = *registers.word(0x2014) / 10.0;
  into.limits.low_voltage = *registers.word(0x2015) / 10.0;
  details["limits"] = {{"min_voltage", *into.limits.low_voltage}};
  details["pack_count"] = *registers.word(0x2016);
  into.history[HistoryValue::charge_cycles] = *registers.word(0x2017);
  into.soc = *registers.word(0x2018) / 10.0;
  into.soh = *registers.word(0x2019) / 10.0;
}

}  // namespace

std::optional<unsigned> told_cells(const Registers& registers) {
  const unsigned told = registers.word(0x1301).value_or(0);
  return told >= 1 && told <= most_cells ? std::optional(told) : std::nullopt;
}

unsigned seen_cells(const Registers& registers) {
  unsigned seen = 0;
  for (unsigned i = 0; i < most_cells; ++i) {
    const unsigned millivolts = registers.word(cells.start + i).value_or(0);
    if (millivolts >= 500 && millivolts <= 5000) ++seen;
  }
  return seen;
}

std::uint64_t events_of(const Registers& registers) {
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < std::size(event_coils); ++i) events |= std::uint64_t{registers.word(event_coils[i]).value_or(0)} << (8 * i);
  return events;
}

void decode(const Registers& registers, unsigned cell_count, Battery& into, object& details) {
  decode_names(registers, into, details);
  decode_pack(registers, into);
  decode_cells(registers, cell_count, into, details);
  decode_states(registers, into, details);
  decode_limits(registers, into, details);
  if (!registers.has(pack.start)) decode_system(registers, into, details);
}

}  // namespace serialbattery::seplosv3
