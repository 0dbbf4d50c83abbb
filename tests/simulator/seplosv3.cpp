// Seplos BMS 3.0 (docs: "XZH BMS Modbus RTU Protocol" V0.1): Modbus RTU, 19200 baud, functions 04 and 01.
//
//   0x1000 pack (18)   0x1100 cells (26)   0x1300 parameters (106)   0x1700 names (51)   coils 0x1200 states (144)
//
// Alone it answers at its address. With "stack" set it is the master of that many packs: about every 210 ms it polls its slaves and
// tells its own values under address 1; the other packs are copies of this one with a lower state of charge.
#include "simulator/modbus.hpp"
#include "simulator/register_image.hpp"

namespace serialbattery::simulator {

namespace {

constexpr std::uint8_t input = modbus::read_input;

class SeplosV3 final : public modbus::Slave<Bms> {
 public:
  explicit SeplosV3(std::uint8_t address) : Slave(address) {
    pack().temperatures = {22, 23, 24, 25};
    Properties& table = properties();
    table.text("factory", factory_, 20);
    table.text("device_name", device_name_, 20);
    table.text("serial", serial_, 30);
    table.text("firmware", firmware_, 2);
    table.number("ccl", ccl_, {0, 65535});
    table.number("dcl", dcl_, {0, 65535});
    table.number("asked_ccl", asked_ccl_, {0, 30000});
    table.number("asked_dcl", asked_dcl_, {0, 30000});  // stored as a negative number
    table.automatic("charge_voltage", charge_voltage_, {0, 600});
    table.number("discharged", discharged_, {0, 65535});
    table.bytes("events", events_);  // bytes 9 to 17 of the states; byte 15 (FETs) is made from the pack
    table.flag("heater", heater_);
    table.flag("short_pack", short_pack_);              // 17 pack registers only
    table.flag("split_parameters", split_parameters_);  // refuses the parameters in one piece
    table.number("stack", stack_, {0, 16});
  }

  [[nodiscard]] Duration talk_interval() const override {
    const Duration burst = byte_time({19200}) * static_cast<int>(145 * stack_);
    return stack_ > 1 ? std::max<Duration>(210ms, burst + 60ms) : Duration::zero();
  }

 protected:
  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (function != input || (split_parameters_ && first >= 0x1300 && first < 0x1400 && count > 0x35)) return std::nullopt;
    return image(pack()).slice(first, count);
  }

  std::optional<std::vector<bool>> coils(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    const ByteVector bytes = states(pack());
    if (function != modbus::read_coils || first < 0x1200 || first + count > 0x1290U) return std::nullopt;
    std::vector<bool> result;
    for (unsigned coil = first - 0x1200U; coil < first - 0x1200U + count; ++coil)
      result.push_back(((bytes[coil / 8] >> (coil % 8)) & 1U) != 0);
    return result;
  }

  Answer announce(TimePoint /*now*/) override {
    ByteVector burst;
    for (unsigned at = 2; at <= stack_; ++at) append(burst, exchange(static_cast<std::uint8_t>(at), true));
    append(burst, exchange(1, false));
    return {Part{Duration::zero(), std::move(burst)}};
  }

 private:
  [[nodiscard]] RegisterImage image(const Pack& pack) const {
    RegisterImage map;
    map.exist(0x1000, short_pack_ ? 17 : 18);
    map.put(0x1000, raw_u16(pack.voltage(), 100));
    map.put(0x1001, raw_i16(pack.current, 100));
    map.put(0x1002, raw_u16(pack.remaining(), 100));
    map.put(0x1003, raw_u16(pack.capacity, 100));
    map.put(0x1004, discharged_);
    map.put(0x1005, raw_u16(pack.soc, 10));
    map.put(0x1006, raw_u16(pack.soh, 10));
    map.put(0x1007, pack.cycles);
    map.put(0x100F, dcl_);
    map.put(0x1010, ccl_);
    if (!short_pack_) map.put(0x1011, 1000);
    map.exist(0x1100, 26);
    map.list(0x1100, pack.cells, 1000);
    for (unsigned reg = 0x1110; reg < 0x1118; ++reg) map.put(reg, 2731);
    map.list(0x1110, pack.temperatures, 10, 2731, 4);
    map.put(0x1118, raw_u16(26.2, 10, 2731));
    map.put(0x1119, raw_u16(pack.mos_temperature, 10, 2731));
    put_parameters(map, pack);
    map.text(0x1700, factory_, 10);
    map.text(0x170A, device_name_, 10);
    map.text(0x1714, firmware_, 1);
    map.text(0x1715, serial_, 15);
    map.exist(0x1724, 15);
    return map;
  }

