// What Daren boards are asked, and their readings; see daren.hpp.
//
//   42  voltages, temperatures, current, capacities, alarms, FETs   each cycle, must be answered
//   47  number of cells, charge current limit, bar codes            once a minute   daren_settings.cpp
//   51  hardware, product, project, version                         once
//   B0  module 03: serial numbers                                   once
//       module 04: capacities and counters                          once a minute
//
// Sources: BASEN/Daren document, labels of the maker's tool, header of his display firmware, captures of eight packs.
#include "bms/daren.hpp"

#include <algorithm>

namespace serialbattery::daren {

using yd1363::Message;

namespace {

constexpr Duration settings_every = 60s;

using wire::bits;

// Each table: alarm, bits that warn of it, bits that raise it.
constexpr wire::AlarmBits voltage_table[] = {
    {Alarm::high_cell_voltage, bits(4), bits(0, 9)}, {Alarm::low_cell_voltage, bits(5), bits(1, 10)},
    {Alarm::high_voltage, bits(6), bits(2)},         {Alarm::low_voltage, bits(7), bits(3)},
    {Alarm::cell_imbalance, bits(8), bits(14)},      {Alarm::internal_failure, bits(), bits(12)},
    {Alarm::fuse_blown, bits(), bits(13)},
};
constexpr NamedBit voltage_names[] = {{11, "cell temperatures too different"}};
constexpr wire::AlarmBits current_table[] = {
    {Alarm::high_charge_current, bits(6), bits(2)},
    {Alarm::high_discharge_current, bits(7), bits(3, 4, 5, 8)},
    {Alarm::internal_failure, bits(), bits(9)},  // reverse connection
};
constexpr unsigned coarse_current_bit = 10;
constexpr wire::AlarmBits temperature_table[] = {
    {Alarm::high_charge_temperature, bits(8), bits(0)},
    {Alarm::low_charge_temperature, bits(9), bits(1)},
    {Alarm::high_temperature, bits(10), bits(2)},
    {Alarm::low_temperature, bits(11, 13, 15), bits(3, 5, 7)},     // cells, environment, MOSFET
    {Alarm::high_internal_temperature, bits(12, 14), bits(4, 6)},  // environment, MOSFET
};
constexpr wire::AlarmBits warning_table[] = {
    {Alarm::cell_imbalance, bits(0), bits()},
    {Alarm::internal_failure, bits(2, 9), bits(1, 3, 4, 10, 11, 12, 13, 14, 15)},  // 5, 6: LED and buzzer are enabled
    {Alarm::low_soc, bits(7), bits()},
    {Alarm::high_internal_temperature, bits(), bits(8)},
};
constexpr wire::AlarmBits fet_table[] = {
    {Alarm::internal_failure, bits(), bits(2, 3, 13)},
    {Alarm::low_soc, bits(), bits(15)},
};
enum FetBit : unsigned { charge_on = 1U << 0U, discharge_on = 1U << 1U, heater_on = 1U << 6U };

// A field that firmware may have left away; behind it then stands nothing else.
std::optional<unsigned> optional_u16(Reader& reader) {
  if (reader.left() < 2) {
    reader.take(reader.left());
    return std::nullopt;
  }
  return reader.u16();
}

std::optional<double> scaled(std::optional<unsigned> raw, double per_unit) {
  return raw ? std::optional(*raw / per_unit) : std::nullopt;
}

}  // namespace

void DarenDriver::forget() {
  charge_limit_.reset();
  barcode_.clear();
  balancing_until_ = {};
}

Message DarenDriver::ask_for(std::uint8_t command) const {
  return command == names ? question(command) : question(command, Bytes(&group_, 1));
}

Message DarenDriver::ask_for_module(Module module) const {
  constexpr std::uint8_t read = 0x01, all = 0xFF, no_length = 0x00;
  const std::uint8_t info[] = {address(), read, module, all, no_length};
  return question(production, info);
}

asio::awaitable<void> DarenDriver::read_settings(Battery& found) {
  co_await try_ask(found, ask_for(parameters));
  co_await try_ask(found, ask_for_module(serial_numbers));
  co_await try_ask(found, ask_for(names), Patience::once);
  co_await try_ask(found, ask_for_module(counters), Patience::once);
  set_identifier(found);
  settings_due_ = link().now() + settings_every;
}

asio::awaitable<void> DarenDriver::poll(Battery& next) {
  co_await ask(next, ask_for(reading));
  if (link().now() < settings_due_) co_return;
  settings_due_ = link().now() + settings_every;
  co_await try_ask(next, ask_for(parameters), Patience::once);
  co_await try_ask(next, ask_for_module(counters), Patience::once);
}

void DarenDriver::decode(const Message& asked, const Message& answer, Battery& into) {
  switch (asked.code) {
    case reading: decode_reading(Reader(answer.info), into); break;
    case parameters: decode_parameters(Reader(answer.info), into); break;
    case protocol: note()["protocol_version"] = Reader(answer.info).u8(); break;
    case names: decode_names(Reader(answer.info), into); break;
    case production:
      require(answer.info.size() >= 6 && asked.info.size() >= 3 && answer.info[0] == production && answer.info[3] == asked.info[2],
              "answer to another question");
      decode_production(Reader(answer.info), into);
      break;
    default: throw FrameError(Fault::implausible, "no question of this driver");
  }
}

void DarenDriver::decode_reading(Reader reader, Battery& into) {
  reader.take(1);  // changes that were not asked for yet
  into.soc = reader.u16() / 100.0;
  into.voltage = reader.u16() / 100.0;
  yd1363::read_cells(reader, 1, most_cells, into);
  const auto celsius = [&reader] { return fitted_sensor(reader.i16() / 10.0); };
  const auto environment = celsius();
  celsius();  // average of the sensors
  into.mos_temperature = celsius();
  const unsigned sensors = reader.u8();
  require(sensors <= 20, "impossible number of temperatures");
  into.temperatures = {};
  for (unsigned i = 0; i < sensors; ++i) {
    const auto value = celsius();
    if (i < into.temperatures.size()) into.temperatures[i] = value;
  }
  require(reader.left() >= variant_.required, "content ends too early");
  const std::int16_t current = reader.i16();
  decode_tail(reader, current, into);
  check_reading(into);
  note()["temperatures"] = {{"environment", or_null(environment)}};
}

void DarenDriver::decode_tail(Reader reader, std::int16_t current, Battery& into) {
  optional_u16(reader);  // internal resistance
  const auto soh = optional_u16(reader);
  const auto flag = reader.left() > 0 ? std::optional<unsigned>(reader.u8()) : std::nullopt;
  into.soh = soh && *soh >= 1 && *soh <= 100 ? std::optional<double>(*soh) : std::nullopt;
  into.capacity = scaled(optional_u16(reader), 100);
  if (into.capacity == 0.0) into.capacity.reset();
  into.capacity_remaining = scaled(optional_u16(reader), 100);
  into.history[HistoryValue::charge_cycles] = scaled(optional_u16(reader), 1);
  const auto voltages = optional_u16(reader), currents = optional_u16(reader), temperatures = optional_u16(reader);
  auto warnings = optional_u16(reader);
  const auto fets = optional_u16(reader);
  if (warnings) *warnings &= ~variant_.ignored_warnings;
  into.current = current / (is_coarse(flag, currents) ? 10.0 : 100.0);

  into.alarms = {};
  const auto raise = [&into](std::span<const wire::AlarmBits> table, std::optional<unsigned> word) {
    if (word) wire::raise_alarms(table, *word, into.alarms);
  };
  raise(voltage_table, voltages);
  raise(current_table, currents);
  raise(temperature_table, temperatures);
  raise(warning_table, warnings);
  raise(fet_table, fets);
  tell_new_bits("Daren voltage status", voltages.value_or(0), ~bits(11), voltage_names);

  const auto state = [fets](unsigned bit) { return fets ? std::optional((*fets & bit) != 0) : std::nullopt; };
  into.charge_fet = state(charge_on);
  into.discharge_fet = state(discharge_on);
  into.heater.allowed = into.heater.active = state(heater_on);
  set_limits(into);

  for (int masks = 0; masks < 4; ++masks) optional_u16(reader);  // which cell raises a voltage alarm
  const auto low = optional_u16(reader);
  decode_balancing(low, optional_u16(reader), into);
}

// Two flags tell the unit of the current where a firmware has both; 0.1 A counts only if both say so.
bool DarenDriver::is_coarse(std::optional<unsigned> flag, std::optional<unsigned> currents) {
  if (!variant_.unit_of_current || !flag || !currents) return false;
  const bool first = (*flag & 1U) == 0, second = wire::bit(*currents, coarse_current_bit);
  if (first != second && !std::exchange(unit_doubt_told_, true))
    spdlog::warn("{} {}: the BMS contradicts itself about the unit of its current, 0.01 A is assumed: compare with a meter", port(),
                 address_text());
  return first && second;
}

// The balancer works in pulses: a cell that was seen balancing is shown so for a while.
void DarenDriver::decode_balancing(std::optional<unsigned> low, std::optional<unsigned> high, Battery& into) {
  constexpr Duration hold = 10s;
  const TimePoint now = link().now();
  into.balancing = low ? std::optional(false) : std::nullopt;
  for (std::size_t i = 0; i < into.cells.size(); ++i) {
    const auto& word = i < 16 ? low : high;
    into.cells[i].balancing.reset();
    if (!word) continue;
    if ((*word >> (i % 16) & 1U) != 0) balancing_until_[i] = now + hold;
    into.cells[i].balancing = now < balancing_until_[i];
    if (*into.cells[i].balancing) into.balancing = true;
  }
}

}  // namespace serialbattery::daren
