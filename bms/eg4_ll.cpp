// EG4-LL lithium batteries and others with Zetara ("ZTR") boards: 4, 8 or 16 cells. RS485, Modbus RTU, 9600 baud 8N1, function 3;
// addresses 1..16 by DIP switch. Three fixed blocks, whose answers have their own length whatever quantity was asked:
//
//     0   39 registers, 78 bytes   live data                  each cycle, every 3 s
//    45   91 registers, 182 bytes  thresholds                 once, may be silent
//   105   23 registers, 46 bytes   model, firmware, serial    once
//
// Quirks: answers take up to 2.5 s; CH341 adapters lose the first seconds after opening. Current below about 1 A reads 0. A sensor
// that reads 0 is mostly none. The words of the cycle counter are exchanged on some firmware, the unit of the remaining capacity
// varies. One pack has its low-capacity bit set for ever.
// Sources: vendor's "EG4-LL MODBUS" V01.06, captures of five packs (alarm bits from the document only).
#include <fmt/format.h>

#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::eg4_ll {

namespace {

using modbus::Block;
using modbus::Field;
using modbus::holding;
using enum wire::Type;

constexpr Timing normal{.first_byte = 1500ms, .between_bytes = 100ms, .expected = 187, .gap = 100ms, .attempts = 3, .retry_gap = 100ms};

constexpr Block live = holding(0, 0x27, 0x4E), thresholds = holding(45, 0x5B, 0xB6), hardware = holding(105, 0x17, 0x2E);
constexpr Block model = holding(105, 12, 0), firmware = holding(117, 3, 0), serial = holding(120, 8, 0);

constexpr Field fields[] = {
    {0, u16be, 100, &Battery::voltage},
    {1, i16be, 100, &Battery::current},
    {18, i16be, 1, &Battery::mos_temperature},
    {24, u16be, 1, &Battery::soc},
};

using wire::bits;

// Warnings in the lower word, protections with the same meaning in the upper one.
constexpr wire::AlarmBits event_table[] = {
    {Alarm::high_voltage, bits(0), bits(16)},
    {Alarm::high_cell_voltage, bits(1), bits(17)},
    {Alarm::low_voltage, bits(2), bits(18)},
    {Alarm::low_cell_voltage, bits(3), bits(19)},
    {Alarm::high_charge_current, bits(4), bits(20)},
    {Alarm::high_discharge_current, bits(5), bits(21, 29)},  // 29: short circuit, 13: float charge stopped
    {Alarm::high_internal_temperature, bits(7), bits(23)},
    {Alarm::high_charge_temperature, bits(8), bits(24)},
    {Alarm::high_temperature, bits(9), bits(25)},
    {Alarm::low_charge_temperature, bits(10), bits(26)},
    {Alarm::low_temperature, bits(11), bits(27)},
};
constexpr wire::AlarmBits error_table[] = {
    {Alarm::internal_failure, bits(), bits(0, 1, 2)},  // measurement of voltage, temperature, current
    {Alarm::cell_imbalance, bits(), bits(4)},
};
constexpr wire::AlarmBits ambient_hot[] = {{Alarm::high_temperature, bits(6), bits(22)}};
constexpr wire::AlarmBits ambient_cold[] = {{Alarm::low_temperature, bits(6), bits(22)}};
constexpr wire::AlarmBits low_capacity[] = {{Alarm::low_soc, bits(12), bits(28)}};
constexpr unsigned ends_charging = 0x0513, ends_discharging = 0x2A2C;  // protections
constexpr unsigned heater_bit = 0x8000;                                // of the status

struct Threshold {
  const char* name;
  std::uint16_t reg;
  double per_unit;  // 0: a temperature
};
constexpr Threshold threshold_table[] = {
    {"balance_voltage", 56, 1000}, {"balance_diff", 57, 1000}, {"low_capacity_warn", 58, 1}, {"charge_oc1", 80, 100},
    {"discharge_oc1", 81, 100},    {"short_current", 82, 100}, {"charge_oc2", 83, 100},      {"discharge_oc2", 84, 100},
};
// Each warning, protection, release.
constexpr Threshold threshold_triples[] = {
    {"cell_uv", 61, 1000}, {"pack_uv", 64, 100},    {"cell_ov", 67, 1000},   {"pack_ov", 70, 100}, {"charge_ut", 90, 0},
    {"charge_ot", 93, 0},  {"discharge_ut", 96, 0}, {"discharge_ot", 99, 0}, {"pcb_ot", 102, 0},
};

double threshold(unsigned raw, double per_unit) {
  if (per_unit != 0) return raw / per_unit;
  const int celsius = static_cast<int>(raw) - 50;
  const bool plain = raw >= 0x8000 || celsius < -40;  // another firmware stores plain signed numbers
  return plain ? static_cast<std::int16_t>(raw) : celsius;
}

}  // namespace

class Eg4Ll final : public modbus::ModbusDriver {
 public:
  explicit Eg4Ll(const DriverContext& context) : ModbusDriver(context, normal) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    begin_probe(effort, 300ms, 3);
    note().erase("bms_thresholds");
    co_await read(hardware);
    decode(found);
    settle();
    co_await read(live);
    co_await try_read(thresholds, Otherwise::forget);
    decode(found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await read(live);
    decode(next);
  }

