// Felicity Solar batteries: Modbus RTU, 9600 baud, function 03.
//
//   0x1302 states, voltage, current (positive while discharging), SoC (10)   0x131C limits (4)   0x132A cells, temperatures (24)
//   0xF804 serial number (5)   0xF80B firmware (1)
#include "simulator/modbus.hpp"
#include "simulator/register_image.hpp"

namespace serialbattery::simulator {

namespace {

constexpr unsigned empty_slot = 0x7FFF;

class Felicity final : public modbus::Slave<Bms> {
 public:
  explicit Felicity(std::uint8_t address) : Slave(address) {
    pack().temperatures = {13, 14, 15, 16};
    Properties& table = properties();
    table.number("firmware", firmware_);
    table.number("faults", fault_word_);
    table.number("cvl", cvl_, {0, 600});
    table.number("ccl", ccl_, {0, 6000});
    table.number("dcl", dcl_, {0, 6000});
    table.number("gap", gap_, {0, 16});       // an empty slot in front of this cell; 0: none
    table.flag("small_reads", small_reads_);  // refuses more than 16 registers
  }

 protected:
  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (function != modbus::read_holding || (small_reads_ && count > 16)) return std::nullopt;
    RegisterImage map;
    map.exist(0x1302, 10);
    map.put(0x1302, (pack().charge_fet ? 1U : 0U) | (pack().discharge_fet ? 4U : 0U));
    map.put(0x1304, fault_word_);
    map.put(0x1306, raw_u16(pack().voltage(), 100));
    map.put(0x1307, raw_i16(-pack().current, 10));
    map.put(0x130A, raw_i16(pack().mos_temperature));
    map.put(0x130B, raw_u16(pack().soc));
    map.put(0x131C, raw_u16(cvl_, 100));
    map.put(0x131D, 4800);
    map.put(0x131E, raw_u16(ccl_, 10));
    map.put(0x131F, raw_u16(dcl_, 10));
    for (unsigned reg = 0x132A; reg < 0x1342; ++reg) map.put(reg, empty_slot);
    unsigned slot = 0;
    for (std::size_t cell = 0; cell < pack().cells.size() && slot < 16; ++cell) {
      if (gap_ == cell + 1) ++slot;
      map.put(0x132A + slot++, raw_u16(pack().cells[cell], 1000));
    }
    map.list(0x133A, pack().temperatures, 1, 0, 8);
    constexpr unsigned serial[] = {1000, 1100, 2424, 4702, 38};
    for (unsigned i = 0; i < 5; ++i) map.put(0xF804 + i, serial[i]);
    map.put(0xF80B, firmware_);
    return map.slice(first, count);
  }

 private:
  std::uint16_t firmware_ = 418;
  std::uint16_t fault_word_ = 0;
  double cvl_ = 57.6, ccl_ = 150, dcl_ = 150;
  unsigned gap_ = 0;
  bool small_reads_ = false;
};

const ModelRegistration registration{{"Felicity", "Felicity Solar battery, Modbus RTU", {9600}, 1, make_model<Felicity>}};

}  // namespace

}  // namespace serialbattery::simulator
