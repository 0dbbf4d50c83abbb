// JBD UP series rack boards: Modbus-like frames of their own, 9600 baud.
//
//   address  78 read / 79 write / 45 individual  start:2  end:2  L:2  payload  CRC (Modbus, low byte first)
//
// Model: one unit per address. "forwarded" is a pack behind the master's RS485 port: it answers status only, roughly.
#include "simulator/device.hpp"
#include "simulator/encode.hpp"
#include "simulator/modbus.hpp"

namespace serialbattery::simulator {

namespace {

class LltJbdUp16s final : public Bms {
 public:
  explicit LltJbdUp16s(std::uint8_t address) : Bms(address), forwarded_(address != 1) {
    pack().temperatures = {20.9, 20.4, 21.0, 21.2};
    Properties& table = properties();
    table.flag("forwarded", forwarded_);
    table.flag("old_firmware", old_firmware_);  // no counters block, short individual status
    table.number("fault_bits", fault_bits_);
    table.number("alarm_bits", alarm_bits_);
    table.number("switches", switches_);  // beside the FETs, which come from the pack
    table.number("cvl", cvl_, {0, 600});
    table.number("ccl", ccl_, {0, 6000});
    table.number("dcl", dcl_, {0, 6000});
    table.number("sum_ccl", sum_ccl_, {0, 6000});  // what a master states
    table.number("sum_dcl", sum_dcl_, {0, 6000});
    table.text("serial", serial_, 29);
    table.text("board_serial", board_serial_, 29);
    table.flag("ignore_soc", ignore_soc_);  // acknowledges a new state of charge and forgets it
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input.size() < 2) return Input::incomplete();
    if (input[1] != 0x78 && input[1] != 0x79 && input[1] != 0x45) return Input::noise();
    if (input.size() < 8) return Input::incomplete();
    const std::size_t size = wire::u16be(input, 6) + 10UL;
    if (size > 610) return Input::noise();
    if (input.size() < size) return Input::incomplete();
    if (wire::crc_modbus(input.first(size)) != 0) return Input::noise();
    return input[0] == address() ? Input::request(size) : Input::foreign(size);
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    const unsigned start = wire::u16be(request, 2), end = wire::u16be(request, 4);
    const auto is = [&](std::uint8_t function, unsigned from, unsigned to) { return request[1] == function && start == from && end == to; };
    if (is(0x78, 0x1000, 0x10A0)) return reply(request, status(), 150ms);
    if (forwarded_) return {};
    if (is(0x45, 0x0000, 0x0054)) return reply(request, individual(), 280ms);
    if (is(0x78, 0x1C00, 0x1CA0)) return reply(request, factory(), 200ms);
    if (is(0x78, 0x2810, 0x283C)) return reply(request, product(), 200ms);
    if (old_firmware_) return {};
    if (is(0x78, 0x2006, 0x2018)) return reply(request, counters(), 150ms);
    if (is(0x79, 0x2006, 0x2008)) return write_soc(request);
    return {};
  }

 private:
  Answer reply(Bytes request, const ByteVector& payload, Duration after) const {
    ByteVector frame(request.begin(), request.begin() + 6);
    frame[0] = reply_address();
    put(frame, static_cast<unsigned>(payload.size()));
    append(frame, payload);
    return {Part{after, modbus::with_crc(std::move(frame))}};
  }

  Answer write_soc(Bytes request) {
    const ByteVector prefix = {0x11, 0x4A, 0x42, 0x44};
    if (request.size() != 16 || !std::equal(prefix.begin(), prefix.end(), request.begin() + 8)) return {};
    if (!ignore_soc_) pack().soc = wire::u16be(request, 12) / 100.0;
    return reply(request, {}, 150ms);
  }

  static void put(ByteVector& out, unsigned value) { wire::put_u16be(out, value & 0xFFFFU); }
  static unsigned offset_temperature(double celsius) { return raw_u16(celsius, 10, 500); }
  static unsigned kelvin(double celsius) { return raw_u16(celsius, 10, 2731); }

  [[nodiscard]] unsigned switch_word() const { return switches_ | (pack().discharge_fet ? 1U : 0U) | (pack().charge_fet ? 2U : 0U); }

