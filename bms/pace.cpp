// Pace BMS ("paceic" protocol 2.5): P16S100A, P16S200A, P13S.., P15S.. in Gobel Power, SOK, Jakiper, EASUN, Enersol, SunPro, Revov R100,
// Hubble and others, up to 24 cells. RS232 ("console", RJ11/RJ12) or RS485, 9600 baud; address by DIP switch, 0..15.
//
// YD/T 1363, version 25, class 46; INFO of a request = number of the pack.
//   42  voltages, temperatures, current, capacities   each cycle
//   44  states, alarms, balancing                     each cycle
//   C1  version, C2 serial numbers                    once, optional
//
// Quirks: the master of a stack answers for its slaves under its own address and repeats the pack's number in INFO; some packs answer
// address 0 with another. Firmware of different makers appends different tails. 99, 9A..9C, B2 and even D0..EE write: never sent.
// Sources: "PACE-RS232-TY16S" (2018-07-05), captures of six makers' packs.
#include <cmath>

#include "bms/yd1363_driver.hpp"
#include "config/bus_address.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::pace {

namespace {

using yd1363::Message;

enum Command : std::uint8_t { analog = 0x42, states = 0x44, version = 0xC1, product = 0xC2 };

constexpr std::uint8_t classes[] = {0x46, 0x4A, 0x4E, 0x4F};  // by chemistry
constexpr yd1363::Dialect dialect{.start = '~', .version = 0x25, .classes = classes, .request_class = 0x46};

using wire::bits;

// Protect 1 (bits 0..7), protect 2 (8..), fault (16..), warn 1 (24..), warn 2 (32..) in one word.
constexpr wire::AlarmBits alarm_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(24), bits(0)},
    {Alarm::low_cell_voltage, bits(25), bits(1)},
    {Alarm::high_voltage, bits(26), bits(2)},
    {Alarm::low_voltage, bits(27), bits(3)},
    {Alarm::high_charge_current, bits(28), bits(4)},
    {Alarm::high_discharge_current, bits(29), bits(5, 6)},  // 6: short circuit
    {Alarm::high_charge_temperature, bits(32), bits(8)},
    {Alarm::high_temperature, bits(33), bits(9)},
    {Alarm::low_charge_temperature, bits(34), bits(10)},
    {Alarm::low_temperature, bits(35, 37), bits(11, 14)},            // cells, environment
    {Alarm::high_internal_temperature, bits(36, 38), bits(12, 13)},  // environment and MOSFET, in another order
    {Alarm::low_soc, bits(39), bits()},
    {Alarm::internal_failure, bits(), bits(16, 17, 18, 20, 21)},
};
constexpr NamedBit fault_names[] = {{16, "charge FET broken"},
                                    {17, "discharge FET broken"},
                                    {18, "temperature sensor broken"},
                                    {20, "cell broken"},
                                    {21, "sampling broken"}};
constexpr std::uint64_t quiet_bits = 0xFF'3F'00'FF'7F;  // what an alarm says; 15: fully charged

enum InstructionBit : unsigned { charge_on = 1U << 1U, discharge_on = 1U << 2U };

// Codes of one channel in 44. Anything else is the late answer to another request.
void skip_codes(Reader& reader, std::size_t count) {
  for (const std::uint8_t code : reader.take(count))
    require(code <= 0x02 || (code >= 0x80 && code <= 0xF0), "no state of a cell or sensor");
}

// The first 20 bytes without blanks and punctuation, as earlier drivers stored it.
std::string identifier(Bytes serial) {
  std::string result;
  for (const std::uint8_t byte : serial) {
    if (byte < 0x20 || byte > 0x2F) result.push_back(static_cast<char>(byte));
  }
  while (!result.empty() && result.back() == '\0') result.pop_back();
  return result;
}

}  // namespace

