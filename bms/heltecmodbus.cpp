// Heltec "SmartBMS" with RS485, a YanYang (YYBMS) board: 4 to 25 cells, LFP, NMC, LTO or sodium. Modbus RTU, 9600 baud 8N1, function 3,
// address 1 or those in BATTERY_ADDRESSES.
//
// Register numbers and counts are big endian, the content is not: the registers are one array of bytes in which register R begins at
// 2R, numbers in it are little endian, and some are single bytes. All that changes lies in 75..166; firmware that refuses this block
// gives it in single reads.
//
// Quirks: needs 30 ms of silence after each answer, drops a request now and then. Raw current is positive while discharging. Firmware
// exists that never sets the bits of the outputs. Register 47 is the password: never read.
// Sources: three independent decoders that agree on addresses, order and scales; no public capture.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::heltecmodbus {

namespace {

using modbus::Block;
using modbus::Reading;
using enum wire::Type;

constexpr Timing normal{.first_byte = 400ms, .between_bytes = 100ms, .expected = 189, .gap = 30ms, .attempts = 3};

constexpr Block block(std::uint16_t start, std::uint16_t quantity) {
  return {.start = start, .quantity = quantity};
}
constexpr Block cell_count = block(75, 1), signature = block(63, 4), model = block(7, 13), device_name = block(41, 6);
constexpr Block serial = block(2, 4), password = block(47, 5), counters = block(127, 1);
constexpr Block settings[] = {block(191, 1), block(194, 1), block(118, 1), block(169, 1), block(172, 1),
                              device_name,   serial,        model,         block(38, 1),  block(39, 2)};
constexpr Block optional_settings[] = {block(52, 2), block(62, 1), counters};
// Beside the cells, whose number decides.
constexpr Block single_values[] = {block(76, 2),  block(78, 2),  block(152, 2), block(156, 2),
                                   block(120, 1), block(113, 2), block(112, 1), block(139, 2)};
constexpr Reading values{block(75, 92), single_values};
constexpr unsigned first_cell = 81, most_cells = 25;

constexpr wire::AlarmBit warning_bits[] = {
    {0, Alarm::high_cell_voltage, AlarmLevel::alarm},
    {1, Alarm::low_cell_voltage, AlarmLevel::alarm},
    {2, Alarm::low_cell_voltage, AlarmLevel::alarm},  // cut off because of it
    {3, Alarm::high_voltage, AlarmLevel::alarm},
    {4, Alarm::low_voltage, AlarmLevel::alarm},
    {5, Alarm::high_charge_current, AlarmLevel::alarm},
    {6, Alarm::high_discharge_current, AlarmLevel::warning},
    {7, Alarm::high_discharge_current, AlarmLevel::alarm},  // second stage
    {8, Alarm::high_discharge_current, AlarmLevel::alarm},  // short circuit
    {9, Alarm::high_charge_temperature, AlarmLevel::alarm},
    {10, Alarm::low_charge_temperature, AlarmLevel::alarm},
    {11, Alarm::high_temperature, AlarmLevel::alarm},
    {12, Alarm::low_temperature, AlarmLevel::alarm},
    {13, Alarm::high_internal_temperature, AlarmLevel::alarm},
    {14, Alarm::low_soc, AlarmLevel::alarm},
    {16, Alarm::low_voltage, AlarmLevel::alarm},   // empty; 15 is full, no alarm
    {17, Alarm::high_voltage, AlarmLevel::alarm},  // second stage
    {18, Alarm::low_voltage, AlarmLevel::alarm},   // second stage
};
constexpr std::uint32_t failures = 0xFFF80000;  // 19..31: broken parts of the board, some of them unknown

std::optional<double> temperature(std::optional<std::int64_t> raw) {
  if (!raw || *raw == 0 || *raw == 166) return std::nullopt;  // 166: sensor open
  return static_cast<double>(*raw) - 40;
}

bool is_no_measurement(unsigned millivolts) {
  return millivolts == 0 || millivolts == 20 || millivolts == 35 || millivolts == 36 || millivolts > 5000;
}

}  // namespace

