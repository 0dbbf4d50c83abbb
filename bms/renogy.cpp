// Renogy smart lithium batteries with RJ45 sockets ("RongSi" BMS): RBT100LFP12S, RBT100LFP12SH (heated), RBT50LFP48S, RBT..-BT; 4 to 16
// cells. RS485, Modbus RTU, 9600 baud 8N1, function 3. Factory address 0xF7; a Renogy hub or monitor renumbers them 0x30, 0x31, ...;
// 0xFF reaches any single one.
//
//   5000  34  cells, cell temperatures           each cycle
//   5035  18  current, voltage, charge, limits   each cycle
//   5100  10  alarms and states                  each cycle, not on all models
//   5110   8  serial number      5122  8  model      5130  2  firmware      5132  8  manufacturer
//
// Quirks: 5034 is a hole on older models, which refuse reads across it; some allow only small reads. There is no SoC register. Cells
// and pack come in steps of 0.1 V. 5103 is the heater's power on heated models, no alarm. Environment sensors read a false 0 where
// there is none. Sources: vendor's "Lithium Iron Battery BMS Modbus Protocol" V1.7 as transcribed by users, dumps of three models.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::renogy {

namespace {

using modbus::Block;
using modbus::Field;
using modbus::holding;
using modbus::Reading;
using enum wire::Type;

constexpr Timing normal{.first_byte = 500ms, .between_bytes = 100ms, .expected = 73, .gap = 20ms, .attempts = 3};

constexpr Block serial = holding(5110, 8), model = holding(5122, 8), firmware = holding(5130, 2), manufacturer = holding(5132, 8);
constexpr Block states = holding(5100, 10);
constexpr Block few_cells[] = {holding(5000, 1), holding(5001, 4), holding(5018, 4)};
constexpr Block few_values[] = {holding(5042, 4), holding(5046, 2)};
constexpr Reading cells{holding(5000, 34), few_cells};
constexpr Reading values{holding(5035, 18), few_values};

constexpr Field fields[] = {
    {5042, i16be, 100, &Battery::current},
    {5043, u16be, 10, &Battery::voltage},
    {5044, u32be, 1000, &Battery::capacity_remaining},
    {5046, u32be, 1000, &Battery::capacity},
};

using wire::bits;

// 5106, 5107 above it, and two bits of our own for the flags of single cells.
constexpr unsigned some_cell_low = 32, some_cell_high = 33;
constexpr wire::AlarmBits alarm_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_discharge_current, bits(), bits(0, 5, 10)},  // short circuit, second stage, first stage
    {Alarm::high_charge_current, bits(), bits(4, 9)},
    {Alarm::high_voltage, bits(19), bits(6)},
    {Alarm::low_voltage, bits(18), bits(15)},
    {Alarm::low_cell_voltage, bits(16, some_cell_low), bits(7)},
    {Alarm::high_cell_voltage, bits(17, some_cell_high), bits(8)},
    {Alarm::low_temperature, bits(22), bits(11)},  // discharging
    {Alarm::high_temperature, bits(23), bits(12)},
    {Alarm::low_charge_temperature, bits(20), bits(13)},
    {Alarm::high_charge_temperature, bits(21), bits(14)},
};
constexpr unsigned charge_fet_bit = 1, discharge_fet_bit = 2, heater_bit = 16 + 13;

// Two bits per cell: 1 below, 2 above its limit, 3 something else.
std::uint64_t cell_flags(std::uint32_t word) {
  std::uint64_t flags = 0;
  for (; word != 0; word >>= 2U) {
    if ((word & 3U) == 1) flags |= bits(some_cell_low);
    if ((word & 3U) == 2) flags |= bits(some_cell_high);
  }
  return flags;
}

std::string version_text(const std::string& digits) {
  const bool numeric = digits.size() == 4 && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  return numeric ? fmt::format("{}.{}", std::stoi(digits.substr(0, 2)), digits.substr(2)) : digits;
}

}  // namespace

