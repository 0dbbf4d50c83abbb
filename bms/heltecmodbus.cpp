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
using modbus::holding;
using modbus::Reading;
using enum wire::Type;

constexpr Timing normal{.first_byte = 400ms, .between_bytes = 100ms, .expected = 189, .gap = 30ms, .attempts = 3};

constexpr Block cell_count = holding(75, 1), signature = holding(63, 4), model = holding(7, 13), device_name = holding(41, 6);
constexpr Block serial = holding(2, 4), password = holding(47, 5), counters = holding(127, 1);
constexpr Block settings[] = {holding(191, 1), holding(194, 1), holding(118, 1), device_name, serial, model};
// Only shown, or with a default: no firmware is given up for want of these.
constexpr Block optional_settings[] = {holding(169, 1), holding(172, 1), holding(38, 1), holding(39, 2),
                                       holding(52, 2),  holding(62, 1),  counters};
// Beside the cells, whose number decides.
constexpr Block single_values[] = {holding(76, 2),  holding(78, 2),  holding(152, 2), holding(156, 2),
                                   holding(120, 1), holding(113, 2), holding(112, 1), holding(139, 2)};
constexpr Reading values{holding(75, 92), single_values};
constexpr unsigned first_cell = 81, most_cells = 25;

using wire::bits;

constexpr wire::AlarmBits warning_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(), bits(0)},
    {Alarm::low_cell_voltage, bits(), bits(1, 2)},  // 2: cut off because of it
    {Alarm::high_voltage, bits(), bits(3, 17)},     // 17: second stage; 15 is full, no alarm
    {Alarm::low_voltage, bits(), bits(4, 16, 18)},  // 16: empty, 18: second stage
    {Alarm::high_charge_current, bits(), bits(5)},
    {Alarm::high_discharge_current, bits(6), bits(7, 8)},  // 7: second stage, 8: short circuit
    {Alarm::high_charge_temperature, bits(), bits(9)},
    {Alarm::low_charge_temperature, bits(), bits(10)},
    {Alarm::high_temperature, bits(), bits(11)},
    {Alarm::low_temperature, bits(), bits(12)},
    {Alarm::high_internal_temperature, bits(), bits(13)},
    {Alarm::low_soc, bits(), bits(14)},
    {Alarm::internal_failure, bits(), 0xFFF8'0000},
};
constexpr std::uint64_t quiet_bits = 0x0007'FFFF;
constexpr NamedBit failure_names[] = {{25, "front end broken"},           {26, "memory broken"},
                                      {27, "voltage measurement broken"}, {28, "temperature measurement broken"},
                                      {29, "current measurement broken"}, {30, "discharge output broken"},
                                      {31, "charge output broken"}};

// Boards whose serial numbers begin so are said to convert temperatures in another way.
constexpr std::string_view other_thermometers[] = {"0001", "5948", "0008", "0009", "000a", "010a"};

std::optional<double> temperature(std::optional<double> raw) {
  if (!raw || *raw == 0 || *raw == 166) return std::nullopt;  // 166: sensor open
  return *raw - 40;
}