class HeltecModbus final : public modbus::ModbusDriver {
 public:
  explicit HeltecModbus(const DriverContext& context) : ModbusDriver(context, normal) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    begin_probe(effort, 300ms);
    co_await read(cell_count);
    decode(found);
    settle();
    const bool answered = co_await try_read(signature, Otherwise::forget);
    const bool certain = answered && registers().number(signature.start, u32le) == 0x4D444253;
    for (const Block& part : settings) co_await read(part);
    for (const Block& part : optional_settings) co_await try_read(part, Otherwise::forget);
    co_await read_cycle(SplitAfter::any_failure);
    decode(found);
    counters_due_ = link().now() + 60s;
    co_return certain || looks_right(found);
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await read_cycle(SplitAfter::refusal);
    if (has_split(values.block) && link().now() >= counters_due_) {
      co_await try_read(counters, Otherwise::keep);
      counters_due_ = link().now() + 60s;
    }
    decode(next);
    modbus::require(next.cell_count == battery().cell_count, "another number of cells");
  }

  void decode(Battery& into) override {
    registers().forget(password);
    decode_cells(into);
    decode_measurements(into);
    decode_switches(into);
    decode_settings(into);
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> number(unsigned reg, wire::Type type, unsigned byte = 0) const {
    return registers().number(reg, type, byte);
  }
  [[nodiscard]] std::optional<double> scaled(unsigned reg, wire::Type type, double per_unit) const {
    const auto raw = number(reg, type);
    return raw ? std::optional(static_cast<double>(*raw) / per_unit) : std::nullopt;
  }

  asio::awaitable<void> read_cycle(SplitAfter after) {
    co_await read(values, after);
    if (has_split(values.block)) co_await read(block(first_cell, static_cast<std::uint16_t>(*number(75, u8))));
  }

  [[nodiscard]] bool looks_right(const Battery& found) const {
    const auto is_cell = [](const Cell& cell) { return !cell.voltage || (*cell.voltage >= 1 && *cell.voltage <= 5); };
    const double count = static_cast<double>(found.cells.size());
    return modbus::is_text(registers().bytes(model.start, model.quantity), 3) && std::ranges::all_of(found.cells, is_cell) &&
           *found.voltage >= count && *found.voltage <= 5 * count;
  }

  void decode_cells(Battery& into) {
    const auto count = number(75, u8), chemistry = number(75, u8, 1);
    if (count) {
      modbus::require(*count >= 1 && *count <= most_cells, "number of cells outside 1..25");
      modbus::require(*chemistry <= 3, "unknown chemistry");
      into.cell_count = static_cast<unsigned>(*count);
      into.cells.resize(*into.cell_count);
      note()["chemistry"] = *chemistry;
    }
    const auto balancing = number(139, u32le);
    for (unsigned i = 0; i < into.cells.size(); ++i) {
      if (const auto millivolts = number(first_cell + i, u16le)) {
        const bool none = is_no_measurement(static_cast<unsigned>(*millivolts));
        into.cells[i].voltage = none ? std::nullopt : std::optional(static_cast<double>(*millivolts) / 1000);
      }
      if (balancing) into.cells[i].balancing = ((*balancing >> i) & 1) != 0;
    }
    if (balancing) into.balancing = *balancing != 0;
  }

  void decode_measurements(Battery& into) {
    if (const auto volts = scaled(76, i32le, 1000)) {
      modbus::require(*volts >= 1 && *volts <= 150, "pack voltage outside 1..150 V");
      into.voltage = volts;
    }
    if (const auto amperes = scaled(78, i32le, -100)) {
      modbus::require(std::abs(*amperes) < 1000, "current outside -1000..1000 A");
      into.current = *amperes == 0 ? 0 : *amperes;  // no negative zero
    }
    if (const auto soc = number(120, u8)) {
      modbus::require(*soc <= 100, "SoC above 100 %");
      into.soc = static_cast<double>(*soc);
      into.soh = static_cast<double>(*number(120, u8, 1));
    }
    if (const auto capacity = scaled(118, u16le, 10)) into.capacity = capacity;
    if (into.capacity && into.soc) into.capacity_remaining = *into.capacity * *into.soc / 100;
    if (const auto cycles = number(127, u8, 1)) into.history[HistoryValue::charge_cycles] = static_cast<double>(*cycles);
    const auto fitted = number(52, u8, 1).value_or(0);
    const std::int64_t sensors = fitted >= 1 && fitted <= 8 ? fitted : 2;
    for (unsigned i = 0; i < into.temperatures.size(); ++i)
      into.temperatures[i] = i < sensors ? temperature(number(113 + i / 2, u8, i % 2)) : std::nullopt;
    into.mos_temperature = std::max(temperature(number(112, u8)), temperature(number(112, u8, 1)));
  }

  void decode_switches(Battery& into) {
    if (const auto state = number(152, u32le)) {
      const auto is_set = [&](unsigned bit) { return ((*state >> bit) & 1) != 0; };
      const bool silent = !is_set(0) && !is_set(1);  // perhaps firmware that never sets them; both off would never end
      into.discharge_fet = !is_set(29) && (silent || is_set(0));
      into.charge_fet = !is_set(28) && (silent || is_set(1));
    }
    if (const auto bits = number(156, u32le)) {
      wire::decode_alarms(warning_bits, static_cast<std::uint64_t>(*bits), into.alarms);
      into.alarms[Alarm::internal_failure] = (*bits & failures) != 0 ? AlarmLevel::alarm : AlarmLevel::ok;
      if (config().soc_calculation) into.alarms[Alarm::low_soc] = AlarmLevel::ok;
    }
  }

  void decode_settings(Battery& into) {
    const auto limit = [this](unsigned reg) {
      const auto amperes = scaled(reg, u16le, 100);
      return amperes && *amperes > 0 ? amperes : std::nullopt;
    };
    into.limits.charge_current = limit(191);
    into.limits.discharge_current = limit(194);
    if (const auto high = scaled(169, i16le, 1000)) note()["cell_over_voltage_protection"] = *high;
    if (const auto low = scaled(172, i16le, 1000)) note()["cell_under_voltage_protection"] = *low;
    const auto text = [this](const Block& where) { return wire::text(registers().bytes(where.start, where.quantity)); };
    Identity& identity = into.identity;
    identity.type_text = fmt::format("#{}_Heltec_Smart", address());
    if (registers().has(model)) identity.model = text(model);
    if (registers().has(device_name)) {
      identity.custom_field = text(device_name);
      note()["device_name"] = identity.custom_field;
      if (const auto version = number(38, u8)) identity.hardware_version = fmt::format("{}({})", identity.custom_field, *version);
    }
    if (const auto version = number(62, u8, 1)) identity.firmware_version = fmt::format("{:.2f}", static_cast<double>(*version) / 100);
    if (const auto year = number(39, u16le); year && registers().has(40))
      identity.production_date = fmt::format("{}-{}-{}", *year, *number(40, u8, 1), *number(40, u8));
    if (!registers().has(serial)) return;
    const std::string digits = wire::to_hex(registers().bytes(serial.start, serial.quantity));
    identity.serial_number = identity.unique_id =
        fmt::format("{}-{}-{}-{}", digits.substr(0, 4), digits.substr(4, 4), digits.substr(8, 4), digits.substr(12, 4));
  }

  TimePoint counters_due_{};
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "HeltecModbus",
                                 .text = "Heltec_Smart",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 100,
                                 .connection_address = true,
                                 .make = make_driver<HeltecModbus>}};

}  // namespace

}  // namespace serialbattery::heltecmodbus
