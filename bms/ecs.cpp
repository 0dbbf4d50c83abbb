// ECS (ecs-online.org) greenMeter, a shunt with a brain of 125, 250 or 500 A, and LiPro modules, one on each cell: together one battery.
// RS485, Modbus RTU, 19200 baud with even parity (8E1), function 3. Every device has its own address: GREENMETER_ADDRESS,
// LIPRO_START_ADDRESS to LIPRO_END_ADDRESS (gaps allowed).
//
//   meter   0 type (500, 501, 502)   30, 31 limits   46:2 capacity   102, 103 temperatures   108:2 voltage   114:2 current
//           128:2 SoC   130, 131 state of charging and discharging
//   module  0 type (100 to 104)      100 voltage     101 temperature     102 balancing power
//
// Numbers of two registers have the low word first. Only reads of these sizes are proven.
// Quirks: below 65.536 % the meter leaves the high word of the SoC at 0xFFFF. A greenController (type 1025) is no battery.
// Source: the Python driver, written with the vendor's help; no captures.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/ecs_modules.hpp"
#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::ecs {

namespace {

using modbus::Block;
using modbus::holding;
using wire::bits;
using enum wire::Type;

constexpr Timing normal{.first_byte = 200ms, .between_bytes = 100ms, .expected = 9, .attempts = 3};

constexpr Block meter_settings[] = {holding(30, 1), holding(31, 1), holding(46, 2)};
constexpr Block meter_cycle[] = {holding(108, 2), holding(114, 2), holding(128, 2), holding(130, 1),
                                 holding(131, 1), holding(102, 1), holding(103, 1)};

constexpr std::string_view sizes[] = {"500A", "250A", "125A"};
constexpr unsigned first_meter_type = 500;

// What the states of one direction mean; 0: fine. Each row: alarm, states that warn of it, states that raise it.
constexpr wire::AlarmBits charging[] = {
    {Alarm::high_voltage, bits(), bits(1)},
    {Alarm::high_charge_current, bits(2), bits()},
    {Alarm::high_charge_temperature, bits(3, 4), bits()},
    {Alarm::low_charge_temperature, bits(5, 6), bits()},
};
constexpr wire::AlarmBits discharging[] = {
    {Alarm::low_voltage, bits(), bits(1)},
    {Alarm::high_discharge_current, bits(2), bits()},
    {Alarm::high_temperature, bits(3, 4), bits()},
    {Alarm::low_temperature, bits(5, 6), bits()},
};
constexpr unsigned last_state = 6;

DriverContext at_meter(DriverContext context) {
  context.address = static_cast<std::uint8_t>(context.config.greenmeter_address);
  return context;
}

}  // namespace

class Ecs final : public modbus::ModbusDriver {
 public:
  explicit Ecs(const DriverContext& context) : ModbusDriver(at_meter(context), normal), modules_(client(), config(), port()) {}

  [[nodiscard]] std::string address_text() const override { return {}; }  // a battery of many addresses

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    begin_probe(effort, 150ms);
    modules_.clear();
    co_await read(device_type);
    decode(found);
    settle();
    for (const Block& part : meter_settings) co_await read(part);
    for (const Block& part : meter_cycle) co_await read(part);
    decode(found);
    co_await modules_.search(timing(), link().now());
    bool agrees = modules_.assign_cells(*found.voltage);
    if (agrees) {
      co_await modules_.read(timing(), link().now());
      decode(found);
      agrees = voltages_agree(found);
    }
    if (!agrees) {
      spdlog::error(
          "{}: ECS greenMeter found, but {:.1f} V fit neither its {} LiPro modules nor LIPRO_CELL_COUNT = {}: set LIPRO_CELL_COUNT "
          "and LIPRO_END_ADDRESS",
          port(), *found.voltage, modules_.size(), config().lipro_cell_count);
    }
    co_return agrees;
  }

  asio::awaitable<void> poll(Battery& next) override {
    for (const Block& part : meter_cycle) co_await read(part);
    co_await modules_.read(timing(), link().now());
    co_await modules_.search_missing(timing(), link().now());
    decode(next);
  }

  modbus::Registers& registers_of(std::uint8_t address) override {
    return address == config().greenmeter_address ? registers() : modules_.registers_of(address);
  }

  void decode(Battery& into) override {
    decode_meter(into);
    decode_states(into);
    modules_.decode(into, note());
  }

 private:
  // A wrong count would ask the inverter for the voltage of another pack: the cells that are known must have their share of it.
  static bool voltages_agree(const Battery& found) {
    const auto known = std::ranges::count_if(found.cells, [](const Cell& cell) { return cell.voltage.has_value(); });
    if (known == 0) return true;
    const double mean = sum_of_cells(found) / static_cast<double>(known), share = *found.voltage / static_cast<double>(found.cells.size());
    return std::abs(share - mean) <= 0.15 * mean;
  }

  void decode_meter(Battery& into) {
    const auto& meter = registers();
    if (const auto id = meter.word(0)) {
      require(*id >= first_meter_type && *id < first_meter_type + std::size(sizes), "no greenMeter");
      const std::string_view size = sizes[*id - first_meter_type];
      note()["meter_size"] = size;
      into.identity.hardware_version = fmt::format("Greenmeter-{} {}S", size, config().lipro_cell_count);
    }
    if (const auto limit = meter.scaled(31, i16be, 1)) into.limits.charge_current = limit;
    if (const auto limit = meter.scaled(30, i16be, 1)) into.limits.discharge_current = std::abs(*limit);
    if (const auto capacity = meter.low_word_first(46)) into.capacity = *capacity / 1000.0;
    if (const auto voltage = meter.low_word_first(108)) {
      into.voltage = static_cast<std::int32_t>(*voltage) / 1000.0;
      require(*into.voltage >= 2 && *into.voltage <= 150, "voltage outside 2..150 V");
    }
    if (const auto current = meter.low_word_first(114)) into.current = static_cast<std::int32_t>(*current) / 1000.0;
    if (const auto raw = meter.low_word_first(128)) {
      const bool stuck = (*raw >> 16U) == 0xFFFF;
      into.soc = (stuck ? *raw & 0xFFFFU : *raw) / 1000.0;
      require(*into.soc <= 100, "SoC above 100 %");
    }
    if (into.capacity && into.soc) into.capacity_remaining = *into.capacity * *into.soc / 100;
    for (unsigned i = 0; i < 2; ++i) {
      if (const auto celsius = meter.scaled(102 + i, i16be, 100)) into.temperatures[i] = celsius;
    }
  }

  void decode_states(Battery& into) {
    const auto put = [&](unsigned reg, std::span<const wire::AlarmBits> table, std::optional<bool>& fet) {
      const auto state = registers().word(reg);
      if (!state) return;
      fet = *state == 0;
      const bool known = *state <= last_state;
      wire::decode_alarms(table, known ? bits(*state) : 0, into.alarms);
      if (!known && !std::exchange(unknown_state_logged_, true))
        spdlog::warn("{}: greenMeter reports state {} in register {}, whose meaning is unknown", port(), *state, reg);
    };
    put(130, charging, into.charge_fet);
    put(131, discharging, into.discharge_fet);
  }

  Modules modules_;
  bool unknown_state_logged_ = false;
};

namespace {

constexpr Probe probes[] = {{.line = {19200, Parity::even}}};
const Registration registration{{.type = "Ecs", .text = "ECS LiPro", .probes = probes, .rank = 70, .make = make_driver<Ecs>}};

}  // namespace

}  // namespace serialbattery::ecs
