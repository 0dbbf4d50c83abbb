// EG4-LL / Zetara boards (docs: "EG4-LL MODBUS" V01.06): Modbus RTU, 9600 baud, function 03, three fixed blocks.
//
//   0 live data (39)   45 configuration (91)   105 hardware (23)
#include "simulator/modbus.hpp"
#include "simulator/register_image.hpp"

namespace serialbattery::simulator {

namespace {

class Eg4Ll final : public modbus::Slave<Bms> {
 public:
  explicit Eg4Ll(std::uint8_t address) : Slave(address) {
    pack().cells.assign(4, 3.3);
    pack().capacity = 400;
    Properties& table = properties();
    table.text("model", model_, 24);
    table.text("firmware", firmware_, 6);
    table.text("serial", serial_, 16);
    table.number("ccl", ccl_);
    table.number("status", status_);
    table.number("warnings", warnings_);
    table.number("protections", protections_);
    table.number("errors", errors_);
    table.flag("no_configuration", no_configuration_);
    table.flag("exchanged_cycles", exchanged_cycles_);
  }

 protected:
  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (function != modbus::read_holding) return std::nullopt;
    if (first == 0 && count == 39) return live().slice(first, count);
    if (first == 45 && count == 91 && !no_configuration_) return configuration().slice(first, count);
    if (first == 105 && (count == 23 || count == 46)) return configuration().slice(first, 23);
    return std::nullopt;
  }

 private:
  [[nodiscard]] RegisterImage live() const {
    RegisterImage map;
    map.exist(0, 39);
    map.put(0, raw_u16(pack().voltage(), 100));
    map.put(1, raw_i16(pack().current, 100));
    map.list(2, pack().cells, 1000);
    for (unsigned reg = 18; reg <= 20; ++reg) map.put(reg, raw_i16(pack().mos_temperature));
    map.put(21, raw_u16(pack().remaining()));
    map.put(22, ccl_);
    map.put(23, raw_u16(pack().soh));
    map.put(24, raw_u16(pack().soc));
    map.put(25, status_ | (pack().current > 0 ? 1U : pack().current < 0 ? 2U : 0U));
    map.put(26, warnings_);
    map.put(27, protections_);
    map.put(28, errors_);
    if (exchanged_cycles_) {
      map.put_low_first(29, pack().cycles);
    } else {
      map.put_high_first(29, pack().cycles);
    }
    map.put_high_first(31, raw_u32(pack().capacity, 3.6e6));
    for (unsigned i = 0; i < 6; i += 2) map.put(33 + i / 2, (sensor(i) << 8U) | sensor(i + 1));
    map.put(36, static_cast<unsigned>(pack().cells.size()));
    map.put(37, 1000);
    map.put(38, static_cast<unsigned>(pack().balancing));
    return map;
  }

  [[nodiscard]] unsigned sensor(std::size_t index) const {
    return index < pack().temperatures.size() ? static_cast<std::uint8_t>(raw<std::int8_t>(pack().temperatures[index])) : 0U;
  }

  [[nodiscard]] RegisterImage configuration() const {
    RegisterImage map;
    map.exist(45, 91);
    map.put(56, 3400);
    map.put(57, 40);
    map.put(58, 5);
    constexpr unsigned values[] = {2500, 2000, 3100, 1050, 960, 1200, 3600, 3900, 3450, 1480, 1520, 1440};
    for (unsigned i = 0; i < std::size(values); ++i) map.put(61 + i, values[i]);
    constexpr int celsius[] = {2, 0, 5, 70, 75, 65, -15, -20, -10, 70, 75, 65, 95, 100, 80};
    for (unsigned i = 0; i < std::size(celsius); ++i) map.put(90 + i, static_cast<unsigned>(celsius[i] + 50));
    map.text(105, model_, 12);
    map.text(117, firmware_, 3);
    map.text(120, serial_, 8);
    return map;
  }

  std::string model_ = "LFP-4S400AH-P00-ZTR-V1.0";
  std::string firmware_ = "Z4SR02";
  std::string serial_ = "4S12400190500001";
  std::uint16_t ccl_ = 100;
  std::uint16_t status_ = 0;
  std::uint16_t warnings_ = 0;
  std::uint16_t protections_ = 0;
  std::uint16_t errors_ = 0;
  bool no_configuration_ = false;
  bool exchanged_cycles_ = false;
};

const ModelRegistration registration{{"EG4_LL", "EG4-LL / Zetara board, Modbus RTU", {9600}, 1, make_model<Eg4Ll>}};

}  // namespace

}  // namespace serialbattery::simulator
