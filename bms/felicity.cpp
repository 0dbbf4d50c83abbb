// Felicity Solar batteries with RS485: LPBF48250, LPBA48100, 48100LCG01 "FelicityESS", FLA series; 24 V (8 cells) and 48 V (16 cells).
// Modbus RTU, 9600 baud 8N1, function 3; addresses 1, 2, ... Not the JSON protocol of their Wi-Fi and Bluetooth modules.
//
//   0xF80B  1  firmware            0xF804  5  serial number     detection
//   0x1302 10  states, voltage, current, SoC                    each cycle
//   0x131C  4  limits                                           each cycle, with USE_BMS_DVCC_VALUES only
//   0x132A 24  16 cell slots, 8 temperature slots               each cycle
//
// Quirks: raw current is positive while discharging; no register holds the capacity (BATTERY_CAPACITY must be set); empty slots read
// 0x7FFF or 0xFFFF. Address 1 at 9600 baud is crowded, so four checks must hold before the port is claimed.
// Sources: four independent implementations that agree on every register; no public capture.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::felicity {

namespace {

using modbus::Block;
using modbus::Field;
using modbus::Reading;
using enum wire::Type;

constexpr Timing normal{.first_byte = 500ms, .between_bytes = 100ms, .expected = 53, .gap = 50ms, .attempts = 3, .retry_gap = 100ms};

constexpr Block block(std::uint16_t start, std::uint16_t quantity) {
  return {.start = start, .quantity = quantity};
}
constexpr Block firmware = block(0xF80B, 1), serial = block(0xF804, 5), limits = block(0x131C, 4);
constexpr Block single_states[] = {block(0x1302, 3), block(0x1306, 2), block(0x130A, 1), block(0x130B, 1)};
constexpr Block single_cells[] = {block(0x132A, 16), block(0x1339, 5)};
constexpr Reading states{block(0x1302, 10), single_states};
constexpr Reading cells{block(0x132A, 24), single_cells};

constexpr Field fields[] = {
    {0x1306, u16be, 100, &Battery::voltage},
    {0x1307, i16be, -10, &Battery::current},  // told while discharging as positive
    {0x130B, u16be, 1, &Battery::soc},
};

constexpr unsigned fault_register = 0x1304;
constexpr wire::AlarmBit fault_bits[] = {
    {2, Alarm::high_cell_voltage, AlarmLevel::alarm},         {3, Alarm::low_cell_voltage, AlarmLevel::alarm},
    {4, Alarm::high_charge_current, AlarmLevel::alarm},       {5, Alarm::high_discharge_current, AlarmLevel::alarm},
    {6, Alarm::high_internal_temperature, AlarmLevel::alarm}, {8, Alarm::high_charge_temperature, AlarmLevel::alarm},
    {9, Alarm::low_charge_temperature, AlarmLevel::alarm},
};
constexpr unsigned known_faults = 0x037C;
enum StatusBit : unsigned { may_charge = 1U << 0U, may_discharge = 1U << 2U };

bool is_empty(unsigned raw) {
  return raw == 0x7FFF || raw == 0xFFFF;
}

std::optional<double> temperature(std::optional<unsigned> raw) {
  if (!raw || is_empty(*raw)) return std::nullopt;
  const double celsius = static_cast<std::int16_t>(*raw);
  modbus::require(celsius >= -40 && celsius <= 100, "temperature outside -40..100");
  return celsius;
}

}  // namespace

class Felicity final : public modbus::ModbusDriver {
 public:
  explicit Felicity(const DriverContext& context) : ModbusDriver(context, normal) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    begin_probe(effort, 250ms);
    populated_ = 0;
    co_await read(firmware);
    settle();
    co_await read(serial);
    co_await read_cycle();
    decode(found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await read_cycle();
    decode(next);
  }

  void decode(Battery& into) override {
    decode_identity(into);
    decode_states(into);
    decode_temperatures(into);
    decode_cells(into);
    decode_limits(into);
  }

 private:
  asio::awaitable<void> read_cycle() {
    co_await read(states, SplitAfter::refusal);
    if (config().use_bms_dvcc_values) co_await read(limits);
    co_await read(cells, SplitAfter::refusal);
  }

