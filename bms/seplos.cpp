// Seplos BMS of the second generation ("V2", EMU10xx, EMU11xx, 1101-SP..): 8 to 24 cells, 50 to 200 A; in Mason, Polo and Pusung packs
// and many built at home. RS485, 19200 or 9600 baud; address by DIP switch, 0..15. Their third generation speaks Modbus (Seplosv3).
//
// YD/T 1363, version 20, class 46; INFO of a request = group, normally the address, in older packs 01.
//   42  voltages, temperatures, current, capacities   each cycle
//   44  states, alarms, balancing                     each cycle
//   51  name, firmware                                once, optional
//
// Quirks: Pylontech batteries share version, class and request; the item count 0A in 42 tells. 45, 49, 4E and A0..A2 write: never sent.
// Sources: "SEPLOS BMS Communication Protocol V2.0" and an older one, captures of five packs.
#include "bms/yd1363.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::seplos {

namespace {

using yd1363::Message;
using yd1363::Reader;
using yd1363::require;

enum Command : std::uint8_t { analog = 0x42, states = 0x44, device = 0x51 };

constexpr std::uint8_t classes[] = {0x46};
constexpr yd1363::Dialect dialect{.start = '~', .version = 0x20, .classes = classes, .request_class = 0x46};

constexpr auto warning = AlarmLevel::warning, alarm = AlarmLevel::alarm;

// Events 1 to 8 in one word, event 1 lowest.
constexpr wire::AlarmBit event_bits[] = {
    {0, Alarm::internal_failure, alarm},              // 1: voltage sensor
    {1, Alarm::internal_failure, alarm},              // temperature sensor
    {2, Alarm::internal_failure, alarm},              // current sensor
    {3, Alarm::internal_failure, alarm},              // key switch
    {4, Alarm::cell_imbalance, alarm},                //
    {5, Alarm::internal_failure, alarm},              // charge switch
    {6, Alarm::internal_failure, alarm},              // discharge switch
    {7, Alarm::internal_failure, alarm},              // current limiter
    {8, Alarm::high_cell_voltage, warning},           // 2
    {9, Alarm::high_cell_voltage, alarm},             //
    {10, Alarm::low_cell_voltage, warning},           //
    {11, Alarm::low_cell_voltage, alarm},             //
    {12, Alarm::high_voltage, warning},               //
    {13, Alarm::high_voltage, alarm},                 //
    {14, Alarm::low_voltage, warning},                //
    {15, Alarm::low_voltage, alarm},                  //
    {16, Alarm::high_charge_temperature, warning},    // 3
    {17, Alarm::high_charge_temperature, alarm},      //
    {18, Alarm::low_charge_temperature, warning},     //
    {19, Alarm::low_charge_temperature, alarm},       //
    {20, Alarm::high_temperature, warning},           //
    {21, Alarm::high_temperature, alarm},             //
    {22, Alarm::low_temperature, warning},            //
    {23, Alarm::low_temperature, alarm},              //
    {24, Alarm::high_internal_temperature, warning},  // 4: environment
    {25, Alarm::high_internal_temperature, alarm},    //
    {26, Alarm::low_temperature, warning},            //
    {27, Alarm::low_temperature, alarm},              //
    {28, Alarm::high_internal_temperature, warning},  // power board
    {29, Alarm::high_internal_temperature, alarm},    // 30: heats
    {32, Alarm::high_charge_current, warning},        // 5
    {33, Alarm::high_charge_current, alarm},          //
    {34, Alarm::high_discharge_current, warning},     //
    {35, Alarm::high_discharge_current, alarm},       //
    {36, Alarm::high_discharge_current, alarm},       // transient
    {37, Alarm::high_discharge_current, alarm},       // short circuit
    {38, Alarm::high_discharge_current, alarm},       // transient, locked
    {39, Alarm::high_discharge_current, alarm},       // short circuit, locked
    {42, Alarm::low_soc, warning},                    // 6; 40: end of charge, 41: waits for recharge
    {43, Alarm::low_soc, alarm},                      //
    {44, Alarm::low_cell_voltage, alarm},             // too low to be charged
    {45, Alarm::internal_failure, alarm},             // reverse polarity
    {46, Alarm::internal_failure, alarm},             // output connection; event 7: waits for charging
    {56, Alarm::internal_failure, alarm},             // 8: EEPROM
    {57, Alarm::internal_failure, warning},           // clock
    {58, Alarm::internal_failure, warning},           // voltage not calibrated
    {59, Alarm::internal_failure, warning},           // current not calibrated
    {60, Alarm::internal_failure, warning},           // zero not calibrated
};

enum SwitchBit : unsigned { discharge_on = 1U << 0U, charge_on = 1U << 1U, heater_on = 1U << 3U };

}  // namespace

