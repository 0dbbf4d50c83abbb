// "Example", a BMS that does not exist: the worked example of docs/adding-a-bms.md, built and tested with everything else.
//
//   request  55  command  sum          sum: low byte of the sum of all bytes before it
//   answer   55  command  len  data  sum
//
// Line: 9600 baud 8N1, one battery per port. Big endian. Command 01: readings, 8 bytes and 2 per cell.
#include "serialbattery/registry.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::example {

using enum wire::Type;

// 1. The frame: how a request is made, and what is an answer to it.
constexpr std::uint8_t start_mark = 0x55;
constexpr std::uint8_t readings = 0x01;

ByteVector request(std::uint8_t command) {
  ByteVector frame{start_mark, command};
  frame.push_back(static_cast<std::uint8_t>(wire::sum(frame)));
  return frame;
}

Scan scan_answer(Bytes seen, std::uint8_t command) {
  bool damaged = false;
  for (std::size_t at = 0; at + 1 < seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    if (rest[0] != start_mark || rest[1] != command) continue;
    if (rest.size() < 3) return Scan::started();
    const std::size_t size = rest[2] + 4U;
    if (rest.size() < size) return Scan::started();
    if (rest[size - 1] == static_cast<std::uint8_t>(wire::sum(rest.first(size - 1)))) return Scan::found(at, at + size);
    damaged = true;  // look for another start further on
  }
  return Scan::searching(damaged ? Fault::checksum : Fault::timeout);
}

// 2. The tables: where each value lies, and what the alarm bits mean.
constexpr wire::Field fields[] = {
    {0, u16be, 100, &Battery::voltage},  // 10 mV
    {2, i16be, 10, &Battery::current},   // 0.1 A, positive while charging
    {4, u8, 1, &Battery::soc},           // %
};
constexpr std::size_t alarm_offset = 5;
constexpr wire::AlarmBits alarm_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, wire::bits(4), wire::bits(0)},
    {Alarm::low_cell_voltage, wire::bits(5), wire::bits(1)},
};
constexpr std::size_t capacity_offset = 6;  // Ah
constexpr std::size_t first_cell = 8;       // mV each

void decode_readings(Bytes data, Battery& battery) {
  wire::decode(fields, data, battery);
  wire::decode_alarms(alarm_table, wire::u8(data, alarm_offset), battery.alarms);
  battery.capacity = wire::u16be(data, capacity_offset);
  const std::size_t cells = (data.size() - first_cell) / 2;
  require(cells >= 1 && cells <= 32, "Example: number of cells outside 1..32");
  battery.cell_count = static_cast<unsigned>(cells);
  battery.cells.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) battery.cells[i].voltage = wire::u16be(data, first_cell + 2 * i) / 1000.0;
  battery.identity.hardware_version = "Example";
}

// 3. The conversation: what is asked when.
class Example final : public Driver {
 public:
  using Driver::Driver;

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    timing_.attempts = effort == Effort::quick ? 1 : 2;
    co_await replay_exchange(request(readings), found);
    co_return found.voltage > 0.0;
  }

  asio::awaitable<void> poll(Battery& next) override { co_await replay_exchange(request(readings), next); }

  asio::awaitable<void> replay_exchange(Bytes bytes, Battery& into) override {
    const auto framing = [](Bytes seen) { return scan_answer(seen, readings); };
    const Bytes frame = co_await link().transact(bytes, framing, timing_);
    decode_readings(frame.subspan(3, frame[2]), into);
  }

 private:
  Timing timing_{.first_byte = 300ms, .expected = 76};
};

// 4. The entry: with this the program knows the type; nothing else has to be changed.
constexpr Probe probes[] = {{.line = {9600}}};
const Registration registration{
    {.type = "Example", .text = "Example BMS", .probes = probes, .on_by_default = false, .rank = 9999, .make = make_driver<Example>}};

}  // namespace serialbattery::example