class Renogy final : public modbus::ModbusDriver {
 public:
  explicit Renogy(const DriverContext& context) : ModbusDriver(context, normal) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    begin_probe(effort, 250ms);
    co_await read(model);
    require(modbus::is_text(raw(model), 4), "no model name");
    settle();
    for (const Block& name : {manufacturer, firmware, serial}) co_await try_read(name, Otherwise::forget);
    co_await read_values(SplitAfter::any_failure);
    has_states_ = co_await try_read(states, Otherwise::forget);
    states_due_ = link().now() + 60s;
    decode(found);
    log_model(found.identity.model);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await read_values(SplitAfter::refusal);
    if (has_states_) {
      co_await read(states);
    } else if (link().now() >= states_due_) {  // perhaps only the first question was lost
      has_states_ = co_await try_read(states, Otherwise::forget);
      states_due_ = link().now() + 60s;
    }
    decode(next);
  }

  void decode(Battery& into) override {
    decode_identity(into);
    decode_cells(into);
    decode_values(into);
    decode_states(into);
    decode_limits(into);
  }

 private:
  asio::awaitable<void> read_values(SplitAfter after) {
    co_await read(cells, after);
    const unsigned count = registers().word(5000).value_or(0);
    require(count >= 1 && count <= 16, "number of cells outside 1..16");
    if (has_split(cells.block) && count > 4) co_await read(holding(5005, static_cast<std::uint16_t>(count - 4)));
    co_await read(values, after);
  }

  void log_model(const std::string& name) {
    if (!name.starts_with("RBT")) spdlog::info("{}: Renogy battery with the unusual model name {}", port(), name);
    const bool pro = name.starts_with("RBT12") && name.size() >= 8 &&
                     std::ranges::all_of(name.substr(5, 3), [](char c) { return c >= '0' && c <= '9'; });
    if (pro) spdlog::warn("{}: current scale of Renogy Pro models unverified: compare with a meter", port());
  }

  void decode_identity(Battery& into) {
    Identity& identity = into.identity;
    if (registers().has(manufacturer)) identity.manufacturer = text(manufacturer);
    if (registers().has(model)) {
      require(modbus::is_text(raw(model), 4), "no model name");
      identity.model = text(model);
      identity.hardware_version =
          identity.manufacturer.empty() ? identity.model : fmt::format("{} {}", identity.manufacturer, identity.model);
    }
    if (registers().has(firmware)) identity.firmware_version = version_text(text(firmware));
    identity.unique_id = port_and_address();
    if (!registers().has(serial)) return;
    identity.serial_number = text(serial);
    if (identity.serial_number.size() < 10) return;  // only a date: not unique
    identity.unique_id.clear();
    for (const std::uint8_t c : raw(serial)) identity.unique_id.push_back(c >= 0x20 && c <= 0x7E ? static_cast<char>(c) : '_');
  }

  void decode_cells(Battery& into) {
    const auto count = registers().word(5000);
    if (!count) return;
    set_cell_count(into, *count, 1, 16);
    for (unsigned i = 0; i < *count; ++i) {
      const auto decivolts = registers().word(5001 + i);
      if (!decivolts) continue;
      require(*decivolts >= 10 && *decivolts <= 45, "cell voltage outside 1.0..4.5 V");
      into.cells[i].voltage = *decivolts / 10.0;
    }
    const unsigned sensors = registers().word(5017).value_or(4);
    for (unsigned i = 0; i < into.temperatures.size(); ++i) {
      const auto celsius = i < sensors ? scaled(5018 + i, i16be, 10) : std::nullopt;
      into.temperatures[i] = celsius ? wire::within(*celsius, -40, 120) : std::nullopt;
    }
  }

  void decode_values(Battery& into) {
    modbus::decode(fields, registers(), into);
    if (const auto mos = scaled(5035, i16be, 10)) into.mos_temperature = *mos != 0 ? mos : std::nullopt;
    if (const auto cycles = registers().word(5048)) into.history[HistoryValue::charge_cycles] = *cycles;
    if (into.capacity) {
      require(*into.capacity > 0 && *into.capacity <= 5000, "full capacity outside 0..5000 Ah");
      if (into.capacity_remaining) into.soc = std::clamp(100 * *into.capacity_remaining / *into.capacity, 0.0, 100.0);
    }
    if (into.voltage && registers().has(5001, static_cast<unsigned>(std::max<std::size_t>(into.cells.size(), 1)))) {
      const double allowed = 0.1 * static_cast<double>(into.cells.size()) + 0.3 + 1e-9;
      require(std::abs(*into.voltage - sum_of_cells(into)) <= allowed, "pack voltage contradicts the cells");
    }
  }

  void decode_states(Battery& into) {
    const auto protections = registers().word(5106), warnings = registers().word(5107);
    if (!protections || !warnings) {
      if (!has_states_) into.charge_fet = into.discharge_fet = true;  // a model that doesn't tell them
      into.alarms = {};
      into.heater = {};
      return;
    }
    const auto flags = static_cast<std::uint32_t>(registers().number(5100, u32be).value_or(0));
    const std::uint64_t word = *protections | (std::uint64_t{*warnings} << 16U) | cell_flags(flags);
    wire::decode_alarms(alarm_table, word, into.alarms);
    const bool unimplemented = *protections == 0 && *warnings == 0 && registers().word(5109).value_or(0) == 0;
    into.charge_fet = unimplemented || wire::bit(word, charge_fet_bit);
    into.discharge_fet = unimplemented || wire::bit(word, discharge_fet_bit);
    into.heater.allowed = into.heater.active = wire::bit(word, heater_bit);
  }

  void decode_limits(Battery& into) {
    into.limits = {};
    if (!registers().has(5049, 4)) return;
    const double dcl = std::abs(*scaled(5052, i16be, 100));  // stored negative
    offer_limits({.charge_current = scaled(5051, u16be, 100),
                  .discharge_current = dcl,
                  .charge_voltage = scaled(5049, u16be, 10),
                  .low_voltage = scaled(5050, u16be, 10)},
                 into);
  }

  bool has_states_ = true;
  TimePoint states_due_{};
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x30}, {.line = {9600}, .address = 0xF7}};
const Registration registration{{.type = "Renogy",
                                 .text = "Renogy",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 140,
                                 .port_id_address = "0x30",
                                 .connection_address = true,
                                 .make = make_driver<Renogy>}};

}  // namespace

}  // namespace serialbattery::renogy
