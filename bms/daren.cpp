// Contents of the frames of Daren boards; see daren.hpp.
//
//   42  voltages, temperatures, current, capacities, alarms, FETs   each cycle
//   47  number of cells, charge current limit, bar codes            once a minute
//   51  hardware, product, project, version                         once
//   B0  module 03: serial numbers                                   once
//       module 04: capacities and counters                          once a minute
//
// Only 42 must be answered. Counters of energy overflow in some packs: they are used when they fit the counters of charge.
// Sources: BASEN/Daren document, labels of the maker's tool, header of his display firmware, captures of eight packs.
#include "bms/daren.hpp"

#include <algorithm>

namespace serialbattery::daren {

using yd1363::Message;
using yd1363::Reader;
using yd1363::require;

namespace {

constexpr auto warning = AlarmLevel::warning, alarm = AlarmLevel::alarm;
constexpr Duration settings_every = 60s;

constexpr wire::AlarmBit voltage_bits[] = {
    {0, Alarm::high_cell_voltage, alarm}, {1, Alarm::low_cell_voltage, alarm},    {2, Alarm::high_voltage, alarm},
    {3, Alarm::low_voltage, alarm},       {4, Alarm::high_cell_voltage, warning}, {5, Alarm::low_cell_voltage, warning},
    {6, Alarm::high_voltage, warning},    {7, Alarm::low_voltage, warning},       {8, Alarm::cell_imbalance, warning},
    {9, Alarm::high_cell_voltage, alarm}, {10, Alarm::low_cell_voltage, alarm},   {12, Alarm::internal_failure, alarm},
    {13, Alarm::fuse_blown, alarm},       {14, Alarm::cell_imbalance, alarm},
};
constexpr wire::AlarmBit current_bits[] = {
    {2, Alarm::high_charge_current, alarm},    {3, Alarm::high_discharge_current, alarm}, {4, Alarm::high_discharge_current, alarm},
    {5, Alarm::high_discharge_current, alarm}, {6, Alarm::high_charge_current, warning},  {7, Alarm::high_discharge_current, warning},
    {8, Alarm::high_discharge_current, alarm}, {9, Alarm::internal_failure, alarm},
};
constexpr wire::AlarmBit temperature_bits[] = {
    {0, Alarm::high_charge_temperature, alarm},
    {1, Alarm::low_charge_temperature, alarm},
    {2, Alarm::high_temperature, alarm},
    {3, Alarm::low_temperature, alarm},
    {4, Alarm::high_internal_temperature, alarm},
    {5, Alarm::low_temperature, alarm},
    {6, Alarm::high_internal_temperature, alarm},
    {7, Alarm::low_temperature, alarm},
    {8, Alarm::high_charge_temperature, warning},
    {9, Alarm::low_charge_temperature, warning},
    {10, Alarm::high_temperature, warning},
    {11, Alarm::low_temperature, warning},
    {12, Alarm::high_internal_temperature, warning},
    {13, Alarm::low_temperature, warning},
    {14, Alarm::high_internal_temperature, warning},
    {15, Alarm::low_temperature, warning},
};
constexpr wire::AlarmBit warning_bits[] = {
    // 5, 6: LED and buzzer are enabled
    {0, Alarm::cell_imbalance, warning},          {1, Alarm::internal_failure, alarm},   {2, Alarm::internal_failure, warning},
    {3, Alarm::internal_failure, alarm},          {4, Alarm::internal_failure, alarm},   {7, Alarm::low_soc, warning},
    {8, Alarm::high_internal_temperature, alarm}, {9, Alarm::internal_failure, warning}, {10, Alarm::internal_failure, alarm},
    {11, Alarm::internal_failure, alarm},         {12, Alarm::internal_failure, alarm},  {13, Alarm::internal_failure, alarm},
    {14, Alarm::internal_failure, alarm},         {15, Alarm::internal_failure, alarm},
};
constexpr wire::AlarmBit fet_alarm_bits[] = {
    {2, Alarm::internal_failure, alarm},
    {3, Alarm::internal_failure, alarm},
    {13, Alarm::internal_failure, alarm},
    {15, Alarm::low_soc, alarm},
};
enum FetBit : unsigned { charge_on = 1U << 0U, discharge_on = 1U << 1U, heater_on = 1U << 6U };

// The alarms of several words together: the highest level wins.
void raise_all(std::span<const wire::AlarmBit> table, std::optional<unsigned> word, Alarms& alarms) {
  if (!word) return;
  for (const wire::AlarmBit& entry : table) wire::raise(alarms, entry.alarm, (*word >> entry.bit & 1U) != 0 ? entry.level : AlarmLevel::ok);
}

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

bool is_unset(Bytes raw) {
  return std::ranges::all_of(raw, [](std::uint8_t byte) { return byte == 0x00 || byte == 0xFF; });
}

std::string text_if_set(Bytes raw) {
  return is_unset(raw) ? std::string{} : wire::text(raw);
}

// kWh, unless the counter can't belong to that of the charge (Ah).
std::optional<double> energy(double tenths_of_kwh, double ampere_hours, unsigned cells) {
  if (ampere_hours < 10 || cells == 0) return std::nullopt;
  const double volts_per_cell = tenths_of_kwh * 100 / ampere_hours / cells;
  return volts_per_cell >= 2.0 && volts_per_cell <= 3.8 ? std::optional(tenths_of_kwh / 10) : std::nullopt;
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
  const Message settings = ask_for(parameters), texts = ask_for(names);
  const Message serials = ask_for_module(serial_numbers), totals = ask_for_module(counters);
  co_await try_ask(found, settings);
  co_await try_ask(found, serials);
  co_await try_ask(found, texts, Patience::once);
  co_await try_ask(found, totals, Patience::once);
  set_identifier(found);
  settings_due_ = link().now() + settings_every;
}

asio::awaitable<void> DarenDriver::poll(Battery& next) {
  const Message values = ask_for(reading);
  co_await ask(next, values);
  if (link().now() < settings_due_) co_return;
  settings_due_ = link().now() + settings_every;
  const Message settings = ask_for(parameters), totals = ask_for_module(counters);
  co_await try_ask(next, settings, Patience::once);
  co_await try_ask(next, totals, Patience::once);
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
  read_cells(reader, reader.u8(), 1, 32, into);
  const auto celsius = [&reader] { return yd1363::temperature(reader.i16() / 10.0); };
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
  yd1363::check(into);
  note()["temperatures"] = {{"environment", environment ? boost::json::value(*environment) : boost::json::value(nullptr)}};
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

  const bool coarse = variant_.unit_of_current && flag && currents && (*flag & 1U) == 0 && (*currents & 1U << 10U) != 0;
  into.current = current / (coarse ? 10.0 : 100.0);

  into.alarms = {};
  raise_all(voltage_bits, voltages, into.alarms);
  raise_all(current_bits, currents, into.alarms);
  raise_all(temperature_bits, temperatures, into.alarms);
  raise_all(warning_bits, warnings, into.alarms);
  raise_all(fet_alarm_bits, fets, into.alarms);
  if (config().soc_calculation && into.alarms[Alarm::low_soc]) into.alarms[Alarm::low_soc] = AlarmLevel::ok;

  const auto state = [fets](unsigned bit) { return fets ? std::optional((*fets & bit) != 0) : std::nullopt; };
  into.charge_fet = state(charge_on);
  into.discharge_fet = state(discharge_on);
  into.heater.allowed = into.heater.active = state(heater_on);
  set_limits(into);

  for (int masks = 0; masks < 4; ++masks) optional_u16(reader);  // which cell raises a voltage alarm
  const auto low = optional_u16(reader);
  decode_balancing(low, optional_u16(reader), into);
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

void DarenDriver::decode_parameters(Reader reader, Battery& into) {
  reader.take(15);  // flag, limits that differ between firmwares
  const unsigned count = reader.u16();
  require(count >= 1 && count <= 32, "impossible number of cells");
  require(!into.cell_count || *into.cell_count == count, "number of cells contradicts the reading");
  const double limit = reader.u16() / 100.0;
  note()["design_capacity"] = reader.u16() / 100.0;
  reader.take(4);  // interval of the log, balance mode
  const std::string product = text_if_set(reader.take(20));
  barcode_ = text_if_set(reader.take(20));
  if (!product.empty()) note()["product_barcode"] = product;
  if (!barcode_.empty()) note()["bms_barcode"] = barcode_;
  into.cell_count = count;
  charge_limit_ = limit;
  set_limits(into);
}

// The BMS tells one limit, that of charging; earlier drivers used it for both directions.
void DarenDriver::set_limits(Battery& into) const {
  const auto unless_off = [this](const std::optional<bool>& fet) {
    return fet == false && charge_limit_ ? std::optional(0.0) : charge_limit_;
  };
  into.limits.charge_current = unless_off(into.charge_fet);
  into.limits.discharge_current = unless_off(into.discharge_fet);
}

void DarenDriver::decode_names(Reader reader, Battery& into) {
  require(reader.left() >= 33 && reader.left() <= 48, "answer to another question");
  const std::string hardware = wire::text(reader.take(10)), product = wire::text(reader.take(10)), project = wire::text(reader.take(10));
  const unsigned major = reader.u8(), minor = reader.u8(), patch = reader.u8();
  into.identity.firmware_version = fmt::format("{:02X}.{:02X}.{:02X}", major, minor, patch);
  into.identity.hardware_version = fmt::format("{} {} {} {} ", product, project, hardware, into.identity.firmware_version);
  note()["hardware_type"] = hardware;
  note()["product_code"] = product;
  note()["project_code"] = project;
}

void DarenDriver::decode_production(Reader reader, Battery& into) {
  const Bytes head = reader.take(6);
  if (head[3] == serial_numbers) return decode_serial_numbers(reader, into);
  require(head[3] == counters, "answer to another question");
  decode_counters(reader, into);
}

void DarenDriver::decode_serial_numbers(Reader reader, Battery& into) {
  const Bytes pack = reader.take(30);
  reader.take(60);  // product, BMS
  const unsigned year = reader.u8(), month = reader.u8(), day = reader.u8();
  const std::string maker = text_if_set(reader.take(20));
  if (month >= 1 && month <= 12 && day >= 1 && day <= 31)
    into.identity.production_date = fmt::format("{}-{:02}-{:02}", 2000 + year, month, day);
  into.identity.manufacturer = maker;
  if (is_unset(pack)) return;
  constexpr std::size_t used = 15;  // of the 30, as earlier drivers did; blanks and NULs at the end count
  into.identity.serial_number = wire::text(pack.first(used));
  const auto id = [pack](std::size_t length) {
    std::string text(pack.begin(), pack.begin() + static_cast<std::ptrdiff_t>(length));
    std::ranges::replace_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }, '_');
    return text;
  };
  into.identity.unique_id = id(used);
  if (!link().common<yd1363::Identifiers>().claim(into.identity.unique_id, address())) into.identity.unique_id = id(pack.size());
}

void DarenDriver::set_identifier(Battery& into) {
  if (!into.identity.unique_id.empty()) return;
  into.identity.unique_id =
      barcode_.empty() ? fmt::format("{}_0x{:02X}_{}Ah", variant_.type, address(), yd1363::shortest(into.capacity.value_or(0))) : barcode_;
}

void DarenDriver::decode_counters(Reader reader, Battery& into) {
  const double remaining = reader.u16() / 100.0, full = reader.u16() / 100.0;
  note()["design_capacity"] = reader.u16() / 100.0;
  const double charged = reader.u32(), discharged = reader.u32();
  const double energy_in = reader.u16(), energy_out = reader.u16();
  if (!into.capacity_remaining) into.capacity_remaining = remaining;
  if (!into.capacity && full > 0) into.capacity = full;
  note()["total_ah_charged"] = charged;
  into.history[HistoryValue::total_ah_drawn] = discharged;
  const unsigned cells = into.cell_count.value_or(16);
  const auto in = energy(energy_in, charged, cells), out = energy(energy_out, discharged, cells);
  const bool both = in && out;
  into.history[HistoryValue::charged_energy] = both ? in : std::nullopt;
  into.history[HistoryValue::discharged_energy] = both ? out : std::nullopt;
}

}  // namespace serialbattery::daren
