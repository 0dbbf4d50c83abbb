// Renogy smart lithium batteries (docs: RongSi "Lithium Iron Battery BMS Modbus Protocol" V1.7): Modbus RTU, 9600 baud, function 03.
//
//   5000 cells, 5017 sensors   5035 board temperature, current, voltage, charge, limits   5100 states   5110 serial   5122 model ...
//
// Answers at its own address and at 0xFF. Register 5034 does not exist.
#include "simulator/modbus.hpp"
#include "simulator/register_image.hpp"

namespace serialbattery::simulator {

namespace {

class Renogy final : public modbus::Slave<Bms> {
 public:
  explicit Renogy(std::uint8_t address) : Slave(address) {
    pack().cells.assign(4, 3.3);
    pack().temperatures = {18, 18.5, 19, 17};
    Properties& table = properties();
    table.text("model", model_, 16);
    table.text("manufacturer", manufacturer_, 16);
    table.text("firmware", firmware_, 4);
    table.text("serial", serial_, 16);
    table.number("status1", status1_);
    table.number("status2", status2_);
    table.number("cell_flags", cell_flags_);
    table.number("heater_level", heater_level_, {0, 255});
    table.number("reported_sensors", reported_sensors_, {0, 16});
    table.flag("no_states", no_states_);      // 5100 to 5109 don't exist
    table.flag("small_reads", small_reads_);  // old firmware: four registers at most, names excepted
    table.number("cvl", cvl_, {0, 100});
    table.number("ccl", ccl_, {0, 600});
    table.number("dcl", dcl_, {0, 300});
  }

 protected:
  Input recognise(Bytes input) const override { return modbus::recognise(input, input[0] == 0xFF ? input[0] : address()); }

  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (function != modbus::read_holding) return std::nullopt;
    if (small_reads_ && first < 5110 && count > 4) return std::nullopt;
    return image().slice(first, count);
  }

 private:
  [[nodiscard]] RegisterImage image() const {
    RegisterImage map;
    map.exist(5000, 34);
    map.put(5000, static_cast<unsigned>(pack().cells.size()));
    map.list(5001, pack().cells, 10);
    map.put(5017, std::min<unsigned>(reported_sensors_, static_cast<unsigned>(pack().temperatures.size())));
    map.list(5018, pack().temperatures, 10);
    if (pack().temperatures.size() < 5) map.put(5022, 18352);  // garbage behind the sensors
    map.exist(5035, 18);
    map.put(5035, raw_i16(pack().mos_temperature, 10));
    map.put(5042, raw_i16(pack().current, 100));
    map.put(5043, raw_u16(pack().voltage(), 10));
    map.put_high_first(5044, raw_u32(pack().remaining(), 1000));
    map.put_high_first(5046, raw_u32(pack().capacity, 1000));
    map.put(5048, pack().cycles);
    map.put(5049, raw_u16(cvl_, 10));
    map.put(5050, 100);
    map.put(5051, raw_u16(ccl_, 100));
    map.put(5052, raw_i16(-dcl_, 100));
    if (!no_states_) put_states(map);
    map.text(5110, serial_, 8);
    map.exist(5118, 4);
    map.text(5122, model_, 8);
    map.text(5130, firmware_, 2);
    map.text(5132, manufacturer_, 8);
    return map;
  }

  void put_states(RegisterImage& map) const {
    map.exist(5100, 10);
    map.put_high_first(5100, cell_flags_);
    map.put(5103, heater_level_);
    map.put(5106, status1_ | (pack().charge_fet ? 2U : 0U) | (pack().discharge_fet ? 4U : 0U) | 8U);
    map.put(5107, status2_);
    map.put(5109, 0x00C0);
  }

  std::string model_ = "RBT100LFP12SH-G1";
  std::string manufacturer_ = "RENOGY";
  std::string firmware_ = "0119";
  std::string serial_ = "PPTAH00012345678";
  std::uint16_t status1_ = 0;  // without the FET bits, which come from the pack
  std::uint16_t status2_ = 0;
  std::uint32_t cell_flags_ = 0;  // two bits per cell
  std::uint16_t heater_level_ = 0;
  unsigned reported_sensors_ = 3;
  bool no_states_ = false;
  bool small_reads_ = false;
  double cvl_ = 14.8, ccl_ = 50, dcl_ = 100;
};

const ModelRegistration registration{{"Renogy", "Renogy smart lithium battery, Modbus RTU", {9600}, 0x30, make_model<Renogy>}};

}  // namespace

}  // namespace serialbattery::simulator
