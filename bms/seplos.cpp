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
#include "bms/yd1363_driver.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::seplos {

namespace {

using yd1363::Message;

enum Command : std::uint8_t { analog = 0x42, states = 0x44, device = 0x51 };

constexpr std::uint8_t classes[] = {0x46};
constexpr yd1363::Dialect dialect{.start = '~', .version = 0x20, .classes = classes, .request_class = 0x46};

using wire::bits;

// Events 1 to 8 in one word, event 1 lowest.
constexpr wire::AlarmBits event_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(8), bits(9)},
    {Alarm::low_cell_voltage, bits(10), bits(11, 44)},
    {Alarm::high_voltage, bits(12), bits(13)},
    {Alarm::low_voltage, bits(14), bits(15)},
    {Alarm::high_charge_temperature, bits(16), bits(17)},
    {Alarm::low_charge_temperature, bits(18), bits(19)},
    {Alarm::high_temperature, bits(20), bits(21)},
    {Alarm::low_temperature, bits(22, 26), bits(23, 27)},            // cells, environment
    {Alarm::high_internal_temperature, bits(24, 28), bits(25, 29)},  // environment, power board
    {Alarm::high_charge_current, bits(32), bits(33)},
    {Alarm::high_discharge_current, bits(34), bits(35, 36, 37, 38, 39)},
    {Alarm::low_soc, bits(42), bits(43)},
    {Alarm::cell_imbalance, bits(), bits(4)},
    {Alarm::internal_failure, bits(57, 58, 59, 60), bits(0, 1, 2, 3, 5, 6, 7, 45, 46, 56)},
};
// What no alarm tells as exactly, for the log.
constexpr NamedBit event_names[] = {
    {0, "voltage sensor broken"},
    {1, "temperature sensor broken"},
    {2, "current sensor broken"},
    {3, "key switch broken"},
    {4, "cell voltages too different"},
    {5, "charge switch broken"},
    {6, "discharge switch broken"},
    {7, "current limiter broken"},
    {24, "environment warm"},
    {25, "environment too hot"},
    {26, "environment cold"},
    {27, "environment too cold"},
    {28, "power board warm"},
    {29, "power board too hot"},
    {36, "transient over-current"},
    {37, "short circuit"},
    {38, "locked after transient over-current"},
    {39, "locked after short circuit"},
    {44, "a cell is too low to be charged"},
    {45, "reverse polarity"},
    {46, "output connection broken"},
    {56, "EEPROM broken"},
    {57, "clock broken"},
    {58, "voltage not calibrated"},
    {59, "current not calibrated"},
    {60, "zero of the current not calibrated"},
};
// Events 2 and 3, over-currents, low SoC: the alarm says all. Heating, end of charge, waiting for recharge: no trouble.
constexpr std::uint64_t quiet_events = 0x0030'0F0F'40FF'FF00;

enum SwitchBit : unsigned { discharge_on = 1U << 0U, charge_on = 1U << 1U, heater_on = 1U << 3U };

}  // namespace

class Seplos final : public yd1363::YdDriver {
 public:
  explicit Seplos(const DriverContext& context) : YdDriver(context, dialect), group_(context.address) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    group_ = address();
    sensors_.reset();
    const bool answered = co_await try_ask(found, with_group(analog), first_question(effort));
    if (!answered) {
      if (effort == Effort::quick || group_ == older_group) co_return false;
      group_ = older_group;
      co_await ask(found, with_group(analog), other_form());
    }
    co_await ask(found, with_group(states));
    co_await try_ask(found, question(device), Patience::once);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await ask(next, with_group(analog));
    co_await ask(next, with_group(states));
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
  static constexpr unsigned least_cells = 8, most_cells = 24;

  [[nodiscard]] Message with_group(std::uint8_t command) const { return question(command, Bytes(&group_, 1)); }

  void decode_analog(Reader& reader, Battery& into) {
    reader.take(2);  // flag, group
    yd1363::read_cells(reader, least_cells, most_cells, into);
    const unsigned sensors = reader.u8();
    require(sensors >= 2 && sensors <= 16, "impossible number of temperatures");
    into.temperatures = {};
    const auto celsius = [&reader] { return fitted_sensor((reader.u16() - 2731) / 10.0); };
    for (unsigned i = 0; i + 2 < sensors; ++i) {
      const auto cell_sensor = celsius();
      if (i < into.temperatures.size()) into.temperatures[i] = cell_sensor;
    }
    note()["temperatures"] = {{"environment", or_null(celsius())}};
    into.mos_temperature = celsius();
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
    check_reading(into);
    sensors_ = sensors;
    into.identity.hardware_version = fmt::format("Seplos BMS {}S", into.cells.size());
    if (into.identity.unique_id.empty() && into.capacity) {  // the capacity is learned, the identifier stays
      into.identity.unique_id = fmt::format("SeplosBMS{}S_{}{}Ah", into.cells.size(),
                                            address() == 0 ? "" : fmt::format("0x{:02X}_", address()), wire::decimal(*into.capacity));
    }
  }

  void decode_states(Reader& reader, Battery& into) {
    reader.take(2);  // flag, group
    set_cell_count(into, reader.u8(), least_cells, most_cells);
    reader.take(into.cells.size());  // which cell: the events tell how bad it is
    const unsigned sensors = reader.u8();
    require(sensors >= 2 && sensors <= 16 && (!sensors_ || *sensors_ == sensors), "impossible number of temperatures");
    reader.take(sensors);
    reader.take(2);  // current, pack voltage
    require(reader.u8() == 0x14, "not the layout of a Seplos");
    const Bytes state = reader.take(20);  // [9]: charging, discharging, standby
    const std::uint64_t events = wire::word_of(state.first(6)) | wire::word_of(state.subspan(12, 2)) << 48U;
    const unsigned switches = state[6];
    const bool wire_broken = wire::u16be(state, 10) != 0;

    set_balancing(into, wire::u16le(state, 7), 16);
    into.discharge_fet = (switches & discharge_on) != 0;
    into.charge_fet = (switches & charge_on) != 0;
    into.heater.allowed = into.heater.active = (switches & heater_on) != 0;
    wire::decode_alarms(event_table, events, into.alarms);
    if (wire_broken) wire::raise(into.alarms, Alarm::internal_failure, AlarmLevel::alarm);
    tell_new_bits("Seplos events", events, quiet_events, event_names);
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