  void put_parameters(RegisterImage& map, const Pack& pack) const {
    const double cells = static_cast<double>(pack.cells.size());
    map.exist(0x1300, 0x6A);
    map.put(0x1300, static_cast<unsigned>(std::min<std::size_t>(pack.temperatures.size(), 4)));
    map.put(0x1301, static_cast<unsigned>(pack.cells.size()));
    map.put(0x1303, raw_u16(3.5 * cells, 100));
    map.put(0x1305, raw_u16(3.6 * cells, 100));
    map.put(0x1307, raw_u16(2.9 * cells, 100));
    map.put(0x1309, raw_u16(2.7 * cells, 100));
    map.put(0x130B, 3500);
    map.put(0x130D, 3650);
    map.put(0x130F, 2900);
    map.put(0x1311, 2700);
    map.put(0x1358, raw_u16(pack.capacity, 100));
    map.put(0x1359, raw_u16(pack.capacity, 100));
    map.put(0x1365, raw_u16(charge_voltage_.value_or(3.55 * cells), 100));
    map.put(0x1366, asked_ccl_);
    map.put(0x1367, raw_i16(-static_cast<double>(asked_dcl_)));
  }

  [[nodiscard]] ByteVector states(const Pack& pack) const {
    ByteVector bytes(18);
    bytes[6] = static_cast<std::uint8_t>(pack.balancing);
    bytes[7] = static_cast<std::uint8_t>(pack.balancing >> 8U);
    bytes[8] = pack.current < 0 ? 1 : pack.current > 0 ? 2 : 16;
    for (std::size_t i = 0; i < std::min<std::size_t>(events_.size(), 9); ++i) bytes[9 + i] = events_[i];
    bytes[15] = static_cast<std::uint8_t>((pack.discharge_fet ? 1U : 0U) | (pack.charge_fet ? 2U : 0U) | (heater_ ? 8U : 0U));
    return bytes;
  }

  /// What the wire carries about one pack: three answers, and before each the master's question if it is a slave.
  [[nodiscard]] ByteVector exchange(std::uint8_t at, bool asked) const {
    Pack one = pack();
    one.soc = std::max(0.0, one.soc - (at - 1));
    const RegisterImage map = image(one);
    ByteVector result;
    const auto add = [&](std::uint8_t function, unsigned first, unsigned count, const ByteVector& data) {
      if (asked) {
        ByteVector question = {at, function};
        wire::put_u16be(question, first);
        wire::put_u16be(question, count);
        append(result, modbus::with_crc(std::move(question)));
      }
      ByteVector reply = {at, function, static_cast<std::uint8_t>(data.size())};
      append(reply, data);
      append(result, modbus::with_crc(std::move(reply)));
    };
    const auto words = [&map](unsigned first, unsigned count) {
      ByteVector data;
      const auto values = map.slice(first, count).value();
      for (const std::uint16_t value : values) wire::put_u16be(data, value);
      return data;
    };
    add(input, 0x1000, 18, words(0x1000, 18));
    add(input, 0x1100, 26, words(0x1100, 26));
    add(modbus::read_coils, 0x1200, 0x90, states(one));
    return result;
  }

  std::string factory_ = "XZH-ElecTech Co.,Ltd";
  std::string device_name_ = "BMS16S200A-SP05B";
  std::string serial_ = "SP05B2311260061";
  std::string firmware_ = "13";
  unsigned ccl_ = 140, dcl_ = 140, asked_ccl_ = 180, asked_dcl_ = 180;  // A
  std::optional<double> charge_voltage_;                                // V; 3.55 V per cell unless set
  unsigned discharged_ = 48;                                            // 10 Ah
  ByteVector events_;
  bool heater_ = false;
  bool short_pack_ = false;
  bool split_parameters_ = false;
  unsigned stack_ = 0;
};

const ModelRegistration registration{{"Seplosv3", "Seplos BMS 3.0, Modbus RTU", {19200}, 0, make_model<SeplosV3>}};

}  // namespace

}  // namespace serialbattery::simulator
