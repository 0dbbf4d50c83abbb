// Heltec / YanYang (YYBMS) boards: Modbus RTU, 9600 baud, function 03. One byte array: register R begins at byte 2R; little endian inside.
#include "simulator/modbus.hpp"
#include "simulator/register_image.hpp"

namespace serialbattery::simulator {

namespace {

constexpr unsigned last_register = 250;

class HeltecModbus final : public modbus::Slave<Bms> {
 public:
  explicit HeltecModbus(std::uint8_t address) : Slave(address) {
    Properties& table = properties();
    table.text("model", model_, 26);
    table.text("device_name", device_name_, 12);
    table.number("chemistry", chemistry_);
    table.number("serial_group", serial_group_);  // first four digits of the serial number
    table.number("warnings", warnings_);
    table.number("state", state_);                  // run state without the outputs, which come from the pack
    table.flag("silent_outputs", silent_outputs_);  // firmware that never sets the bits of the outputs
    table.flag("signature", signature_);
    table.flag("no_blocks", no_blocks_);                  // refuses more than 25 registers
    table.number("missing_register", missing_register_);  // refused; 0: none
    table.flag("needs_pause", needs_pause_);
    table.number("ccl", ccl_, {0, 600});
    table.number("dcl", dcl_, {0, 600});
  }

 protected:
  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (function != modbus::read_holding || first + count > last_register + 1 || (no_blocks_ && count > 25)) return std::nullopt;
    if (missing_register_ != 0 && first <= missing_register_ && missing_register_ < first + count) return std::nullopt;
    const ByteVector bytes = image();
    std::vector<std::uint16_t> result;
    for (unsigned reg = first; reg < first + count; ++reg) result.push_back(wire::u16be(bytes, 2UL * reg));
    return result;
  }

  // Requests that come within 30 ms after an answer get lost.
  Answer answer(Bytes request, TimePoint now) override {
    const bool too_early = needs_pause_ && last_answer_ && now - *last_answer_ < 30ms;
    if (too_early) return {};
    Answer reply = Slave::answer(request, now);
    if (!reply.empty()) last_answer_ = now + modbus::usual_delay + byte_time({9600}) * static_cast<int>(reply.front().bytes.size());
    return reply;
  }

 private:
  class Image {
   public:
    ByteVector bytes = ByteVector(2UL * (last_register + 1));
    void u8(unsigned reg, unsigned byte, unsigned value) { bytes[2UL * reg + byte] = static_cast<std::uint8_t>(value); }
    void u16(unsigned reg, unsigned value) { put(reg, value, 2); }
    void u32(unsigned reg, std::uint32_t value) { put(reg, value, 4); }
    void text(unsigned reg, std::string_view value) { std::copy(value.begin(), value.end(), bytes.begin() + 2L * reg); }

   private:
    void put(unsigned reg, std::uint32_t value, unsigned size) {
      for (unsigned i = 0; i < size; ++i) bytes[2UL * reg + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  };

  [[nodiscard]] ByteVector image() const {
    Image map;
    const ByteVector serial = {
        static_cast<std::uint8_t>(serial_group_ >> 8U), static_cast<std::uint8_t>(serial_group_), 0x00, 0x01, 0x12, 0x34, 0x56, 0x78};
    std::copy(serial.begin(), serial.end(), map.bytes.begin() + 4);
    map.text(7, model_);
    map.u16(38, 201);
    map.u16(39, 2022);
    map.u8(40, 0, 7);
    map.u8(40, 1, 11);
    map.text(41, device_name_);
    map.text(47, "123456");  // password
    map.u8(52, 1, static_cast<unsigned>(pack().temperatures.size()));
    map.u8(53, 0, 1);
    map.u8(62, 1, 105);
    if (signature_) map.u32(63, 0x4D444253);
    map.u8(75, 0, static_cast<unsigned>(pack().cells.size()));
    map.u8(75, 1, chemistry_);
    map.u32(76, raw_i32(pack().voltage(), 1000));
    map.u32(78, raw_i32(-pack().current, 100));
    for (unsigned i = 0; i < std::min<std::size_t>(pack().cells.size(), 25); ++i) map.u16(81 + i, raw_u16(pack().cells[i], 1000));
    map.u8(112, 0, raw<std::uint8_t>(pack().mos_temperature, 1, 40));
    for (unsigned i = 0; i < std::min<std::size_t>(pack().temperatures.size(), 8); ++i)
      map.u8(113 + i / 2, i % 2, raw<std::uint8_t>(pack().temperatures[i], 1, 40));
    map.u16(118, raw_u16(pack().capacity, 10));
    map.u16(119, raw_u16(pack().remaining(), 10));
    map.u8(120, 0, raw<std::uint8_t>(pack().soc));
    map.u8(120, 1, raw<std::uint8_t>(pack().soh));
    map.u8(127, 1, pack().cycles);
    map.u32(139, static_cast<std::uint32_t>(pack().balancing));
    map.u32(152, state_ | (silent_outputs_ ? 0U : (pack().discharge_fet ? 1U : 0U) | (pack().charge_fet ? 2U : 0U)));
    map.u32(156, warnings_);
    map.u16(169, 3650);
    map.u16(172, 2500);
    map.u16(191, raw_u16(ccl_, 100));
    map.u16(194, raw_u16(dcl_, 100));
    return map.bytes;
  }

  std::uint16_t serial_group_ = 0x2104;
  std::string model_ = "YY-BCU16-HELTEC";
  std::string device_name_ = "YY-16S-01";
  std::uint8_t chemistry_ = 1;
  std::uint32_t warnings_ = 0;
  std::uint32_t state_ = 0;
  bool silent_outputs_ = false;
  bool signature_ = true;
  bool no_blocks_ = false;
  unsigned missing_register_ = 0;
  bool needs_pause_ = false;
  double ccl_ = 100, dcl_ = 150;
  std::optional<TimePoint> last_answer_;
};

const ModelRegistration registration{{"HeltecModbus", "Heltec / YanYang board, Modbus RTU", {9600}, 1, make_model<HeltecModbus>}};

}  // namespace

}  // namespace serialbattery::simulator
