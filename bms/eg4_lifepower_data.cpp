// What the frames hold; see eg4_lifepower.hpp. Status bits as in the maker's tool.
#include "bms/content.hpp"
#include "bms/eg4_lifepower.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::eg4_lifepower {

namespace {

enum Group : std::uint8_t {
  cells = 0x01,
  current = 0x02,
  soc = 0x03,
  capacity = 0x04,
  temperatures = 0x05,
  status = 0x06,
  cycles = 0x07,
  voltage = 0x08,
  soh = 0x09,
  last_of_words = 0x0A
};

using wire::bits;

// Bytes s0 to s5 of the status in one word, s0 lowest. Each row: alarm, bits that warn of it, bits that raise it.
constexpr wire::AlarmBits fault_table[] = {
    {Alarm::low_cell_voltage, bits(), bits(3)},
    {Alarm::internal_failure, bits(12, 13, 14, 22), bits(4, 5, 6, 7, 8, 9, 10, 11, 15)},
    {Alarm::high_temperature, bits(), bits(16)},
    {Alarm::low_temperature, bits(), bits(17, 32, 46)},  // cells, environment, MOSFET
    {Alarm::high_discharge_current, bits(), bits(26)},   // short circuit
    {Alarm::high_voltage, bits(), bits(28)},
    {Alarm::low_voltage, bits(), bits(29)},
    {Alarm::high_charge_temperature, bits(), bits(30)},
    {Alarm::low_charge_temperature, bits(47), bits(31)},
    {Alarm::high_internal_temperature, bits(), bits(33, 45)},  // environment, MOSFET
    {Alarm::low_soc, bits(), bits(36)},
};
enum FaultBit : unsigned { charges = 24, discharges = 25, over_current = 27, heats = 44 };

// Bytes s7 to s9, likewise.
constexpr wire::AlarmBits warning_table[] = {
    {Alarm::low_soc, bits(0, 11), bits()},
    {Alarm::internal_failure, bits(7), bits(3, 5)},           // system lock; aerosol, short sensor
    {Alarm::high_internal_temperature, bits(8, 10), bits()},  // environment, MOSFET
    {Alarm::low_temperature, bits(9, 14), bits()},            // environment, cells
    {Alarm::cell_imbalance, bits(12), bits()},
    {Alarm::high_temperature, bits(13), bits()},
    {Alarm::high_cell_voltage, bits(16), bits()},
    {Alarm::low_cell_voltage, bits(17), bits()},
    {Alarm::high_voltage, bits(18), bits()},
    {Alarm::low_voltage, bits(19), bits()},
    {Alarm::high_charge_current, bits(20), bits()},
    {Alarm::high_discharge_current, bits(21), bits()},
    {Alarm::high_charge_temperature, bits(22), bits()},
    {Alarm::low_charge_temperature, bits(23), bits()},
};

void read_cells(Reader reader, std::size_t count, Battery& into) {
  constexpr unsigned balancing_bit = 15, millivolts = 0x3FFF;  // bit 14 is another flag
  set_cell_count(into, count, 4, 32);
  std::uint64_t balancing = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned raw = reader.u16();
    into.cells[i].voltage = (raw & millivolts) / 1000.0;
    if (wire::bit(raw, balancing_bit)) balancing |= bits(i);
  }
  set_balancing(into, balancing);
}

// The high byte says which sensor it is, wherever it stands.
void read_temperatures(std::optional<Reader> reader, std::size_t count, Battery& into, boost::json::object& details) {
  into.temperatures = {};
  into.mos_temperature.reset();
  std::optional<double> environment;
  std::size_t next = 0;
  for (std::size_t i = 0; reader && i < count; ++i) {
    const std::uint8_t tag = reader->u8();
    const auto celsius = fitted_sensor(reader->u8() - 50.0);
    if (tag == 0x00 && next < into.temperatures.size()) into.temperatures[next++] = celsius;
    if (tag == 0x20) environment = celsius;
    if (tag == 0x40 || tag == 0x80) into.mos_temperature = celsius;
  }
  details["temperatures"] = {{"environment", or_null(environment)}};
}

void decode_status(Bytes bytes, Battery& into) {
  into.alarms = {};
  into.heater.allowed.reset();
  into.heater.active.reset();
  if (bytes.empty()) return;
  const std::uint64_t faults = wire::word_of(bytes.first(6)), warnings = wire::word_of(bytes.subspan(7, 3));
  wire::raise_alarms(fault_table, faults, into.alarms);
  wire::raise_alarms(warning_table, warnings, into.alarms);
  if (wire::bit(faults, over_current)) {  // in the direction of the current, as far as it is told
    const bool charging = wire::bit(faults, charges), discharging = wire::bit(faults, discharges);
    if (charging || !discharging) wire::raise(into.alarms, Alarm::high_charge_current, AlarmLevel::alarm);
    if (discharging || !charging) wire::raise(into.alarms, Alarm::high_discharge_current, AlarmLevel::alarm);
  }
  into.heater.allowed = into.heater.active = wire::bit(faults, heats);
}

}  // namespace

void decode_information(Bytes data, Battery& into, boost::json::object& details) {
  std::array<std::optional<Reader>, last_of_words + 1> groups;
  std::array<std::size_t, last_of_words + 1> counts{};
  for (Reader reader(data); reader.left() > 0;) {
    const std::uint8_t id = reader.u8(), count = reader.u8();
    const Bytes content = reader.take(count * (id <= last_of_words ? 2U : 4U));
    if (id == 0 || id > last_of_words) continue;
    groups[id] = Reader(content);
    counts[id] = count;
  }
  const auto word = [&](Group id) { return groups[id] && counts[id] > 0 ? std::optional<double>(groups[id]->u16()) : std::nullopt; };
  const auto amperes = word(current), percent = word(soc), volts = word(voltage);
  require(groups[cells] && amperes && percent && volts, "a group is missing");

  read_cells(*groups[cells], counts[cells], into);
  into.current = (30000 - *amperes) / 100;
  into.soc = *percent / 100;
  into.voltage = *volts / 100;
  const auto full = word(capacity), health = word(soh);
  into.capacity = full > 0.0 ? std::optional(*full / 100) : std::nullopt;
  into.soh = health && *health <= 10000 ? std::optional(*health / 100) : std::nullopt;
  into.history[HistoryValue::charge_cycles] = word(cycles);
  check_reading(into);
  read_temperatures(groups[temperatures], counts[temperatures], into, details);
  decode_status(groups[status] && counts[status] >= 5 ? groups[status]->take(10) : Bytes{}, into);
}

std::string letters_of(Bytes frame) {
  std::string letters;
  for (const std::uint8_t byte : frame) {
    if (byte < 0x80 && std::isalnum(byte) != 0) letters.push_back(static_cast<char>(byte));
  }
  return letters;
}

}  // namespace serialbattery::eg4_lifepower