bool is_no_measurement(std::int64_t millivolts) {
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
  asio::awaitable<void> read_cycle(SplitAfter after) {
    co_await read(values, after);
    if (has_split(values.block)) co_await read(holding(first_cell, static_cast<std::uint16_t>(*number(75, u8))));
  }

  [[nodiscard]] bool looks_right(const Battery& found) const {
    const auto is_cell = [](const Cell& cell) { return !cell.voltage || (*cell.voltage >= 1 && *cell.voltage <= 5); };
    const double count = static_cast<double>(found.cells.size());
    return modbus::is_text(raw(model), 3) && std::ranges::all_of(found.cells, is_cell) && *found.voltage >= count &&
           *found.voltage <= 5 * count;
  }

  void decode_cells(Battery& into) {
    const auto count = number(75, u8), chemistry = number(75, u8, 1);
    if (count) {
      require(*chemistry <= 3, "unknown chemistry");
      set_cell_count(into, static_cast<std::size_t>(*count), 1, most_cells);
      note()["chemistry"] = *chemistry;
    }
    const auto balancing = number(139, u32le);
    for (unsigned i = 0; i < into.cells.size(); ++i) {
      if (const auto millivolts = number(first_cell + i, u16le))
        into.cells[i].voltage = is_no_measurement(*millivolts) ? std::nullopt : scaled(first_cell + i, u16le, 1000);
    }
    if (balancing) set_balancing(into, static_cast<std::uint64_t>(*balancing));
  }

  void decode_measurements(Battery& into) {
    if (const auto volts = scaled(76, i32le, 1000)) {
      require(*volts >= 1 && *volts <= 150, "pack voltage outside 1..150 V");
      into.voltage = volts;
    }
    if (const auto amperes = scaled(78, i32le, -100)) {
      require(std::abs(*amperes) < 1000, "current outside -1000..1000 A");
      into.current = amperes;
    }
    if (const auto soc = scaled(120, u8, 1)) {
      require(*soc <= 100, "SoC above 100 %");
      into.soc = soc;
      into.soh = scaled(120, u8, 1, 1);
    }
    if (const auto capacity = scaled(118, u16le, 10)) into.capacity = capacity;
    if (into.capacity && into.soc) into.capacity_remaining = *into.capacity * *into.soc / 100;
    if (const auto cycles = scaled(127, u8, 1, 1)) into.history[HistoryValue::charge_cycles] = cycles;
    const auto fitted = number(52, u8, 1).value_or(0);
    const std::int64_t sensors = fitted >= 1 && fitted <= 8 ? fitted : 2;
    for (unsigned i = 0; i < into.temperatures.size(); ++i)
      into.temperatures[i] = i < sensors ? temperature(scaled(113 + i / 2, u8, 1, i % 2)) : std::nullopt;
    into.mos_temperature = std::max(temperature(scaled(112, u8, 1)), temperature(scaled(112, u8, 1, 1)));
  }

  void decode_switches(Battery& into) {
    if (const auto state = number(152, u32le)) {
      const auto is_set = [&](unsigned bit) { return wire::bit(static_cast<std::uint64_t>(*state), bit); };
      const bool silent = !is_set(0) && !is_set(1);  // perhaps firmware that never sets them; both off would never end
      into.discharge_fet = !is_set(29) && (silent || is_set(0));
      into.charge_fet = !is_set(28) && (silent || is_set(1));
    }
    if (const auto warnings = number(156, u32le)) {
      wire::decode_alarms(warning_table, static_cast<std::uint64_t>(*warnings), into.alarms);
      tell_new_bits("Heltec failures", static_cast<std::uint64_t>(*warnings), quiet_bits, failure_names);
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
    Identity& identity = into.identity;
    identity.type_text = fmt::format("#{}_Heltec_Smart", address());
    if (registers().has(model)) identity.model = text(model);
    if (registers().has(device_name)) {
      identity.custom_field = text(device_name);
      note()["device_name"] = identity.custom_field;
      if (const auto version = number(38, u8)) identity.hardware_version = fmt::format("{}({})", identity.custom_field, *version);
    }
    if (const auto version = scaled(62, u8, 100, 1)) identity.firmware_version = fmt::format("{:.2f}", *version);
    if (const auto year = number(39, u16le); year && registers().has(40))
      identity.production_date = fmt::format("{}-{}-{}", *year, *number(40, u8, 1), *number(40, u8));
    if (!registers().has(serial)) return;
    const std::string digits = wire::to_hex(raw(serial));
    identity.serial_number = identity.unique_id =
        fmt::format("{}-{}-{}-{}", digits.substr(0, 4), digits.substr(4, 4), digits.substr(8, 4), digits.substr(12, 4));
    const bool doubtful = std::ranges::find(other_thermometers, digits.substr(0, 4)) != std::end(other_thermometers);
    if (doubtful && !std::exchange(thermometers_told_, true))
      spdlog::warn("{} {}: temperatures of this kind of Heltec board are unverified: compare with a thermometer", port(), address_text());
  }

  TimePoint counters_due_{};
  bool thermometers_told_ = false;
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