  [[nodiscard]] ByteVector status() const {
    const auto& cells = pack().cells;
    const auto& sensors = pack().temperatures;
    const bool master = address() == 1;
    ByteVector data;
    put(data, raw_u16(pack().voltage(), 100));
    put(data, master ? 0 : raw_u16(pack().voltage(), 100));
    wire::put_u32be(data, raw_u32(pack().current, 100, 300000));
    put(data, raw_u16(std::floor(pack().soc), 100));  // without decimals; the counters have them
    put(data, raw_u16(pack().remaining(), 100));
    put(data, raw_u16(pack().capacity, 100));
    put(data, raw_u16(pack().capacity, 100));
    put(data, offset_temperature(pack().mos_temperature));
    put(data, offset_temperature(22.6));
    put(data, pack().current > 0 ? 1 : pack().current < 0 ? 2 : 0);
    put(data, raw_u16(pack().soh));
    wire::put_u32be(data, fault_bits_);
    wire::put_u32be(data, alarm_bits_);
    put(data, switch_word());
    put(data, master ? 4 : 0);
    put(data, pack().cycles);
    for (const unsigned unused : {1U, 3331U, 8U, 3317U, 3323U, 4U, 712U, 2U, 704U, 708U}) put(data, unused);
    put(data, raw_u16(cvl_, 10));
    put(data, raw_u16(master ? sum_ccl_ : ccl_, 10));
    put(data, 448);
    put(data, raw_u16(master ? sum_dcl_ : dcl_, 10));
    put(data, static_cast<unsigned>(cells.size()));
    for (const double volt : cells) put(data, raw_u16(volt, 1000));
    put(data, static_cast<unsigned>(sensors.size()));
    for (const double celsius : sensors) put(data, offset_temperature(celsius));
    put(data, 0);
    put(data, static_cast<unsigned>(pack().balancing));
    put(data, forwarded_ ? 4 : 0x0C04);
    put_text(data, serial_, 30);
    append(data, ByteVector{0x00, 0x02, 0x00, 0x03});
    return data;
  }

  [[nodiscard]] ByteVector counters() const {
    ByteVector data;
    put(data, raw_u16(pack().soc, 100));
    put(data, raw_u16(pack().soh));
    put(data, pack().cycles);
    put(data, 150);
    put(data, 80);
    wire::put_u32be(data, 10507);
    wire::put_u32be(data, 9733);
    return data;
  }

  [[nodiscard]] ByteVector individual() const {
    ByteVector data;
    put(data, 16);
    for (std::size_t i = 0; i < 16; ++i) put(data, i < pack().cells.size() ? raw_u16(pack().cells[i], 1000) : 0U);
    put(data, 3331);
    put(data, 3317);
    put(data, raw_u16(pack().voltage(), 100));
    wire::put_u32be(data, raw_i32(pack().current, 100));
    put(data, kelvin(21.2));
    put(data, kelvin(20.4));
    put(data, raw_u16(pack().capacity, 100));
    put(data, raw_u16(pack().remaining(), 100));
    put(data, pack().cycles);
    put(data, raw_u16(pack().soc));
    put(data, raw_u16(pack().soh));
    wire::put_u32be(data, fault_bits_);
    put(data, switch_word());
    put(data, 0);
    if (old_firmware_) {
      data.resize(85, 0xFF);
      return data;
    }
    put_text(data, serial_, 30);
    put(data, raw_u16(ccl_, 10));
    put(data, raw_u16(dcl_, 10));
    put(data, 0);
    put(data, kelvin(pack().mos_temperature));
    put(data, kelvin(22.6));
    put(data, 0x0401);
    for (std::size_t i = 0; i < 4; ++i) put(data, kelvin(i < pack().temperatures.size() ? pack().temperatures[i] : -300));
    return data;
  }

  [[nodiscard]] ByteVector factory() const {
    ByteVector data;
    for (const unsigned value : {0U, 0U, 3400U, 30U, 500U, 600U, 5680U, 1500U}) put(data, value);
    put_text(data, board_serial_, 30);
    for (const unsigned value : {2025U, 4U, 17U}) put(data, value);
    put_text(data, serial_, 30);
    for (const unsigned value : {2025U, 3U, 18U}) put(data, value);
    put_text(data, "ECO-LFP48100-3U-024EDD", 30);
    data.resize(134);
    return data;
  }

  [[nodiscard]] static ByteVector product() {
    ByteVector data;
    for (const unsigned value : {33U, 3U, 12U, 1U, 7U, 36U}) put(data, value);
    put_text(data, "UP16S015.16S200A", 16);
    put_text(data, "JBD", 16);
    return data;
  }

  bool forwarded_;
  bool old_firmware_ = false;
  std::uint32_t fault_bits_ = 0;
  std::uint32_t alarm_bits_ = 0;
  std::uint16_t switches_ = 0;
  double cvl_ = 58.4;  // V
  double ccl_ = 100, dcl_ = 100, sum_ccl_ = 200, sum_dcl_ = 200;
  std::string serial_ = "JBD48100000";
  std::string board_serial_ = "UP16S019000123525032200332";
  bool ignore_soc_ = false;
};

const ModelRegistration registration{{"LltJbd_Up16s", "JBD UP16S rack board", {9600}, 1, make_model<LltJbdUp16s>}};

}  // namespace

}  // namespace serialbattery::simulator
