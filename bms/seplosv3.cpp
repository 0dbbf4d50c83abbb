// Seplos BMS 3.0 ("V3", made by XZH-ElecTech): 8 to 16 cells, 100 to 200 A; Mason and "Seplos Kit" boxes with that board. Not the
// boards V1 and V2, which speak an ASCII protocol. RS485, Modbus RTU, 19200 baud 8N1; addresses by DIP switch: 0 is a pack alone or the
// master of a stack (and no broadcast), 1..15 are slaves.
//
//   function 4  0x1000  18 registers  pack             each cycle
//               0x1100  26 registers  cells            each cycle
//   function 1  0x1200  144 coils     states, alarms   each cycle
//   function 4  0x1300  106 registers parameters       once a minute
//               0x1700                names            once
//
// A master polls its slaves itself, about five times a second, and publishes its own values under address 1. Whoever asks in between
// only disturbs: such a stack is overheard (seplosv3_stack.hpp).
// Quirks: 0x1400 looks like alarms but holds switches; the discharge limit is stored negative; some firmware has 17 pack registers and
// refuses the parameters in one piece. Sources: vendor's "XZH BMS Modbus RTU Protocol" V0.1, captures of three packs.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/seplosv3_stack.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::seplosv3 {

namespace {

using modbus::Block;
using modbus::Field;
using modbus::Function;
using modbus::Reading;
using enum wire::Type;

constexpr Timing normal{.first_byte = 400ms, .between_bytes = 100ms, .expected = 217, .gap = 20ms, .attempts = 3};
constexpr Duration parameters_every = 60s;

constexpr Block block(std::uint16_t start, std::uint16_t quantity) {
  return {Function::read_input_registers, start, quantity};
}
constexpr Block factory_name = block(0x1700, 10), device_name = block(0x170A, 10), firmware = block(0x1714, 1), serial = block(0x1715, 15);
constexpr Block pack_serial = block(0x1724, 15);  // only in recordings
constexpr Block shorter_pack[] = {block(pack.start, 17)};
constexpr Block half_parameters[] = {block(0x1300, 53), block(0x1335, 53)};
constexpr Reading pack_reading{pack, shorter_pack};
constexpr Reading parameters{block(0x1300, 106), half_parameters};

constexpr Field pack_fields[] = {
    {0x1000, u16be, 100, &Battery::voltage},  {0x1001, i16be, 100, &Battery::current}, {0x1002, u16be, 100, &Battery::capacity_remaining},
    {0x1003, u16be, 100, &Battery::capacity}, {0x1005, u16be, 10, &Battery::soc},      {0x1006, u16be, 10, &Battery::soh},
};

constexpr auto warning = AlarmLevel::warning, alarm = AlarmLevel::alarm;

// Bytes 9..14, 16 and 17 of the states in one word, lowest first.
constexpr unsigned event_coils[] = {0x1248, 0x1250, 0x1258, 0x1260, 0x1268, 0x1270, 0x1280, 0x1288};
constexpr wire::AlarmBit event_bits[] = {
    {0, Alarm::high_cell_voltage, warning},           // voltage
    {1, Alarm::high_cell_voltage, alarm},             //
    {2, Alarm::low_cell_voltage, warning},            //
    {3, Alarm::low_cell_voltage, alarm},              //
    {4, Alarm::high_voltage, warning},                //
    {5, Alarm::high_voltage, alarm},                  //
    {6, Alarm::low_voltage, warning},                 //
    {7, Alarm::low_voltage, alarm},                   //
    {8, Alarm::high_charge_temperature, warning},     // cell temperature
    {9, Alarm::high_charge_temperature, alarm},       //
    {10, Alarm::low_charge_temperature, warning},     //
    {11, Alarm::low_charge_temperature, alarm},       //
    {12, Alarm::high_temperature, warning},           //
    {13, Alarm::high_temperature, alarm},             //
    {14, Alarm::low_temperature, warning},            //
    {15, Alarm::low_temperature, alarm},              //
    {16, Alarm::high_internal_temperature, warning},  // environment
    {17, Alarm::high_internal_temperature, alarm},    //
    {18, Alarm::low_temperature, warning},            //
    {19, Alarm::low_temperature, alarm},              //
    {20, Alarm::high_internal_temperature, warning},  // power stage
    {21, Alarm::high_internal_temperature, alarm},    // 22: heats because cells are cold
    {24, Alarm::high_charge_current, warning},        // current
    {25, Alarm::high_charge_current, alarm},          //
    {26, Alarm::high_charge_current, alarm},          //
    {27, Alarm::high_discharge_current, warning},     //
    {28, Alarm::high_discharge_current, alarm},       //
    {29, Alarm::high_discharge_current, alarm},       //
    {30, Alarm::high_discharge_current, alarm},       // short circuit
    {32, Alarm::high_discharge_current, alarm},       // short circuit, latched
    {34, Alarm::high_charge_current, alarm},          // latched
    {35, Alarm::high_discharge_current, alarm},       // latched
    {42, Alarm::low_soc, warning},                    // capacity
    {43, Alarm::low_soc, alarm},                      //
    {44, Alarm::cell_imbalance, warning},             //
    {48, Alarm::low_soc, warning},                    // state
    {53, Alarm::low_soc, alarm},                      //
    {56, Alarm::internal_failure, alarm},             // temperature sensor
    {57, Alarm::internal_failure, alarm},             // front-end IC
    {58, Alarm::internal_failure, alarm},             // charge FET
    {59, Alarm::internal_failure, alarm},             // discharge FET
    {60, Alarm::cell_imbalance, alarm},               // cell fault
    {61, Alarm::internal_failure, alarm},             // broken wire
    {62, Alarm::internal_failure, alarm},             // key
    {63, Alarm::internal_failure, alarm},             // aerosol (fire)
};

constexpr unsigned fet_coils = 0x1278;
enum FetBit : unsigned { discharge_on = 1U << 0U, charge_on = 1U << 1U, heater_on = 1U << 3U };

std::optional<double> temperature(std::optional<unsigned> raw) {
  if (!raw) return std::nullopt;
  const double celsius = (static_cast<double>(*raw) - 2731) / 10;  // 2731: the factory's thresholds become whole degrees
  return celsius < -40 || celsius > 120 ? std::nullopt : std::optional(celsius);
}

}  // namespace

