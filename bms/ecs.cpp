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

#include "bms/modbus_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::ecs {

namespace {

using modbus::Block;
using enum wire::Type;

constexpr Timing normal{.first_byte = 200ms, .between_bytes = 100ms, .expected = 9, .attempts = 3};

constexpr Block block(std::uint16_t start, std::uint16_t quantity) {
  return {.start = start, .quantity = quantity};
}
constexpr Block type = block(0, 1);
constexpr Block meter_settings[] = {block(30, 1), block(31, 1), block(46, 2)};
constexpr Block meter_cycle[] = {block(108, 2), block(114, 2), block(128, 2), block(130, 1), block(131, 1), block(102, 1), block(103, 1)};
constexpr Block module_cycle[] = {block(100, 1), block(102, 1), block(101, 1)};

constexpr std::string_view sizes[] = {"500A", "250A", "125A"};
constexpr unsigned first_meter_type = 500, first_module_type = 100, last_module_type = 104;

// What the states 1 to 6 of one direction mean.
struct State {
  Alarm alarm;
  AlarmLevel level;
};
using States = std::array<State, 7>;  // [0]: fine
constexpr States charging{{{},
                           {Alarm::high_voltage, AlarmLevel::alarm},
                           {Alarm::high_charge_current, AlarmLevel::warning},
                           {Alarm::high_charge_temperature, AlarmLevel::warning},
                           {Alarm::high_charge_temperature, AlarmLevel::warning},
                           {Alarm::low_charge_temperature, AlarmLevel::warning},
                           {Alarm::low_charge_temperature, AlarmLevel::warning}}};
constexpr States discharging{{{},
                              {Alarm::low_voltage, AlarmLevel::alarm},
                              {Alarm::high_discharge_current, AlarmLevel::warning},
                              {Alarm::high_temperature, AlarmLevel::warning},
                              {Alarm::high_temperature, AlarmLevel::warning},
                              {Alarm::low_temperature, AlarmLevel::warning},
                              {Alarm::low_temperature, AlarmLevel::warning}}};

bool is_cell_voltage(double volts) {
  return volts >= 1.5 && volts <= 4.5;
}

bool is_module(unsigned id) {
  return id >= first_module_type && id <= last_module_type;
}

DriverContext at_meter(DriverContext context) {
  context.address = static_cast<std::uint8_t>(context.config.greenmeter_address);
  return context;
}

}  // namespace

class Ecs final : public modbus::ModbusDriver {
 public:
  explicit Ecs(const DriverContext& context) : ModbusDriver(at_meter(context), normal) {}