class Seplos final : public yd1363::YdDriver {
 public:
  explicit Seplos(const DriverContext& context) : YdDriver(context, dialect), group_(context.address) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    group_ = address();
    sensors_.reset();
    const Message first = with_group(analog);
    const bool answered = co_await try_ask(found, first, first_question(effort));
    if (!answered) {
      if (effort == Effort::quick || group_ == older_group) co_return false;
      group_ = older_group;
      const Message second = with_group(analog);
      co_await ask(found, second, other_form());
    }
    const Message events = with_group(states), names = question(device);
    co_await ask(found, events);
    co_await try_ask(found, names, Patience::once);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    const Message values = with_group(analog), events = with_group(states);
    co_await ask(next, values);
    co_await ask(next, events);
  }

  void decode(const Message& asked, const Message& answer, Battery& into) override {
    Reader reader(answer.info);
    switch (asked.code) {
      case analog: return decode_analog(reader, into);
      case states: return decode_states(reader, into);
      case device: return decode_device(reader, into);
      default: throw FrameError(Fault::implausible, "no question of this driver");
    }
  }

 private:
  static constexpr std::uint8_t older_group = 0x01;

  [[nodiscard]] Message with_group(std::uint8_t command) const { return question(command, Bytes(&group_, 1)); }

  void decode_analog(Reader& reader, Battery& into) {
    reader.take(2);  // flag, group
    read_cells(reader, reader.u8(), 8, 24, into);
    const unsigned sensors = reader.u8();
    require(sensors >= 2 && sensors <= 16, "impossible number of temperatures");
    into.temperatures = {};
    boost::json::value environment;
    for (unsigned i = 0; i < sensors; ++i) {
      const auto celsius = yd1363::temperature((reader.u16() - 2731) / 10.0);
      if (i + 1 == sensors) {
        into.mos_temperature = celsius;
      } else if (i + 2 == sensors) {
        if (celsius) environment = *celsius;
      } else if (i < into.temperatures.size()) {
        into.temperatures[i] = celsius;
      }
    }
    note()["temperatures"] = {{"environment", environment}};
    into.current = reader.i16() / 100.0;
    into.voltage = reader.u16() / 100.0;
    into.capacity_remaining = reader.u16() / 100.0;
    require(reader.u8() == 0x0A, "not the layout of a Seplos");
    Reader tail(reader.take(20));
    const double full = tail.u16() / 100.0;
    into.capacity = full > 0 ? std::optional(full) : std::nullopt;
    into.soc = tail.u16() / 10.0;
    note()["rated_capacity"] = tail.u16() / 100.0;
    into.history[HistoryValue::charge_cycles] = tail.u16();
    const double soh = tail.u16() / 10.0;
    into.soh = soh > 0 && soh <= 100 ? std::optional(soh) : std::nullopt;
    yd1363::check(into);
    sensors_ = sensors;
    into.identity.hardware_version = fmt::format("Seplos BMS {}S", into.cells.size());
    if (into.identity.unique_id.empty() && into.capacity) {  // the capacity is learned, the identifier stays
      into.identity.unique_id = fmt::format("SeplosBMS{}S_{}{}Ah", into.cells.size(),
                                            address() == 0 ? "" : fmt::format("0x{:02X}_", address()), yd1363::shortest(*into.capacity));
    }
  }

  void decode_states(Reader& reader, Battery& into) {
    reader.take(2);  // flag, group
    const unsigned count = reader.u8();
    require(count >= 8 && count <= 24, "impossible number of cells");
    require(!into.cell_count || *into.cell_count == count, "number of cells has changed");
    reader.take(count);  // which cell: the events tell how bad it is
    const unsigned sensors = reader.u8();
    require(sensors >= 2 && sensors <= 16 && (!sensors_ || *sensors_ == sensors), "impossible number of temperatures");
    reader.take(sensors);
    reader.take(2);  // current, pack voltage
    require(reader.u8() == 0x14, "not the layout of a Seplos");
    Reader state(reader.take(20));
    std::uint64_t events = 0;
    for (unsigned i = 0; i < 6; ++i) events |= std::uint64_t{state.u8()} << (8 * i);
    const unsigned switches = state.u8();
    const unsigned low = state.u8(), high = state.u8();
    state.take(1);  // charging, discharging, standby
    const bool wire_broken = state.u16() != 0;
    for (unsigned i = 6; i < 8; ++i) events |= std::uint64_t{state.u8()} << (8 * i);

    into.cell_count = count;
    into.cells.resize(count);
    yd1363::set_balancing(into, low | high << 8U, 16);
    into.discharge_fet = (switches & discharge_on) != 0;
    into.charge_fet = (switches & charge_on) != 0;
    into.heater.allowed = into.heater.active = (switches & heater_on) != 0;
    wire::decode_alarms(event_bits, events, into.alarms);
    if (wire_broken) wire::raise(into.alarms, Alarm::internal_failure, alarm);
    if (config().soc_calculation) into.alarms[Alarm::low_soc] = AlarmLevel::ok;
    note()["events"] = fmt::format("{:016x}", events);
  }

  void decode_device(Reader& reader, Battery& into) {
    into.identity.model = wire::text_blanks(reader.take(10));
    note()["device_name"] = into.identity.model;
    const unsigned major = reader.u8(), minor = reader.u8();
    into.identity.firmware_version = fmt::format("{}.{}", major, minor);
    into.identity.manufacturer = wire::text_blanks(reader.take(20));
  }

  std::uint8_t group_;
  std::optional<unsigned> sensors_;  // of the last 42
};

namespace {

constexpr Probe probes[] = {{.line = {19200}}, {.line = {9600}}};
const Registration registration{{.type = "Seplos",
                                 .text = "Seplos",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 150,
                                 .poll_interval = 5s,
                                 .port_id_address = "0x00",
                                 .connection_address = true,
                                 .make = make_driver<Seplos>}};

}  // namespace

}  // namespace serialbattery::seplos
