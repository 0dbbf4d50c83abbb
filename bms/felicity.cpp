// Felicity Solar batteries with RS485: LPBF48250, LPBA48100, 48100LCG01 "FelicityESS", FLA series; 24 V (8 cells) and 48 V (16 cells).
// Modbus RTU, 9600 baud 8N1, function 3; addresses 1, 2, ... Not the JSON protocol of their Wi-Fi and Bluetooth modules.
//
//   0xF80B  1  firmware            0xF804  5  serial number     detection
//   0x1302 10  states, voltage, current, SoC                    each cycle
//   0x131C  4  limits                                           each cycle, with USE_BMS_DVCC_VALUES only
//   0x132A 24  16 cell slots, 8 temperature slots               each cycle
//
// Quirks: raw current is positive while discharging; no register holds the capacity (BATTERY_CAPACITY must be set); empty slots read
// 0x7FFF, those of cells also 0xFFFF. Address 1 at 9600 baud is crowded, so four checks must hold before the port is claimed.
// Sources: four independent implementations that agree on every register; no public capture.
#include <fmt/format.h>

#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::felicity {

namespace {

using modbus::Block;
using modbus::Field;
using modbus::holding;
using modbus::Reading;
using enum wire::Type;

constexpr Timing normal{.first_byte = 500ms, .between_bytes = 100ms, .expected = 53, .gap = 50ms, .attempts = 3, .retry_gap = 100ms};

constexpr Block firmware = holding(0xF80B, 1), serial = holding(0xF804, 5), limits = holding(0x131C, 4);
constexpr Block single_states[] = {holding(0x1302, 3), holding(0x1306, 2), holding(0x130A, 1), holding(0x130B, 1)};
constexpr Block single_cells[] = {holding(0x132A, 16), holding(0x1339, 5)};
constexpr Reading states{holding(0x1302, 10), single_states};
constexpr Reading cells{holding(0x132A, 24), single_cells};

constexpr Field fields[] = {
    {0x1306, u16be, 100, &Battery::voltage},
    {0x1307, i16be, -10, &Battery::current},  // told while discharging as positive
    {0x130B, u16be, 1, &Battery::soc},
};

constexpr unsigned fault_register = 0x1304;
constexpr wire::AlarmBits fault_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, 0, wire::bits(2)},         {Alarm::low_cell_voltage, 0, wire::bits(3)},
    {Alarm::high_charge_current, 0, wire::bits(4)},       {Alarm::high_discharge_current, 0, wire::bits(5)},
    {Alarm::high_internal_temperature, 0, wire::bits(6)}, {Alarm::high_charge_temperature, 0, wire::bits(8)},
    {Alarm::low_charge_temperature, 0, wire::bits(9)},
};
enum StatusBit : unsigned { may_charge = 1U << 0U, may_discharge = 1U << 2U };

constexpr unsigned not_fitted = 0x7FFF;

bool is_empty_cell(unsigned raw) {
  return raw == not_fitted || raw == 0xFFFF;
}

std::optional<double> temperature(std::optional<unsigned> raw) {
  if (!raw || *raw == not_fitted) return std::nullopt;  // 0xFFFF is -1
  const double celsius = static_cast<std::int16_t>(*raw);
  require(celsius >= -40 && celsius <= 100, "temperature outside -40..100");
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
      require(*number >= 1 && *number <= 65534, "no firmware number");
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
    require(!all_zero && !all_set, "no serial number");
    into.identity.serial_number = into.identity.unique_id = text;
  }

  void decode_states(Battery& into) {
    modbus::decode(fields, registers(), into);
    if (into.soc) require(*into.soc <= 100, "SoC above 100 %");
    into.capacity = config().battery_capacity;
    if (into.soc) into.capacity_remaining = *into.capacity * *into.soc / 100;
    if (const auto status = registers().word(0x1302)) {
      into.charge_fet = (*status & may_charge) != 0;
      into.discharge_fet = (*status & may_discharge) != 0;
    }
    if (const auto faults = registers().word(fault_register)) {
      wire::decode_alarms(fault_table, *faults, into.alarms);
      tell_new_bits("Felicity faults", *faults, wire::named_bits(fault_table));
    }
    const auto board = registers().word(0x130A);
    into.mos_temperature = board && *board != not_fitted ? std::optional<double>(static_cast<std::int16_t>(*board)) : std::nullopt;
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
      if (is_empty_cell(millivolts)) continue;
      require(millivolts >= 1500 && millivolts <= 4500, "cell voltage outside 1.5..4.5 V");
      filled |= 1U << slot;
    }
    require(std::popcount(filled) >= 4, "fewer than four cells");
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
      const double sum = sum_of_cells(into);
      require(std::abs(*into.voltage - sum) <= 0.03 * sum, "pack voltage contradicts the cells");
    }
    populated_ = all;
  }

  void decode_limits(Battery& into) {
    into.limits = {};
    if (!registers().has(limits)) return;
    offer_limits({.charge_current = scaled(0x131E, u16be, 10),
                  .discharge_current = scaled(0x131F, u16be, 10),
                  .charge_voltage = scaled(0x131C, u16be, 100),
                  .low_voltage = scaled(0x131D, u16be, 100)},
                 into);
  }

  static constexpr unsigned slots = 16;
  unsigned populated_ = 0;  // slots that have ever held a cell
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
