// Tian Power boards in EG4 LifePower4, Revov, Narada (reverse engineered): 7E address command length data checksum 0D.
//
//   01 groups of values   33 firmware   42 bar code
#include "simulator/device.hpp"
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

namespace {

std::uint8_t check(Bytes bytes) {
  unsigned mixed = 0;
  for (const std::uint8_t byte : bytes) mixed ^= byte;
  return static_cast<std::uint8_t>(mixed ^ wire::sum(bytes));
}

class Eg4Lifepower final : public Bms {
 public:
  explicit Eg4Lifepower(std::uint8_t address) : Bms(address) {
    pack().temperatures = {22, 23, 24, 25};
    Properties& table = properties();
    table.bytes("status", status_);     // s0 to s9
    table.flag("older", older_);        // start byte 7C
    table.flag("short_form", short_);   // only the groups that always come
    table.flag("counters", counters_);  // six groups of four-byte elements
    table.text("software", software_, 40);
    table.bytes("barcode", barcode_);
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input[0] != start()) return Input::noise();
    if (input.size() < 4) return Input::incomplete();
    const std::size_t size = input[3] + 6U;
    if (input[3] > 16) return Input::noise();
    if (input.size() < size) return Input::incomplete();
    if (input[size - 1] != 0x0D || input[size - 2] != check(input.first(size - 2))) return Input::noise();
    return input[1] == address() ? Input::request(size) : Input::foreign(size);
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    ByteVector data;
    switch (request[2]) {
      case 0x01: data = groups(); break;
      case 0x33: put_text(data, software_, software_.size()); break;
      case 0x42: data = barcode_; break;
      default: return {};
    }
    ByteVector frame = {start(), reply_address(), request[2], static_cast<std::uint8_t>(data.size())};
    append(frame, data);
    frame.push_back(check(frame));
    frame.push_back(0x0D);
    return {Part{100ms, std::move(frame)}};
  }

  void spoil_checksum(ByteVector& frame) const override { frame[frame.size() - 2] ^= 0x01U; }

 private:
  [[nodiscard]] std::uint8_t start() const { return older_ ? 0x7C : 0x7E; }

  [[nodiscard]] ByteVector groups() const {
    const Pack& p = pack();
    ByteVector data = {0x01, static_cast<std::uint8_t>(p.cells.size())};
    for (std::size_t i = 0; i < p.cells.size(); ++i)
      wire::put_u16be(data, (raw_u16(p.cells[i], 1000) & 0x3FFFU) | ((p.balancing >> i & 1U) != 0 ? 0x8000U : 0U));
    const auto word = [&data](std::uint8_t id, unsigned value) {
      data.push_back(id);
      data.push_back(1);
      wire::put_u16be(data, value);
    };
    word(0x02, raw_u16(-p.current, 100, 30000));
    word(0x03, raw_u16(p.soc, 100));
    word(0x08, raw_u16(p.voltage(), 100));
    if (short_) return data;
    word(0x04, raw_u16(p.capacity, 100));
    data.push_back(0x05);
    data.push_back(static_cast<std::uint8_t>(p.temperatures.size() + 2));
    for (const double t : p.temperatures) wire::put_u16be(data, raw<std::uint8_t>(t, 1, 50));
    wire::put_u16be(data, 0x4000U | raw<std::uint8_t>(p.mos_temperature, 1, 50));
    wire::put_u16be(data, 0x2000U | raw<std::uint8_t>(26, 1, 50));
    data.push_back(0x06);
    data.push_back(5);
    for (std::size_t i = 0; i < 10; ++i) data.push_back(i < status_.size() ? status_[i] : std::uint8_t{0});
    word(0x07, p.cycles);
    word(0x09, raw_u16(p.soh, 100));
    word(0x0A, 0x4000);
    if (counters_) {
      for (std::uint8_t id = 0x0B; id <= 0x10; ++id) {
        data.push_back(id);
        data.push_back(1);
        wire::put_u32be(data, 123456);
      }
    }
    return data;
  }

  ByteVector status_;
  bool older_ = false, short_ = false, counters_ = false;
  std::string software_ = "QT-YS00-16SV100A-V3.5";
  ByteVector barcode_ = {0x80, 0x01, 0xFF, 0x90};
};

const ModelRegistration registration{{"EG4_Lifepower", "EG4 LifePower4, Tian Power boards", {9600}, 1, make_model<Eg4Lifepower>}};

}  // namespace

}  // namespace serialbattery::simulator
