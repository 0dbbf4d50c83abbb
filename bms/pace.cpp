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

#include "bms/yd1363.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::pace {

namespace {

using yd1363::Message;
using yd1363::Reader;
using yd1363::require;

enum Command : std::uint8_t { analog = 0x42, states = 0x44, version = 0xC1, product = 0xC2 };

constexpr std::uint8_t classes[] = {0x46, 0x4A, 0x4E, 0x4F};  // by chemistry
constexpr yd1363::Dialect dialect{.start = '~', .version = 0x25, .classes = classes, .request_class = 0x46};

constexpr auto warning = AlarmLevel::warning, alarm = AlarmLevel::alarm;

// Protect 1, protect 2, fault, warn 1, warn 2 in one word, lowest first.
constexpr wire::AlarmBit alarm_bits[] = {
    {0, Alarm::high_cell_voltage, alarm},             // protect 1
    {1, Alarm::low_cell_voltage, alarm},              //
    {2, Alarm::high_voltage, alarm},                  //
    {3, Alarm::low_voltage, alarm},                   //
    {4, Alarm::high_charge_current, alarm},           //
    {5, Alarm::high_discharge_current, alarm},        //
    {6, Alarm::high_discharge_current, alarm},        // short circuit
    {8, Alarm::high_charge_temperature, alarm},       // protect 2
    {9, Alarm::high_temperature, alarm},              //
    {10, Alarm::low_charge_temperature, alarm},       //
    {11, Alarm::low_temperature, alarm},              //
    {12, Alarm::high_internal_temperature, alarm},    // MOSFET
    {13, Alarm::high_internal_temperature, alarm},    // environment
    {14, Alarm::low_temperature, alarm},              // environment; 15: fully charged
    {16, Alarm::internal_failure, alarm},             // fault: charge FET
    {17, Alarm::internal_failure, alarm},             // discharge FET
    {18, Alarm::internal_failure, alarm},             // temperature sensor
    {20, Alarm::internal_failure, alarm},             // cell
    {21, Alarm::internal_failure, alarm},             // sampling
    {24, Alarm::high_cell_voltage, warning},          // warn 1
    {25, Alarm::low_cell_voltage, warning},           //
    {26, Alarm::high_voltage, warning},               //
    {27, Alarm::low_voltage, warning},                //
    {28, Alarm::high_charge_current, warning},        //
    {29, Alarm::high_discharge_current, warning},     //
    {32, Alarm::high_charge_temperature, warning},    // warn 2
    {33, Alarm::high_temperature, warning},           //
    {34, Alarm::low_charge_temperature, warning},     //
    {35, Alarm::low_temperature, warning},            //
    {36, Alarm::high_internal_temperature, warning},  // environment
    {37, Alarm::low_temperature, warning},            // environment
    {38, Alarm::high_internal_temperature, warning},  // MOSFET
    {39, Alarm::low_soc, warning},                    //
};

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
    const Message first = of_pack(analog);
    const bool answered = co_await try_ask(found, first, first_question(effort));
    if (!answered) {
      if (address() != 0 || effort == Effort::quick) co_return false;
      pack_ = all_packs;
      const Message second = of_pack(analog);
      co_await ask(found, second, other_form());
    }
    const Message events = of_pack(states), software = question(version), names = question(product);
    co_await ask(found, events);
    co_await try_ask(found, software, Patience::once);
    co_await try_ask(found, names, Patience::once);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    const Message events = of_pack(states), values = of_pack(analog);
    co_await ask(next, events);
    co_await ask(next, values);
  }

  [[nodiscard]] bool is_answer(const Message& asked, const Message& answer) const override {
    if (asked.address == 0) return answered_by_ ? answer.address == *answered_by_ : answer.address == 0 || !is_configured(answer.address);
    if (answer.address == asked.address) return true;
    if (answer.address == 0 && is_configured(0)) return false;
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

  [[nodiscard]] Message of_pack(std::uint8_t command) const { return question(command, Bytes(&pack_, 1)); }

  [[nodiscard]] bool is_configured(std::uint8_t other) const {
    return std::ranges::any_of(config().battery_addresses,
                               [other](const std::string& text) { return std::stoul(text, nullptr, 16) == other; });
  }

  void decode_analog(Reader& reader, Battery& into) {
    reader.take(2);  // flag, pack or number of packs
    read_cells(reader, reader.u8(), 1, 24, into);
    const unsigned sensors = reader.u8();
    require(sensors <= 16, "impossible number of temperatures");
    into.temperatures = {};
    into.mos_temperature.reset();
    boost::json::value environment;
    for (unsigned i = 0; i < sensors; ++i) {
      const auto celsius = yd1363::temperature((reader.u16() - 2730) / 10.0);
      if (i < into.temperatures.size()) {
        into.temperatures[i] = celsius;
      } else if (i == 4) {
        into.mos_temperature = celsius;
      } else if (i == 5 && celsius) {
        environment = *celsius;
      }
    }
    note()["temperatures"] = {{"environment", environment}};
    into.current = reader.i16() / 100.0;
    into.voltage = reader.u16() / 1000.0;
    into.capacity_remaining = reader.u16() / 100.0;
    reader.take(1);  // number of items that follow; what is behind the three below depends on the maker
    const double full = reader.u16() / 100.0;
    into.history[HistoryValue::charge_cycles] = reader.u16();
    note()["design_capacity"] = reader.u16() / 100.0;
    into.capacity = full > 0 ? std::optional(full) : std::nullopt;
    into.soc = full > 0 ? std::optional(std::min(100.0, std::round(*into.capacity_remaining / full * 10000) / 100)) : std::nullopt;
    yd1363::check(into);
  }

  void decode_states(Reader& reader, Battery& into) {
    reader.take(2);  // flag, pack or number of packs
    const unsigned count = reader.u8();
    require(count >= 1 && count <= 24, "impossible number of cells");
    require(!into.cell_count || *into.cell_count == count, "number of cells has changed");
    skip_codes(reader, count);
    const unsigned sensors = reader.u8();
    require(sensors <= 16, "impossible number of temperatures");
    skip_codes(reader, sensors);
    skip_codes(reader, 3);  // charge current, pack voltage, discharge current
    std::uint64_t bits = reader.u8();
    bits |= std::uint64_t{reader.u8()} << 8U;
    const unsigned instruction = reader.u8();
    reader.take(1);  // settings: buzzer, LED, current limiter
    bits |= std::uint64_t{reader.u8()} << 16U;
    const unsigned low = reader.u8(), high = reader.u8();
    bits |= std::uint64_t{reader.u8()} << 24U;
    bits |= std::uint64_t{reader.u8()} << 32U;

    into.cell_count = count;
    into.cells.resize(count);
    yd1363::set_balancing(into, low | high << 8U, 16);
    into.charge_fet = (instruction & charge_on) != 0;
    into.discharge_fet = (instruction & discharge_on) != 0;
    wire::decode_alarms(alarm_bits, bits, into.alarms);
    if (config().soc_calculation) into.alarms[Alarm::low_soc] = AlarmLevel::ok;
  }

  void decode_product(Reader& reader, Battery& into) {
    const Bytes serial = reader.take(20);
    into.identity.serial_number = wire::text_blanks(serial);
    into.identity.unique_id = identifier(serial);
    if (!into.identity.unique_id.empty() && !link().common<yd1363::Identifiers>().claim(into.identity.unique_id, address()))
      into.identity.unique_id += fmt::format("_0x{:02X}", address());
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