class SeplosV3 final : public modbus::ModbusDriver {
 public:
  explicit SeplosV3(const DriverContext& context) : ModbusDriver(context, normal), stack_(context.link.common<Stack>()) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    // The master of a stack is at 0, a pack alone may be at 1. The other addresses are searched when there is time.
    const bool likely = context().address_configured || address() <= 1;
    if (!likely && effort == Effort::quick) co_return false;
    begin_probe(effort, 200ms, likely ? 2 : 1);  // 14 unlikely places shall not keep the port for long
    cells_seen_ = 0;
    passive_ = co_await stack_.is_talking(link());
    if (passive_) co_return co_await probe_stack(found);
    if (context().busy_line) co_return false;
    co_await read(factory_name);
    settle();
    co_await read(device_name);
    co_await read(firmware);
    co_await read(serial);
    co_await read(parameters, SplitAfter::any_failure);
    co_await read_cycle(SplitAfter::any_failure);
    decode(found);
    parameters_due_ = link().now() + parameters_every;
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    if (passive_) co_return co_await poll_stack(next);
    co_await read_cycle(SplitAfter::refusal);
    if (link().now() >= parameters_due_) {
      for (const Block& part : has_split(parameters.block) ? parameters.instead : std::span(&parameters.block, 1))
        co_await try_read(part, Otherwise::keep);
      parameters_due_ = link().now() + parameters_every;
    }
    decode(next);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    if (!request.empty()) co_return co_await ModbusDriver::replay_exchange(request, into);
    passive_ = true;  // overheard
    co_await poll_stack(into);
  }

  void decode(Battery& into) override {
    decode_names(into);
    decode_pack(into);
    decode_cells(into);
    decode_states(into);
    decode_limits(into);
    if (!registers().has(pack.start)) decode_system(into);
  }

 private:
  asio::awaitable<void> read_cycle(SplitAfter after) {
    co_await read(pack_reading, after);
    co_await read(cells);
    co_await read(states);
  }

  asio::awaitable<bool> probe_stack(Battery& found) {
    if (!context().address_configured && address() > 1) co_return false;
    const std::uint8_t wanted = address() == 0 && !context().address_configured ? std::uint8_t{1} : address();
    if (wanted == 0) {
      spdlog::warn("{}: a Seplos stack whose master polls: its packs are 0x01 (master), 0x02, ... in BATTERY_ADDRESSES, none is 0x00",
                   link().stream().name());
      co_return false;
    }
    listen_to_ = wanted;
    heard_ = {};
    co_await poll_stack(found);
    if (!context().address_configured && stack_.packs() > 1) {
      spdlog::warn("{}: a Seplos stack with {} packs; only the first is used. List all in BATTERY_ADDRESSES: {}", link().stream().name(),
                   stack_.packs(), stack_.address_list());
    }
    co_return true;
  }

  asio::awaitable<void> poll_stack(Battery& next) {
    const std::uint8_t from = listen_to_.value_or(address());
    heard_ = co_await stack_.hear(link(), from, heard_);
    stack_.copy(from, registers());
    decode(next);
    next.identity.hardware_version = "Seplos v3";
    next.identity.unique_id = fmt::format("{}__0x{:02x}", link().stream().name(), from);
  }

  void decode_names(Battery& into) {
    const auto name = [this](const Block& where) { return wire::text(registers().bytes(where.start, where.quantity)); };
    if (registers().has(factory_name)) {
      into.identity.manufacturer = name(factory_name);
      modbus::require(into.identity.manufacturer == "XZH-ElecTech Co.,Ltd", "another maker's name");
    }
    if (registers().has(device_name)) into.identity.hardware_version = name(device_name);
    if (registers().has(firmware)) {
      const std::string digits = name(firmware);
      into.identity.firmware_version = digits.size() == 2 ? fmt::format("{}.{}", digits[0], digits[1]) : digits;
    }
    if (registers().has(serial)) {
      into.identity.serial_number = name(serial);
      into.identity.unique_id = into.identity.serial_number.empty() ? port_and_address() : into.identity.serial_number;
    }
    if (registers().has(pack_serial)) note()["pack_serial_number"] = name(pack_serial);
  }

  void decode_pack(Battery& into) {
    if (const auto full = registers().word(0x1359)) into.capacity = *full / 100.0;
    modbus::decode(pack_fields, registers(), into);
    if (into.voltage) modbus::require(*into.voltage >= 5 && *into.voltage <= 100, "pack voltage outside 5..100 V");
    if (into.soc) modbus::require(*into.soc <= 100, "SoC above 100 %");
    if (into.soh) into.soh = std::min(*into.soh, 100.0);
    if (into.capacity && into.capacity_remaining > *into.capacity * 1.05) into.capacity_remaining.reset();
    if (const auto drawn = registers().word(0x1004)) into.history[HistoryValue::total_ah_drawn] = *drawn * 10.0;
    if (const auto cycles = registers().word(0x1007)) into.history[HistoryValue::charge_cycles] = *cycles;
  }

  // The parameters tell the number of cells; without them (a stack that is overheard) the cells with a voltage count.
  [[nodiscard]] unsigned count_cells() {
    const unsigned told = registers().word(0x1301).value_or(0);
    if (told >= 1 && told <= most_cells) return told;
    unsigned seen = 0;
    for (unsigned i = 0; i < most_cells; ++i) {
      const unsigned millivolts = registers().word(cells.start + i).value_or(0);
      if (millivolts >= 500 && millivolts <= 5000) ++seen;
    }
    cells_seen_ = std::max(cells_seen_, seen);  // a broken sense wire doesn't make the pack smaller
    return cells_seen_;
  }

  void decode_cells(Battery& into) {
    const unsigned count = count_cells();
    modbus::require(count != 0 || !registers().has(cells), "no cell has a voltage");
    if (count != 0) into.cell_count = count;
    into.cells.resize(count);
    for (unsigned i = 0; i < count; ++i) {
      if (const auto millivolts = registers().word(cells.start + i)) into.cells[i].voltage = *millivolts / 1000.0;
    }
    const unsigned sensors = registers().word(0x1300).value_or(4);
    for (unsigned i = 0; i < into.temperatures.size(); ++i)
      into.temperatures[i] = i < sensors ? temperature(registers().word(0x1110 + i)) : std::nullopt;
    into.mos_temperature = temperature(registers().word(0x1119));
    if (const auto environment = temperature(registers().word(0x1118))) note()["temperatures"] = {{"environment", *environment}};
  }

  void decode_states(Battery& into) {
    if (registers().has(event_coils[0])) {
      std::uint64_t events = 0;
      for (std::size_t i = 0; i < std::size(event_coils); ++i)
        events |= std::uint64_t{registers().word(event_coils[i]).value_or(0)} << (8 * i);
      wire::decode_alarms(event_bits, events, into.alarms);
      if (config().soc_calculation) into.alarms[Alarm::low_soc] = AlarmLevel::ok;
    }
    if (const auto fets = registers().word(fet_coils)) {
      into.discharge_fet = (*fets & discharge_on) != 0;
      into.charge_fet = (*fets & charge_on) != 0;
      into.heater.allowed = into.heater.active = (*fets & heater_on) != 0;
    }
    const auto first_balancing = registers().word(0x1230), more_balancing = registers().word(0x1238);
    if (first_balancing && more_balancing) {
      const unsigned balancing = *first_balancing | (*more_balancing << 8U);
      for (std::size_t i = 0; i < into.cells.size(); ++i) into.cells[i].balancing = ((balancing >> i) & 1U) != 0;
      into.balancing = balancing != 0;
    }
    if (registers().has(switches)) {
      boost::json::array bytes;
      for (unsigned coil = 0; coil < switches.quantity; coil += 8)
        bytes.emplace_back(fmt::format("{:02x}", *registers().word(switches.start + coil)));
      note()["sfa_bytes"] = std::move(bytes);
    }
  }

  // What the pack allows now, and what it asks of the inverter.
  void decode_limits(Battery& into) {
    const auto told = [this](unsigned reg, double per_unit) -> std::optional<double> {
      const auto raw = registers().word(reg);
      return raw ? std::optional(*raw / per_unit) : std::nullopt;
    };
    boost::json::object limits;
    const auto put = [&limits](const char* name, const std::optional<double>& value) {
      if (value) limits[name] = *value;
    };
    const auto asked_charge = registers().number(0x1366, i16be), asked_discharge = registers().number(0x1367, i16be);
    const auto lower = [](std::optional<double> now, std::optional<std::int64_t> asked) {
      return now && asked && *asked != 0 ? std::optional(std::min(*now, std::abs(static_cast<double>(*asked)))) : now;
    };
    into.limits.charge_current = lower(told(0x1010, 1), asked_charge && *asked_charge > 0 ? asked_charge : std::nullopt);
    into.limits.discharge_current = lower(told(0x100F, 1), asked_discharge);
    const auto charge_voltage = told(0x1365, 100), protection = told(0x1305, 100);
    into.limits.charge_voltage = charge_voltage > 0 && protection && charge_voltage <= protection ? charge_voltage : std::nullopt;
    into.limits.low_voltage = told(0x1309, 100);
    put("cvl", charge_voltage);
    put("max_voltage", protection);
    put("min_voltage", into.limits.low_voltage);
    if (asked_charge) limits["pcs_ccl"] = *asked_charge;
    if (asked_discharge) limits["pcs_dcl"] = std::abs(*asked_discharge);
    note()["limits"] = std::move(limits);
    if (const auto count = registers().word(0x1300)) note()["ntc_count"] = *count;
    if (const auto rated = told(0x1358, 100)) note()["rated_capacity"] = *rated;
    if (const auto high = told(0x130D, 1000)) note()["cell_over_voltage_protection"] = *high;
    if (const auto low = told(0x1311, 1000)) note()["cell_under_voltage_protection"] = *low;
  }

  // Sums over a stack, as its master tells them; never asked for, only in recordings.
  void decode_system(Battery& into) {
    if (!registers().has(system)) return;
    const auto number = [this](unsigned reg) { return *registers().low_word_first(reg); };
    into.voltage = number(0x2000) / 100.0;
    into.current = static_cast<std::int32_t>(number(0x2002)) / 10.0;
    into.capacity_remaining = number(0x2004) / 100.0;
    into.capacity = number(0x2006) / 100.0;
    into.history[HistoryValue::total_ah_drawn] = number(0x2008) * 10.0;
    into.limits.discharge_current = number(0x2010) / 10.0;
    into.limits.charge_current = number(0x2012) / 10.0;
    into.limits.charge_voltage = *registers().word(0x2014) / 10.0;
    into.limits.low_voltage = *registers().word(0x2015) / 10.0;
    note()["limits"] = {{"min_voltage", *into.limits.low_voltage}};
    note()["pack_count"] = *registers().word(0x2016);
    into.history[HistoryValue::charge_cycles] = *registers().word(0x2017);
    into.soc = *registers().word(0x2018) / 10.0;
    into.soh = *registers().word(0x2019) / 10.0;
  }

  static constexpr unsigned most_cells = 16;
  static constexpr Block switches{Function::read_coils, 0x1400, 0x50};
  static constexpr Block system = block(0x2000, 26);

  Stack& stack_;
  bool passive_ = false;                   // a master polls: listen only
  std::optional<std::uint8_t> listen_to_;  // address of our pack in a stack
  Stack::Mark heard_{};                    // what of it is known already
  unsigned cells_seen_ = 0;
  TimePoint parameters_due_{};
};

namespace {

constexpr auto probes = [] {
  std::array<Probe, 16> list{};
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = {.line = {19200}, .address = static_cast<std::uint8_t>(i)};
  return list;
}();
const Registration registration{{.type = "Seplosv3",
                                 .text = "Seplos v3",
                                 .probes = probes,
                                 .addressable = true,
                                 .listens = true,
                                 .rank = 160,
                                 .make = make_driver<SeplosV3>}};

}  // namespace

}  // namespace serialbattery::seplosv3