  void decode_identity(Battery& into) {
    if (const auto number = registers().word(firmware.start)) {
      modbus::require(*number >= 1 && *number <= 65534, "no firmware number");
      into.identity.firmware_version = std::to_string(*number);
    }
    if (!registers().has(serial)) return;
    std::string text;
    bool all_zero = true, all_set = true;
    for (unsigned i = 0; i < serial.quantity; ++i) {
      const unsigned group = *registers().word(serial.start + i);
      text += std::to_string(group);  // without leading zeros: so it stands in existing settings
      all_zero = all_zero && group == 0;
      all_set = all_set && group == 0xFFFF;
    }
    modbus::require(!all_zero && !all_set, "no serial number");
    into.identity.serial_number = into.identity.unique_id = text;
  }

  void decode_states(Battery& into) {
    modbus::decode(fields, registers(), into);
    if (into.soc) modbus::require(*into.soc <= 100, "SoC above 100 %");
    into.capacity = config().battery_capacity;
    if (into.soc) into.capacity_remaining = *into.capacity * *into.soc / 100;
    if (const auto status = registers().word(0x1302)) {
      into.charge_fet = (*status & may_charge) != 0;
      into.discharge_fet = (*status & may_discharge) != 0;
    }
    if (const auto faults = registers().word(fault_register)) {
      wire::decode_alarms(fault_bits, *faults, into.alarms);
      if ((*faults & ~known_faults) != 0 && !std::exchange(unknown_fault_logged_, true)) {
        spdlog::warn("{}: Felicity reports a fault of unknown meaning (bits 0x{:04x})", link().stream().name(), *faults);
      }
    }
    const auto board = registers().word(0x130A);
    into.mos_temperature = board && !is_empty(*board) ? std::optional<double>(static_cast<std::int16_t>(*board)) : std::nullopt;
  }

  void decode_temperatures(Battery& into) {
    for (unsigned sensor = 0; sensor < 8; ++sensor) {
      const auto celsius = temperature(registers().word(0x133A + sensor));
      if (sensor < into.temperatures.size()) into.temperatures[sensor] = celsius;
    }
  }

  void decode_cells(Battery& into) {
    if (!registers().has(cells.block.start, slots)) return;
    unsigned filled = 0;
    for (unsigned slot = 0; slot < slots; ++slot) {
      const unsigned millivolts = *registers().word(cells.block.start + slot);
      if (is_empty(millivolts)) continue;
      modbus::require(millivolts >= 1500 && millivolts <= 4500, "cell voltage outside 1.5..4.5 V");
      filled |= 1U << slot;
    }
    modbus::require(std::popcount(filled) >= 4, "fewer than four cells");
    // Once filled, a slot keeps its place: a sense wire that breaks must not shift the cells behind it.
    const unsigned all = populated_ | filled;
    into.cells.clear();
    for (unsigned slot = 0; slot < slots; ++slot) {
      if (((all >> slot) & 1U) == 0) continue;
      const bool told = ((filled >> slot) & 1U) != 0;
      into.cells.push_back({.voltage = told ? std::optional(*registers().word(cells.block.start + slot) / 1000.0) : std::nullopt,
                            .balancing = std::nullopt});
    }
    into.cell_count = static_cast<unsigned>(into.cells.size());
    if (into.voltage && all == filled) {
      const double sum = modbus::sum_of_cells(into);
      modbus::require(std::abs(*into.voltage - sum) <= 0.03 * sum, "pack voltage contradicts the cells");
    }
    populated_ = all;
  }

  void decode_limits(Battery& into) {
    into.limits = {};
    if (!registers().has(limits)) return;
    const auto value = [this](unsigned reg, double per_unit) { return *registers().word(reg) / per_unit; };
    const double cvl = value(0x131C, 100), lowest = value(0x131D, 100), ccl = value(0x131E, 10), dcl = value(0x131F, 10);
    if (config().use_bms_dvcc_values) {
      into.limits = {.charge_current = ccl,
                     .discharge_current = dcl,
                     .charge_voltage = modbus::unless_zero(cvl),
                     .low_voltage = modbus::unless_zero(lowest)};
    }
    note()["limits"] = {{"cvl", cvl}, {"min_voltage", lowest}, {"ccl", ccl}, {"dcl", dcl}};
  }

  static constexpr unsigned slots = 16;
  unsigned populated_ = 0;  // slots that have ever held a cell
  bool unknown_fault_logged_ = false;
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "Felicity",
                                 .text = "Felicity",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 90,
                                 .connection_address = true,
                                 .make = make_driver<Felicity>}};

}  // namespace

}  // namespace serialbattery::felicity
