// EG4 LifePower4, Revov, Narada NPFC, Basengreen and other packs with Tian Power boards; 4 to 32 cells, usually 15 or 16.
// RS485 (on EG4 and Basen the second socket, not that of the inverter) or RS232, 9600 baud; address by DIP switch, 0..15.
//
//   SOI  address command LEN  data[LEN]  CHK  0D        SOI 7E, in older Revov firmware 7C; CHK = XOR of all bytes ^ sum of all bytes
//   01  everything that changes, in groups: id, count, elements of 2 bytes (ids above 0A: 4)   each cycle
//   33  firmware    42  bar code, of which little can be read                                   once, optional
//
// Quirks: 0D is common inside the data. Groups come in any order and may be missing. The pack also speaks an ASCII protocol.
// Sources: reverse engineering by several projects, captures of EG4, Basengreen and Narada packs; status bits as in the maker's tool.
#include <algorithm>
#include <cctype>
#include <numeric>

#include "bms/yd1363.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::eg4_lifepower {

namespace {

using yd1363::Reader;
using yd1363::require;

enum Command : std::uint8_t { information = 0x01, firmware = 0x33, barcode = 0x42 };
enum Group : std::uint8_t {
  cells = 0x01,
  current = 0x02,
  soc = 0x03,
  capacity = 0x04,
  temperatures = 0x05,
  status = 0x06,
  cycles = 0x07,
  voltage = 0x08,
  soh = 0x09,
  last_of_words = 0x0A
};

constexpr std::uint8_t usual_start = 0x7E, older_start = 0x7C, end_byte = 0x0D;
constexpr std::size_t envelope = 6;

constexpr Timing normal{.first_byte = 500ms, .between_bytes = 60ms, .expected = 261, .gap = 100ms, .attempts = 3, .retry_gap = 100ms};

constexpr auto warning = AlarmLevel::warning, alarm = AlarmLevel::alarm;

struct StatusBit {
  std::uint8_t byte, mask;
  Alarm alarm;
  AlarmLevel level;
};

// Byte 3, mask 08 (over-current) depends on the direction and stands in decode_status().
constexpr StatusBit status_bits[] = {
    {0, 0x08, Alarm::low_cell_voltage, alarm},
    {0, 0xF0, Alarm::internal_failure, alarm},  // wire, charge MOSFET, discharge MOSFET, voltage sensor
    {1, 0x8F, Alarm::internal_failure, alarm},  // NTC, ADC, reversed, thermal failure, secondary protection
    {1, 0x70, Alarm::internal_failure, warning},
    {2, 0x01, Alarm::high_temperature, alarm},
    {2, 0x02, Alarm::low_temperature, alarm},
    {2, 0x40, Alarm::internal_failure, warning},
    {3, 0x04, Alarm::high_discharge_current, alarm},  // short circuit
    {3, 0x10, Alarm::high_voltage, alarm},
    {3, 0x20, Alarm::low_voltage, alarm},
    {3, 0x40, Alarm::high_charge_temperature, alarm},
    {3, 0x80, Alarm::low_charge_temperature, alarm},
    {4, 0x01, Alarm::low_temperature, alarm},
    {4, 0x02, Alarm::high_internal_temperature, alarm},
    {4, 0x10, Alarm::low_soc, alarm},
    {5, 0x20, Alarm::high_internal_temperature, alarm},
    {5, 0x40, Alarm::low_temperature, alarm},
    {5, 0x80, Alarm::low_charge_temperature, warning},
    {7, 0x01, Alarm::low_soc, warning},
    {7, 0x28, Alarm::internal_failure, alarm},  // aerosol, NTC short
    {7, 0x80, Alarm::internal_failure, warning},
    {8, 0x05, Alarm::high_internal_temperature, warning},
    {8, 0x42, Alarm::low_temperature, warning},
    {8, 0x08, Alarm::low_soc, warning},
    {8, 0x10, Alarm::cell_imbalance, warning},
    {8, 0x20, Alarm::high_temperature, warning},
    {9, 0x01, Alarm::high_cell_voltage, warning},
    {9, 0x02, Alarm::low_cell_voltage, warning},
    {9, 0x04, Alarm::high_voltage, warning},
    {9, 0x08, Alarm::low_voltage, warning},
    {9, 0x10, Alarm::high_charge_current, warning},
    {9, 0x20, Alarm::high_discharge_current, warning},
    {9, 0x40, Alarm::high_charge_temperature, warning},
    {9, 0x80, Alarm::low_charge_temperature, warning},
};

std::uint8_t checksum(Bytes bytes) {
  const auto mixed = std::accumulate(bytes.begin(), bytes.end(), 0U, std::bit_xor<unsigned>{});
  return static_cast<std::uint8_t>(mixed ^ wire::sum(bytes));
}

ByteVector encode(std::uint8_t start, std::uint8_t address, std::uint8_t command) {
  ByteVector frame{start, address, command, 0};
  frame.push_back(checksum(frame));
  frame.push_back(end_byte);
  return frame;
}

// The answer to `request`: the first good frame with its start byte, address and command that isn't its echo.
Scan scan(Bytes request, Bytes received) {
  std::optional<Fault> damage;
  bool begun = false;
  for (std::size_t at = 0; at < received.size(); ++at) {
    const Bytes rest = received.subspan(at);
    const std::size_t known = std::min<std::size_t>(rest.size(), 3);
    if (!std::equal(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(known), request.begin())) continue;
    if (rest.size() >= request.size() && std::equal(request.begin(), request.end(), rest.begin())) {
      at += request.size() - 1;
      continue;
    }
    if (rest.size() < 4 || rest.size() < rest[3] + envelope) {
      begun = begun || rest.size() >= 3;
      continue;
    }
    const std::size_t size = rest[3] + envelope;
    if (rest[size - 1] != end_byte) {
      damage = damage.value_or(Fault::length);
    } else if (rest[size - 2] != checksum(rest.first(size - 2))) {
      damage = damage.value_or(Fault::checksum);
    } else {
      return Scan::found(at, at + size);
    }
  }
  const Fault fault = damage.value_or(Fault::timeout);
  return begun ? Scan::started(fault, "answer is incomplete") : Scan::searching(fault, damage ? "damaged answer" : "");
}

}  // namespace