  [[nodiscard]] std::string address_text() const override { return {}; }  // a battery of many addresses

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    begin_probe(effort, 150ms);
    modules_.clear();
    cells_.clear();
    co_await read(type);
    decode(found);
    settle();
    for (const Block& part : meter_settings) co_await read(part);
    for (const Block& part : meter_cycle) co_await read(part);
    decode(found);
    for (int at = config().lipro_start_address; at <= config().lipro_end_address; ++at) co_await look_for_module(at);
    bool agrees = assign_cells(*found.voltage);
    if (agrees) {
      co_await read_modules();
      decode(found);
      agrees = voltages_agree(found);
    }
    if (!agrees) {
      spdlog::error(
          "{}: ECS greenMeter found, but {:.1f} V fit neither its {} LiPro modules nor LIPRO_CELL_COUNT = {}: set LIPRO_CELL_COUNT "
          "and LIPRO_END_ADDRESS",
          link().stream().name(), *found.voltage, modules_.size(), config().lipro_cell_count);
      co_return false;
    }
    search_again_ = link().now() + 5min;
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    for (const Block& part : meter_cycle) co_await read(part);
    co_await read_modules();
    co_await search_missing_modules();
    decode(next);
  }

  modbus::Registers& registers_of(std::uint8_t address) override {
    return address == config().greenmeter_address ? registers() : modules_[address].registers;
  }

  void decode(Battery& into) override {
    decode_meter(into);
    decode_states(into);
    decode_modules(into);
  }

 private:
  struct Module {
    modbus::Registers registers;
    bool silent = false;
  };

  // One short question. A module found after the start takes the first cell that has none.
  asio::awaitable<void> look_for_module(int address) {
    Timing patience = timing();
    patience.first_byte = 100ms;
    patience.attempts = 1;
    const auto at = static_cast<std::uint8_t>(address);
    try {
      const Bytes data = co_await client().read(at, type, patience);
      if (is_module(wire::u16be(data, 0))) modules_[at].registers.store(type, data);
    } catch (const BmsError& error) {
      if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
    }
    if (cells_.empty() || !modules_.contains(at)) co_return;
    const auto free = std::ranges::find(cells_, 0);
    spdlog::info("{}: LiPro module {} found{}", link().stream().name(), address,
                 free == cells_.end() ? "; no cell is without one: not used" : "");
    if (free != cells_.end()) *free = at;
  }

  asio::awaitable<void> search_missing_modules() {
    if (link().now() >= search_again_) {
      search_again_ = link().now() + 5min;
      next_search_ = config().lipro_start_address;
    }
    // One address per poll: absent ones cost their time-out.
    while (next_search_ && modules_.contains(static_cast<std::uint8_t>(*next_search_))) advance_search();
    if (!next_search_) co_return;
    const int address = *next_search_;
    advance_search();
    co_await look_for_module(address);
  }

  void advance_search() {
    if (++*next_search_ > config().lipro_end_address) next_search_.reset();
  }

  // As many cells as modules, if the voltage agrees; else LIPRO_CELL_COUNT: only some cells may have a module in the range.
  bool assign_cells(double voltage) {
    const std::size_t found = modules_.size();
    const auto configured = static_cast<std::size_t>(config().lipro_cell_count);
    const auto fits = [voltage](std::size_t count) { return count > 0 && is_cell_voltage(voltage / static_cast<double>(count)); };
    if (found != configured) {
      spdlog::info("{}: {} LiPro modules found, LIPRO_CELL_COUNT is {}", link().stream().name(), found, configured);
    }
    const std::size_t count = fits(found) ? found : configured;
    if (!fits(count)) return false;
    cells_.assign(count, 0);
    std::size_t cell = 0;
    for (const auto& [at, module] : modules_) {
      if (cell < count) cells_[cell++] = at;
    }
    return true;
  }

  // A wrong count would ask the inverter for the voltage of another pack: the cells that are known must have their share of it.
  static bool voltages_agree(const Battery& found) {
    double sum = 0;
    int known = 0;
    for (const Cell& cell : found.cells) {
      if (!cell.voltage) continue;
      sum += *cell.voltage;
      ++known;
    }
    if (known == 0) return true;
    const double mean = sum / known, share = *found.voltage / static_cast<double>(found.cells.size());
    return std::abs(share - mean) <= 0.15 * mean;
  }

  // A silent module costs its cell, not the reading; silence of all of them is a broken cable.
  asio::awaitable<void> read_modules() {
    bool answered = false, expected = false;
    for (const std::uint8_t at : cells_) {
      if (at == 0) continue;
      expected = true;
      co_await read_module(at, modules_[at]);
      answered = answered || !modules_[at].silent;
    }
    if (answered || !expected) {
      silent_since_.reset();
    } else if (!silent_since_) {
      silent_since_ = link().now();
    } else if (link().now() - *silent_since_ >= 30s) {
      throw LinkError(Fault::timeout, "all LiPro modules are silent");
    }
  }

  asio::awaitable<void> read_module(std::uint8_t at, Module& module) {
    Timing patience = timing();
    patience.attempts = module.silent ? 1 : 2;
    module.silent = true;
    for (const Block& part : module_cycle) module.registers.forget(part);
    try {
      for (const Block& part : module_cycle) module.registers.store(part, co_await client().read(at, part, patience));
      module.silent = false;
    } catch (const BmsError& error) {
      if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
    }
  }

  void decode_meter(Battery& into) {
    const auto& meter = registers();
    if (const auto id = meter.word(0)) {
      modbus::require(*id >= first_meter_type && *id < first_meter_type + std::size(sizes), "no greenMeter");
      const std::string_view size = sizes[*id - first_meter_type];
      note()["meter_size"] = size;
      into.identity.hardware_version = fmt::format("Greenmeter-{} {}S", size, config().lipro_cell_count);
    }
    if (const auto limit = meter.number(31, i16be)) into.limits.charge_current = static_cast<double>(*limit);
    if (const auto limit = meter.number(30, i16be)) into.limits.discharge_current = std::abs(static_cast<double>(*limit));
    if (const auto capacity = meter.low_word_first(46)) into.capacity = *capacity / 1000.0;
    if (const auto voltage = meter.low_word_first(108)) {
      into.voltage = static_cast<std::int32_t>(*voltage) / 1000.0;
      modbus::require(*into.voltage >= 2 && *into.voltage <= 150, "voltage outside 2..150 V");
    }
    if (const auto current = meter.low_word_first(114)) into.current = static_cast<std::int32_t>(*current) / 1000.0;
    if (const auto raw = meter.low_word_first(128)) {
      const bool stuck = (*raw >> 16U) == 0xFFFF;
      into.soc = (stuck ? *raw & 0xFFFFU : *raw) / 1000.0;
      modbus::require(*into.soc <= 100, "SoC above 100 %");
    }
    if (into.capacity && into.soc) into.capacity_remaining = *into.capacity * *into.soc / 100;
    for (unsigned i = 0; i < 2; ++i) {
      if (const auto celsius = meter.number(102 + i, i16be)) into.temperatures[i] = static_cast<double>(*celsius) / 100;
    }
  }

  void decode_states(Battery& into) {
    const auto put = [&](unsigned reg, const States& states, std::optional<bool>& fet) {
      const auto state = registers().word(reg);
      if (!state) return;
      fet = *state == 0;
      for (std::size_t i = 1; i < states.size(); ++i) into.alarms[states[i].alarm] = AlarmLevel::ok;
      if (*state == 0) return;
      if (*state < states.size()) {
        wire::raise(into.alarms, states[*state].alarm, states[*state].level);
      } else if (!std::exchange(unknown_state_logged_, true)) {
        spdlog::warn("{}: greenMeter reports state {} in register {}, whose meaning is unknown", link().stream().name(), *state, reg);
      }
    };
    put(130, charging, into.charge_fet);
    put(131, discharging, into.discharge_fet);
  }

  void decode_modules(Battery& into) {
    const auto number_of_modules = std::ranges::count_if(modules_, [](const auto& entry) {
      const auto id = entry.second.registers.word(0);
      modbus::require(!id || is_module(*id), "no LiPro module");
      return id.has_value();
    });
    note()["cells_found"] = number_of_modules;
    std::vector<std::uint8_t> order = cells_;
    if (order.empty()) {  // a recording without the search
      for (const auto& [at, module] : modules_) order.push_back(at);
    }
    boost::json::array temperatures;
    into.cells.assign(order.size(), {});
    if (!cells_.empty()) into.cell_count = static_cast<unsigned>(cells_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] == 0) continue;
      const modbus::Registers& module = modules_.at(order[i]).registers;
      if (const auto millivolts = module.word(100)) into.cells[i].voltage = *millivolts / 1000.0;
      if (const auto power = module.word(102)) into.cells[i].balancing = *power > 50;
      const auto celsius = module.number(101, i16be);
      temperatures.emplace_back(celsius ? boost::json::value(static_cast<double>(*celsius) / 100) : boost::json::value(nullptr));
    }
    note()["cell_temperatures"] = std::move(temperatures);
    if (!into.cells.empty()) into.balancing = std::ranges::any_of(into.cells, [](const Cell& cell) { return cell.balancing == true; });
  }

  std::map<std::uint8_t, Module> modules_;
  std::vector<std::uint8_t> cells_;  // address of the module of each cell; 0: none
  std::optional<TimePoint> silent_since_;
  TimePoint search_again_{};
  std::optional<int> next_search_;
  bool unknown_state_logged_ = false;
};

namespace {

constexpr Probe probes[] = {{.line = {19200, Parity::even}}};
const Registration registration{{.type = "Ecs", .text = "ECS LiPro", .probes = probes, .rank = 70, .make = make_driver<Ecs>}};

}  // namespace

}  // namespace serialbattery::ecs
