// ECS greenMeter with LiPro modules, one on each cell: several devices on one line, one battery. Modbus RTU, 19200 baud, even parity.
//
//   meter   0 type   30, 31 limits   46:2 capacity   102, 103 temperatures   108:2 voltage   114:2 current   128:2 SoC   130, 131 states
//   module  0 type   100 voltage     101 temperature   102 balancing power
//
// Two registers of a number: low word first. The meter is at the model's address, the module of cell k at that + k.
#include "simulator/modbus.hpp"
#include "simulator/register_image.hpp"

namespace serialbattery::simulator {

namespace {

class Ecs final : public modbus::Slave<Bms> {
 public:
  explicit Ecs(std::uint8_t address) : Slave(address) {
    pack().cells.assign(3, 3.3);
    pack().temperatures = {21.5, 20.25};
    pack().capacity = 280;
    Properties& table = properties();
    table.number("type", type_);
    table.number("module_type", module_type_);
    table.number("missing", missing_);  // modules that are silent, bit 0 = cell 1
    table.number("charge_state", charge_state_);
    table.number("discharge_state", discharge_state_);
    table.flag("stuck_high_word", stuck_high_word_);  // as the real meter below 65.536 %
    table.number("ccl", ccl_, {-3000, 3000});
    table.number("dcl", dcl_, {-3000, 3000});
  }

 protected:
  Input recognise(Bytes input) const override {
    const unsigned module = static_cast<unsigned>(input[0] - address());
    const bool ours = module == 0 || (module <= pack().cells.size() && ((missing_ >> (module - 1)) & 1U) == 0);
    asked_ = module;
    return modbus::recognise(input, ours ? input[0] : address());
  }

  Answer answer(Bytes request, TimePoint now) override {
    asked_ = static_cast<unsigned>(request[0] - address());
    Answer reply = Slave::answer(request, now);
    if (asked_ == 0 || reply.empty()) return reply;
    ByteVector& frame = reply.front().bytes;  // from the module, not from the meter
    frame.resize(frame.size() - 2);
    frame[0] = static_cast<std::uint8_t>(frame[0] + asked_);
    frame = modbus::with_crc(std::move(frame));
    return reply;
  }

  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (function != modbus::read_holding || count > 2) return std::nullopt;
    return (asked_ == 0 ? meter() : module(asked_ - 1)).slice(first, count);
  }

 private:
  [[nodiscard]] RegisterImage meter() const {
    RegisterImage map;
    map.put(0, type_);
    map.put_low_first(2, 1234567);
    map.put(30, raw_i16(dcl_));
    map.put(31, raw_i16(ccl_));
    map.put_low_first(46, raw_u32(pack().capacity, 1000));
    map.exist(102, 2);
    map.list(102, pack().temperatures, 100, 0, 2);
    map.put_low_first(108, raw_i32(pack().voltage(), 1000));
    map.put_low_first(114, raw_i32(pack().current, 1000));
    const std::uint32_t soc = raw_u32(pack().soc, 1000);
    map.put_low_first(128, stuck_high_word_ && soc < 0x10000 ? soc | 0xFFFF0000U : soc);
    map.put(130, charge_state_);
    map.put(131, discharge_state_);
    return map;
  }

  [[nodiscard]] RegisterImage module(std::size_t cell) const {
    RegisterImage map;
    map.put(0, module_type_);
    map.put(100, raw_u16(pack().cells[cell], 1000));
    map.put(101, 2110);
    map.put(102, ((pack().balancing >> cell) & 1U) != 0 ? 51 : 50);
    return map;
  }

  std::uint16_t type_ = 501;
  std::uint16_t module_type_ = 102;
  std::uint32_t missing_ = 0;
  std::uint16_t charge_state_ = 0;
  std::uint16_t discharge_state_ = 0;
  bool stuck_high_word_ = false;
  double ccl_ = 100, dcl_ = -120;
  mutable unsigned asked_ = 0;  // 0 meter, k module of cell k
};

const ModelRegistration registration{{"Ecs", "ECS greenMeter and LiPro modules, Modbus RTU", {19200, ParityBit::even}, 1, make_model<Ecs>}};

}  // namespace

}  // namespace serialbattery::simulator