class Eg4Lifepower final : public Driver {
 public:
  explicit Eg4Lifepower(const DriverContext& context) : Driver(context), address_(context.address) {}
  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02x}", address_); }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    letters_.clear();
    start_ = usual_start;
    Timing timing = normal;
    timing.attempts = effort == Effort::thorough && (context().type_configured || context().address_configured) ? 2 : 1;
    if (effort == Effort::quick) timing.first_byte = 250ms;
    bool answered = co_await try_ask(found, information, timing);
    if (!answered && effort == Effort::thorough) {
      start_ = older_start;
      answered = co_await try_ask(found, information, timing);
    }
    if (!answered) co_return false;
    co_await try_ask(found, barcode, normal);
    Timing once = normal;
    once.attempts = 1;
    co_await try_ask(found, firmware, once);
    set_identifier(found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    const ByteVector request = encode(start_, address_, information);
    co_await exchange(next, request, normal);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    const bool ours = request.size() >= envelope && (request[0] == usual_start || request[0] == older_start) &&
                      request.size() == request[3] + envelope && request[request.size() - 2] == checksum(request.first(request.size() - 2));
    if (!ours) throw FrameError(Fault::implausible, "no request of this protocol");
    Timing once = normal;
    once.attempts = 1;
    co_await exchange(into, request, once);
  }

 private:
  asio::awaitable<bool> try_ask(Battery& into, std::uint8_t command, Timing timing) {
    const ByteVector request = encode(start_, address_, command);
    try {
      co_await exchange(into, request, timing);
      co_return true;
    } catch (const BmsError& error) {
      if (yd1363::is_gone(error)) throw;
    }
    co_return false;
  }

  asio::awaitable<void> exchange(Battery& into, Bytes request, Timing timing) {
    const Framing framing = [request](Bytes received) { return scan(request, received); };
    const Bytes frame = co_await link().transact(request, framing, timing);
    Battery next = into;
    decode(frame, next);
    into = std::move(next);
  }

  void decode(Bytes frame, Battery& into) {
    const Bytes data = frame.subspan(4, frame[3]);
    switch (frame[2]) {
      case information: return decode_information(data, into);
      case firmware: into.identity.firmware_version = wire::text(data); break;
      case barcode: decode_barcode(frame, data, into); break;
      default: throw FrameError(Fault::implausible, "no question of this driver");
    }
  }

  void decode_information(Bytes data, Battery& into) {
    std::array<std::optional<Reader>, last_of_words + 1> groups;
    std::array<std::size_t, last_of_words + 1> counts{};
    for (Reader reader(data); reader.left() > 0;) {
      const std::uint8_t id = reader.u8(), count = reader.u8();
      const Bytes content = reader.take(count * (id <= last_of_words ? 2U : 4U));
      if (id == 0 || id > last_of_words) continue;
      groups[id] = Reader(content);
      counts[id] = count;
    }
    const auto word = [&](Group id) { return groups[id] && counts[id] > 0 ? std::optional<double>(groups[id]->u16()) : std::nullopt; };
    const auto amperes = word(current), percent = word(soc), volts = word(voltage);
    require(groups[cells] && amperes && percent && volts, "a group is missing");

    read_cells(*groups[cells], static_cast<unsigned>(counts[cells]), into);
    into.current = (30000 - *amperes) / 100;
    into.soc = *percent / 100;
    into.voltage = *volts / 100;
    const auto full = word(capacity), health = word(soh);
    into.capacity = full > 0.0 ? std::optional(*full / 100) : std::nullopt;
    into.soh = health && *health <= 10000 ? std::optional(*health / 100) : std::nullopt;
    into.history[HistoryValue::charge_cycles] = word(cycles);
    yd1363::check(into);
    read_temperatures(groups[temperatures], counts[temperatures], into);
    decode_status(groups[status] && counts[status] >= 5 ? groups[status]->take(10) : Bytes{}, into);
  }

  static void read_cells(Reader reader, unsigned count, Battery& into) {
    require(count >= 4 && count <= 32, "impossible number of cells");
    require(!into.cell_count || *into.cell_count == count, "number of cells has changed");
    constexpr unsigned balancing = 1U << 15U, millivolts = 0x3FFF;  // bit 14 is another flag
    into.cell_count = count;
    into.cells.resize(count);
    into.balancing = false;
    for (Cell& cell : into.cells) {
      const unsigned raw = reader.u16();
      cell.voltage = (raw & millivolts) / 1000.0;
      cell.balancing = (raw & balancing) != 0;
      if (*cell.balancing) into.balancing = true;
    }
  }

  // The high byte says which sensor it is, wherever it stands.
  void read_temperatures(std::optional<Reader> reader, std::size_t count, Battery& into) {
    into.temperatures = {};
    into.mos_temperature.reset();
    boost::json::value environment;
    std::size_t next = 0;
    for (std::size_t i = 0; reader && i < count; ++i) {
      const std::uint8_t tag = reader->u8();
      const auto celsius = yd1363::temperature(reader->u8() - 50.0);
      switch (tag) {
        case 0x00:
          if (next < into.temperatures.size()) into.temperatures[next++] = celsius;
          break;
        case 0x20:
          if (celsius) environment = *celsius;
          break;
        case 0x40:
        case 0x80: into.mos_temperature = celsius; break;
        default: break;
      }
    }
    note()["temperatures"] = {{"environment", environment}};
  }

  void decode_status(Bytes bytes, Battery& into) {
    into.alarms = {};
    into.heater.allowed.reset();
    into.heater.active.reset();
    if (bytes.empty()) return;
    for (const StatusBit& bit : status_bits)
      wire::raise(into.alarms, bit.alarm, (bytes[bit.byte] & bit.mask) != 0 ? bit.level : AlarmLevel::ok);
    if ((bytes[3] & 0x08U) != 0) {
      const bool charging = (bytes[3] & 0x01U) != 0, discharging = (bytes[3] & 0x02U) != 0;
      if (charging || !discharging) wire::raise(into.alarms, Alarm::high_charge_current, alarm);
      if (discharging || !charging) wire::raise(into.alarms, Alarm::high_discharge_current, alarm);
    }
    if (config().soc_calculation) into.alarms[Alarm::low_soc] = AlarmLevel::ok;
    into.heater.allowed = into.heater.active = (bytes[5] & 0x10U) != 0;
  }

  void decode_barcode(Bytes frame, Bytes data, Battery& into) {
    std::string text;
    for (const std::uint8_t byte : data) {
      if (byte < 0x80 && (std::isalnum(byte) != 0 || byte == '-' || byte == '.' || byte == '_' || byte == ' '))
        text.push_back(static_cast<char>(byte));
    }
    into.identity.hardware_version = wire::text_blanks(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    letters_.clear();
    for (const std::uint8_t byte : frame) {
      if (byte < 0x80 && std::isalnum(byte) != 0) letters_.push_back(static_cast<char>(byte));
    }
  }

  // As earlier drivers formed it, from all letters and digits of the frame 42: settings stored under it stay.
  void set_identifier(Battery& found) {
    if (!found.capacity) return;
    const std::string own = fmt::format("{}Ah", yd1363::shortest(*found.capacity));
    found.identity.unique_id = letters_.empty() ? own : letters_ + "_" + own;
    if (!link().common<yd1363::Identifiers>().claim(found.identity.unique_id, address_))
      found.identity.unique_id += fmt::format("_0x{:02X}", address_);
  }

  const std::uint8_t address_;
  std::uint8_t start_ = usual_start;
  std::string letters_;  // of the bar code's frame
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "EG4_Lifepower",
                                 .text = "EG4 Lifepower",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 80,
                                 .poll_interval = 2s,
                                 .connection_address = true,
                                 .make = make_driver<Eg4Lifepower>}};

}  // namespace

}  // namespace serialbattery::eg4_lifepower