  [[nodiscard]] std::uint8_t byte_count_of(const Block& asked) const override {
    for (const Block& known : {live, thresholds, hardware}) {
      if (known.start == asked.start) return known.byte_count;
    }
    return 0;
  }

  void decode(Battery& into) override {
    decode_identity(into);
    decode_thresholds();
    if (!registers().has(live)) return;
    modbus::decode(fields, registers(), into);
    decode_cells(into);
    decode_charge(into);
    decode_temperatures(into);
    decode_events(into);
  }

 private:
  [[nodiscard]] unsigned word(unsigned reg) const { return registers().word(reg).value_or(0); }

  void decode_identity(Battery& into) {
    if (!registers().has(hardware)) return;
    require(modbus::is_text(raw(model), 1) && modbus::is_text(raw(firmware), 0) && modbus::is_text(raw(serial), 0), "no texts of this BMS");
    Identity& identity = into.identity;
    identity.model = text(model);
    identity.firmware_version = identity.hardware_version = text(firmware);
    identity.serial_number = text(serial);
    // 14 characters, whichever block they came from; existing settings hold them.
    identity.unique_id =
        identity.serial_number.empty() ? port_and_address() : identity.serial_number.substr(0, 14) + std::to_string(address());
    identity.custom_field = fmt::format("EG4-LL:{:02}", address());
    identity.proposed_name = fmt::format("EG4-LL:{}", address());
    note()["version"] = identity.model;
    note()["custom_name"] = identity.proposed_name;
  }

  void decode_thresholds() {
    if (!registers().has(thresholds) || note().contains("bms_thresholds")) return;
    boost::json::object told;
    for (const Threshold& entry : threshold_table) told[entry.name] = threshold(word(entry.reg), entry.per_unit);
    for (const Threshold& entry : threshold_triples) {
      static constexpr const char* parts[] = {"warn", "protect", "release"};
      for (unsigned i = 0; i < std::size(parts); ++i)
        told[fmt::format("{}_{}", entry.name, parts[i])] = threshold(word(entry.reg + i), entry.per_unit);
    }
    note()["bms_thresholds"] = std::move(told);
  }

  void decode_cells(Battery& into) {
    set_cell_count(into, word(36), 1, 16);
    for (unsigned i = 0; i < into.cells.size(); ++i) into.cells[i].voltage = word(2 + i) / 1000.0;
    set_balancing(into, word(38));
    check_reading(into);
  }

  void decode_charge(Battery& into) {
    const auto full = *registers().number(31, u32be);
    into.capacity = full > 0 ? std::optional(static_cast<double>(full) / 3.6e6) : std::nullopt;  // mA s
    into.capacity_remaining = remaining(into);
    into.soh = word(23) != 0 ? std::optional<double>(word(23)) : std::nullopt;
    into.limits.charge_current = wire::within(word(22), 1, 600);
    const unsigned high = word(29), low = word(30);
    const bool exchanged = high != 0 && low == 0;
    auto& cycles = into.history[HistoryValue::charge_cycles];
    if (high == 0 || exchanged) {
      cycles = exchanged ? high : low;
    } else {
      cycles.reset();
    }
  }

  // In the unit that agrees with the SoC.
  [[nodiscard]] std::optional<double> remaining(const Battery& battery) const {
    if (!battery.capacity) return std::nullopt;
    for (const double per_ah : {1, 10, 100}) {
      const double amp_hours = word(21) / per_ah;
      if (std::abs(100 * amp_hours / *battery.capacity - *battery.soc) <= 3) return amp_hours;
    }
    return std::nullopt;
  }

  void decode_temperatures(Battery& into) {
    const double board = *into.mos_temperature;
    const bool near_zero = board >= -10 && board <= 10;
    for (unsigned i = 0; i < into.temperatures.size(); ++i) {
      const auto celsius = *scaled(33 + i / 2, i8, 1, i % 2);
      const bool possible = celsius >= -50 && celsius <= 120;
      shown_[i] = shown_[i] || (possible && celsius != 0);
      const bool fitted = celsius != 0 || near_zero || shown_[i];
      into.temperatures[i] = possible && fitted ? std::optional(celsius) : std::nullopt;
    }
  }

  void decode_events(Battery& into) {
    const unsigned protections = word(27);
    const std::uint64_t events = word(26) | std::uint64_t{protections} << 16U;
    wire::decode_alarms(event_table, events, into.alarms);
    wire::decode_alarms(error_table, word(28), into.alarms);
    const auto coldest = std::ranges::min(into.temperatures, [](const auto& a, const auto& b) { return a && (!b || *a < *b); });
    wire::raise_alarms(coldest && *coldest < 10 ? ambient_cold : ambient_hot, events, into.alarms);
    wire::decode_alarms(low_capacity, *into.soc <= 30 ? events : 0, into.alarms);
    // The FETs are not told: they are off while a protection asks for it.
    into.charge_fet = (protections & ends_charging) == 0;
    into.discharge_fet = (protections & ends_discharging) == 0;
    into.heater.allowed = into.heater.active = (word(25) & heater_bit) != 0;
  }

  std::array<bool, 4> shown_{};  // sensors that have ever read something else than 0
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "EG4_LL",
                                 .text = "EG4-LL",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 170,
                                 .poll_interval = 3s,
                                 .connection_address = true,
                                 .make = make_driver<Eg4Ll>}};

}  // namespace

}  // namespace serialbattery::eg4_ll