class Pace final : public yd1363::YdDriver {
 public:
  explicit Pace(const DriverContext& context) : YdDriver(context, dialect) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    answered_by_.reset();
    pack_ = address() == 0 ? std::uint8_t{1} : address();
    const bool answered = co_await try_ask(found, of_pack(analog), first_question(effort));
    if (!answered) {
      if (address() != 0 || effort == Effort::quick) co_return false;
      pack_ = all_packs;
      co_await ask(found, of_pack(analog), other_form());
    }
    co_await ask(found, of_pack(states));
    co_await try_ask(found, question(version), Patience::once);
    co_await try_ask(found, question(product));  // its identity: one lost answer must not make another battery of it
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await ask(next, of_pack(states));
    co_await ask(next, of_pack(analog));
  }

  [[nodiscard]] bool is_answer(const Message& asked, const Message& answer) const override {
    if (asked.address == 0) return answered_by_ ? answer.address == *answered_by_ : answer.address == 0 || !is_ours(answer.address);
    if (answer.address == asked.address) return true;
    if (answer.address == 0 && is_ours(0)) return false;
    if (asked.code == analog || asked.code == states)  // these tell the pack's number
      return answer.info.size() >= 2 && !asked.info.empty() && asked.info[0] == asked.address && answer.info[1] == asked.address;
    return answer.address == 0 || answer.address == answered_by_;
  }

  void decode(const Message& asked, const Message& answer, Battery& into) override {
    Reader reader(answer.info);
    switch (asked.code) {
      case analog: decode_analog(reader, into); break;
      case states: decode_states(reader, into); break;
      case version: into.identity.hardware_version = wire::text_blanks(answer.info); return;
      case product: return decode_product(reader, into);
      default: throw FrameError(Fault::implausible, "no question of this driver");
    }
    answered_by_ = answer.address;
  }

 private:
  static constexpr std::uint8_t all_packs = 0xFF;
  static constexpr unsigned most_cells = 24;

  [[nodiscard]] Message of_pack(std::uint8_t command) const { return question(command, Bytes(&pack_, 1)); }

  [[nodiscard]] bool is_ours(std::uint8_t other) const {
    return std::ranges::any_of(config().battery_addresses, [other](const std::string& text) { return config::bus_address(text) == other; });
  }

  void decode_analog(Reader& reader, Battery& into) {
    reader.take(2);  // flag, pack or number of packs
    yd1363::read_cells(reader, 1, most_cells, into);
    const unsigned sensors = reader.u8();
    require(sensors <= 16, "impossible number of temperatures");
    into.temperatures = {};
    into.mos_temperature.reset();
    std::optional<double> environment;
    std::optional<double>* const places[] = {&into.temperatures[0], &into.temperatures[1], &into.temperatures[2],
                                             &into.temperatures[3], &into.mos_temperature, &environment};
    for (unsigned i = 0; i < sensors; ++i) {
      const auto celsius = fitted_sensor((reader.u16() - 2730) / 10.0);
      if (i < std::size(places)) *places[i] = celsius;
    }
    note()["temperatures"] = {{"environment", or_null(environment)}};
    into.current = reader.i16() / 100.0;
    into.voltage = reader.u16() / 1000.0;
    into.capacity_remaining = reader.u16() / 100.0;
    reader.take(1);  // number of items that follow; what is behind the three below depends on the maker
    const double full = reader.u16() / 100.0;
    into.history[HistoryValue::charge_cycles] = reader.u16();
    note()["design_capacity"] = reader.u16() / 100.0;
    into.capacity = full > 0 ? std::optional(full) : std::nullopt;
    into.soc = full > 0 ? std::optional(std::min(100.0, std::round(*into.capacity_remaining / full * 10000) / 100)) : std::nullopt;
    check_reading(into);
  }

  void decode_states(Reader& reader, Battery& into) {
    reader.take(2);  // flag, pack or number of packs
    set_cell_count(into, reader.u8(), 1, most_cells);
    skip_codes(reader, into.cells.size());
    const unsigned sensors = reader.u8();
    require(sensors <= 16, "impossible number of temperatures");
    skip_codes(reader, sensors);
    skip_codes(reader, 3);               // charge current, pack voltage, discharge current
    const Bytes state = reader.take(9);  // [3], settings: buzzer, LED, current limiter
    const std::array<std::uint8_t, 5> words{state[0], state[1], state[4], state[7], state[8]};
    const std::uint64_t alarms = wire::word_of(words);
    const unsigned instruction = state[2];

    set_balancing(into, wire::u16le(state, 5), 16);
    into.charge_fet = (instruction & charge_on) != 0;
    into.discharge_fet = (instruction & discharge_on) != 0;
    wire::decode_alarms(alarm_table, alarms, into.alarms);
    tell_new_bits("Pace states", alarms, quiet_bits, fault_names);
  }

  void decode_product(Reader& reader, Battery& into) {
    const Bytes serial = reader.take(20);
    into.identity.serial_number = wire::text_blanks(serial);
    const std::string id = identifier(serial);
    into.identity.unique_id = own_identifier(id, fmt::format("{}_0x{:02X}", id, address()));
    if (reader.left() >= 20) note()["pack_serial_number"] = wire::text_blanks(reader.take(20));
  }

  std::uint8_t pack_ = 1;
  std::optional<std::uint8_t> answered_by_;  // address in the answers of this battery
};

namespace {

constexpr Probe probes[] = {{.line = {9600}}};
const Registration registration{{.type = "Pace",
                                 .text = "PACE RS232",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 130,
                                 .poll_interval = 5s,
                                 .port_id_address = "0x00",
                                 .connection_address = true,
                                 .make = make_driver<Pace>}};

}  // namespace

}  // namespace serialbattery::pace
