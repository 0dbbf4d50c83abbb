// Small Daly boards with a Sinowealth controller: 9600 baud. Request 0A command len; answer: len bytes beginning with that register, CRC-8
// over both.
//
//   01.. cells   0B voltage   0C, 0D, 0E temperatures, 0.1 K   10, 11, 12 current and capacities, 4 bytes   13 SoC   14 cycles
//   15 switches and direction   16 protections   17 cells - 3, bit 6: two sensors
//
// More than 10 cells: they continue over 0B and further, as on the boards with 16.
#include <map>

#include "simulator/device.hpp"
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

namespace {

std::uint8_t crc8(Bytes bytes) {
  unsigned value = 0;
  for (const std::uint8_t byte : bytes) {
    value ^= byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 0x80U) != 0 ? (value << 1U ^ 0x07U) & 0xFFU : value << 1U;
  }
  return static_cast<std::uint8_t>(value);
}

class Sinowealth final : public Bms {
 public:
  explicit Sinowealth(std::uint8_t address) : Bms(address) {
    pack().cells.assign(4, 3.33);
    pack().temperatures = {21, 22.5};
    pack().capacity = 280;
    Properties& table = properties();
    table.number("alarms", alarms_);
    table.number("cell_count", announced_cells_, {-1, 10});
    table.number("missing", missing_);                // registers that are silent, bit 0 = register 0
    table.flag("contradicts", contradicts_);          // names the wrong direction of the current
    table.flag("only_long_reads", only_long_reads_);  // answers no request for 2 bytes
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input[0] != 0x0A) return Input::noise();
    if (input.size() < 3) return Input::incomplete();
    return input[2] >= 1 && input[2] <= 8 ? Input::request(3) : Input::noise();
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    const std::uint8_t command = request[1], length = request[2];
    const auto map = registers();
    if (!map.contains(command) || (missing_ >> command & 1U) != 0 || (only_long_reads_ && length == 2)) return {};
    ByteVector data;
    for (auto at = map.find(command); at != map.end() && data.size() < length; ++at) append(data, at->second);
    data.resize(length);
    ByteVector covered(request.begin(), request.end());
    append(covered, data);
    data.push_back(crc8(covered));
    return {Part{10ms, std::move(data)}};
  }

 private:
  [[nodiscard]] std::map<std::uint8_t, ByteVector> registers() const {
    std::map<std::uint8_t, ByteVector> map;
    const auto word = [&map](std::uint8_t at, unsigned value) { wire::put_u16be(map[at] = {}, value); };
    const auto quad = [&map](std::uint8_t at, std::uint32_t value) { wire::put_u32be(map[at] = {}, value); };
    const auto kelvin = [this](std::size_t i) {
      return i < pack().temperatures.size() ? raw_u16(pack().temperatures[i], 10, 2731) : std::uint16_t{0};
    };
    for (std::uint8_t at = 1; at <= 0x0A; ++at) word(at, 0);
    word(0x0B, raw_u16(pack().voltage(), 1000));
    word(0x0C, kelvin(0));
    word(0x0D, kelvin(1));
    word(0x0E, raw_u16(pack().mos_temperature, 10, 2731));
    word(0x0F, 0x0BA5);
    quad(0x10, raw_i32(pack().current, 1000));
    quad(0x11, raw_i32(pack().capacity, 1000));
    quad(0x12, raw_i32(pack().remaining(), 1000));
    word(0x13, raw_u16(pack().soc));
    word(0x14, pack().cycles);
    const bool charging = pack().current != 0 && (pack().current > 0) != contradicts_;
    const bool discharging = pack().current != 0 && !charging;
    word(0x15, (pack().charge_fet ? 1U : 0U) | (pack().discharge_fet ? 2U : 0U) | (charging ? 4U : 0U) | (discharging ? 8U : 0U));
    word(0x16, alarms_);
    const auto cells = static_cast<unsigned>(announced_cells_ < 0 ? pack().cells.size() : static_cast<std::size_t>(announced_cells_));
    word(0x17, (std::min(cells, 10U) - 3) | (pack().temperatures.size() > 1 ? 0x40U : 0U));
    for (std::size_t i = 0; i < pack().cells.size() && i < 16; ++i) word(static_cast<std::uint8_t>(1 + i), raw_u16(pack().cells[i], 1000));
    return map;
  }

  std::uint16_t alarms_ = 0;
  int announced_cells_ = -1;  // -1: the number of cells
  std::uint32_t missing_ = 0;
  bool contradicts_ = false, only_long_reads_ = false;
};

const ModelRegistration registration{{"Sinowealth", "small Daly board with a Sinowealth controller", {9600}, 0, make_model<Sinowealth>}};

}  // namespace

}  // namespace serialbattery::simulator
