// JBD / LLT Power boards on their serial port: frames DD .. 77 (docs: JBD "general protocol", V4 to V13).
//
//   request  DD  A5 read / 5A write  register  len  data  checksum (2, big endian)  77
//   reply    DD  register            status    len  data  checksum                  77
//   checksum = 0x10000 - sum(register or status, len, data)
//
// Model: a register file, a factory mode flag, a FET lock mask and a sleep flag.
#include <map>
#include <numeric>

#include "simulator/device.hpp"
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

namespace {

enum Register : std::uint8_t {
  enter_factory = 0x00,
  leave_factory = 0x01,
  basic_info = 0x03,
  cell_voltages = 0x04,
  product_name = 0x05,
  counters = 0xAA,
  function_bits = 0x2D,
  write_remaining = 0xE0,
  fet_lock = 0xE1,
  fet_lock_new = 0xFB,
};

enum Status : std::uint8_t { ok = 0x00, unknown = 0x80, not_allowed = 0x81 };

constexpr std::uint16_t big_unit_bit = 1U << 12U;       // of the function bits: 0.1 A and 0.1 Ah
constexpr std::uint16_t software_lock_bit = 1U << 12U;  // of the protection word

constexpr NamedBit protection_bits[] = {
    {0, "cell_over_voltage"},
    {1, "cell_under_voltage"},
    {2, "pack_over_voltage"},
    {3, "pack_under_voltage"},
    {4, "charge_over_temperature"},
    {5, "charge_under_temperature"},
    {6, "discharge_over_temperature"},
    {7, "discharge_under_temperature"},
    {8, "charge_over_current"},
    {9, "discharge_over_current"},
    {10, "short_circuit"},
    {11, "ic_error"},
    {13, "charge_fet_broken"},
    {14, "discharge_fet_broken"},
};

/// The EEPROM of a 280 Ah 4S board as captured, with the voltages of the whole pack adapted to 16 cells.
const std::map<std::uint8_t, std::uint16_t> factory_registers = {
    {0x10, 0x6D60}, {0x11, 0x5780}, {0x12, 0x0DAC}, {0x13, 0x0AF0}, {0x14, 0x0002}, {0x15, 0x2C7C}, {0x16, 0x0001}, {0x17, 0x0000},
    {0x18, 0x0D03}, {0x19, 0x0CD1}, {0x1A, 0x0AAB}, {0x1B, 0x0ADD}, {0x1C, 0x0D03}, {0x1D, 0x0CD1}, {0x1E, 0x09E3}, {0x1F, 0x0A15},
    {0x20, 0x16D0}, {0x21, 0x1630}, {0x22, 0x0FA0}, {0x23, 0x10E0}, {0x24, 0x0E42}, {0x25, 0x0DDE}, {0x26, 0x09C4}, {0x27, 0x0A8C},
    {0x28, 0x59D8}, {0x29, 0xA628}, {0x2A, 0x0C80}, {0x2B, 0x001E}, {0x2C, 0x0001}, {0x2D, 0x0006}, {0x2E, 0x0007}, {0x2F, 0x0010},
    {0x30, 0x0000}, {0x31, 0x001E}, {0x32, 0x0D48}, {0x33, 0x0D16}, {0x34, 0x0CE4}, {0x35, 0x0C1C}, {0x36, 0x0F3C}, {0x37, 0x07D0},
    {0x38, 0x8D5C}, {0x39, 0xF064}, {0x3A, 0x0202}, {0x3B, 0x0202}, {0x3C, 0x0202}, {0x3D, 0x0202}, {0x3E, 0x0A1E}, {0x3F, 0x0A1E},
    {0x40, 0x0000}, {0x41, 0x0000},
};
const std::map<std::uint8_t, std::uint16_t> newer_registers = {
    {0x42, 0x0D7A}, {0x43, 0x0D2F}, {0x44, 0x0CFD}, {0x45, 0x0C80}, {0x46, 0x0BB8}, {0x47, 0x0DAC},
};

class LltJbd final : public Bms {
 public:
  explicit LltJbd(std::uint8_t address) : Bms(address) {
    Properties& table = properties();
    table.bits("alarms", protection_, protection_bits);
    table.number("date", date_);
    table.number("version", version_);
    table.number("fet_extra", fet_extra_);
    table.text("product_name", name_, 31);
    table.text("manufacturer", texts_[0], 31);
    table.text("model", texts_[1], 31);
    table.text("barcode", texts_[2], 31);
    table.number("extension", extension_, {0, 16});
    table.number("humidity", humidity_);
    table.number("alarm_word", alarm_word_);
    table.automatic("full_capacity", full_capacity_, {0, 1e4});
    table.number("balance_current", balance_current_);
    table.flag("sleep", sleep_);
    table.flag("factory_mode", factory_);
    table.number("fet_lock", lock_, {0, 3});
    table.number("lock_lag", lock_lag_);  // readings in which a new lock does not show yet
    table.flag("lock_by_fb", lock_by_fb_);
    table.flag("password", password_);
    table.flag("discard_on_leave", discard_on_leave_);
    table.flag("a5_reply", a5_reply_);
    table.number("missing_register", missing_register_);  // a setting that this board has not; 0: none
    for (auto& [number, value] : registers_) table.number(register_name(number), value);
    add_newer_registers();
    for (std::size_t i = 0; i < counters_.size(); ++i) table.number("counter" + std::to_string(i + 1), counters_[i]);
    table.flag("restart_counter", restart_counter_);
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input[0] != 0xDD) return Input::noise();
    if (input.size() < 4) return Input::incomplete();
    if (input[1] != 0xA5 && input[1] != 0x5A) return Input::noise();
    const std::size_t size = input[3] + 7U;
    if (input.size() < size) return Input::incomplete();
    const Bytes covered = input.subspan(2, size - 5);
    if (input[size - 1] != 0x77 || wire::u16be(input, size - 3) != checksum(covered)) return Input::noise(size);
    return Input::request(size);
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    if (std::exchange(sleep_, false)) return {};  // the first frame only wakes the board
    const std::uint8_t number = request[2];
    const Bytes data = request.subspan(4, request[3]);
    const bool reading = request[1] == 0xA5;
    return reading ? read(number) : write(number, data);
  }

  Answer refuse(Bytes request, std::uint8_t code) override { return reply(request[2], code, {}); }

  void spoil_checksum(ByteVector& frame) const override { frame[frame.size() - 2] ^= 0x01U; }

 private:
  static std::string register_name(std::uint8_t number) { return "register_" + wire::to_hex(Bytes(&number, 1)); }

  static std::uint16_t checksum(Bytes covered) { return static_cast<std::uint16_t>(0x10000U - wire::sum(covered)); }

  static Answer reply(std::uint8_t number, std::uint8_t status, const ByteVector& data) {
    ByteVector frame = {0xDD, number, status, static_cast<std::uint8_t>(data.size())};
    append(frame, data);
    put_u16be(frame, checksum(Bytes(frame).subspan(2)));
    frame.push_back(0x77);
    return {Part{50ms, std::move(frame)}};
  }

  static void put_u16be(ByteVector& out, unsigned value) { wire::put_u16be(out, value & 0xFFFFU); }

  /// Registers 0x42 to 0x47 exist on newer firmware only; without it they answer "unknown".
  void add_newer_registers() {
    properties().add(
        "newer_registers", [this] { return std::string(registers_.contains(0x42) ? "on" : "off"); },
        [this](std::string_view text) {
          for (const auto& [number, value] : newer_registers) registers_.erase(number);
          if (parse_flag(text)) registers_.insert(newer_registers.begin(), newer_registers.end());
        });
  }

  Answer read(std::uint8_t number) {
    switch (number) {
      case basic_info:
        if (lag_left_ == 0) shown_lock_ = lock_;
        if (lag_left_ != 0) --lag_left_;
        return reply(a5_reply_ ? 0xA5 : number, ok, basic());
      case cell_voltages: return reply(number, ok, cells());
      case product_name: return reply(number, ok, {name_.begin(), name_.end()});
      case counters: return reply(number, ok, counter_words());
      default: break;
    }
    const bool is_text = number >= 0xA0 && number <= 0xA2;
    if (!is_text && (!registers_.contains(number) || number == missing_register_)) return reply(number, unknown, {});
    if (!factory_) return reply(number, not_allowed, {});
    ByteVector data;
    if (is_text) {
      const std::string& text = texts_[number - 0xA0U];
      data.push_back(static_cast<std::uint8_t>(text.size()));
      put_text(data, text, text.size());
    } else {
      put_u16be(data, registers_.at(number));
    }
    return reply(number, ok, data);
  }

  Answer write(std::uint8_t number, Bytes data) {
    if (number == (lock_by_fb_ ? fet_lock_new : fet_lock)) return lock(number, data);
    if (number != enter_factory && number != leave_factory && number != write_remaining && !registers_.contains(number)) {
      return reply(number, unknown, {});
    }
    if (data.size() != 2) return reply(number, not_allowed, {});
    const std::uint16_t value = wire::u16be(data, 0);
    if (number == enter_factory) return enter(value);
    if (!factory_ && number != leave_factory) return reply(number, not_allowed, {});
    if (number == leave_factory) return leave(value);
    if (number == write_remaining) {
      pack().soc = std::min(100.0, value / per_ah() / full_capacity() * 100);
    } else {
      registers_[number] = value;
    }
    return reply(number, ok, {});
  }

  Answer enter(std::uint16_t key) {
    if (key != 0x5678 || password_) return reply(enter_factory, not_allowed, {});
    if (!factory_) saved_registers_ = registers_;
    factory_ = true;
    return reply(enter_factory, ok, {});
  }

  /// Accepted outside a session too: the vendor's program sends it after each FET write.
  Answer leave(std::uint16_t how) {
    constexpr std::uint16_t and_save = 0x2828;
    if (how != 0 && how != and_save) return reply(leave_factory, not_allowed, {});
    if (factory_ && how == 0 && discard_on_leave_) {
      for (const auto& [number, value] : saved_registers_) registers_[number] = value;
    }
    if (how == and_save) counters_.fill(0);
    factory_ = false;
    return reply(leave_factory, ok, {});
  }

  Answer lock(std::uint8_t number, Bytes data) {
    if (data.size() != 2) return reply(number, not_allowed, {});
    lag_left_ = lock_lag_;
    if (number == fet_lock) {
      if (data[0] != 0 || data[1] > 3) return reply(number, not_allowed, {});
      lock_ = data[1];
    } else {
      const unsigned mask = data[0] == 0x00 ? 2U : data[0] == 0x01 ? 1U : data[0] == 0x0A ? 3U : 0U;
      if (mask == 0 || data[1] > 1) return reply(number, not_allowed, {});
      lock_ = static_cast<std::uint8_t>(data[1] == 1 ? lock_ | mask : lock_ & ~mask);
    }
    return reply(number, ok, {});
  }

  [[nodiscard]] bool big_unit() const { return (registers_.at(function_bits) & big_unit_bit) != 0; }
  [[nodiscard]] double per_ah() const { return big_unit() ? 10 : 100; }
  [[nodiscard]] double full_capacity() const { return full_capacity_.value_or(pack().capacity); }

  [[nodiscard]] std::uint8_t fet_byte() const {
    unsigned fets = (pack().charge_fet ? 1U : 0U) | (pack().discharge_fet ? 2U : 0U);
    fets &= ~static_cast<unsigned>(shown_lock_);
    return static_cast<std::uint8_t>(fets | fet_extra_);
  }

  [[nodiscard]] ByteVector basic() const {
    const double unit = per_ah();
    ByteVector data;
    put_u16be(data, raw_u16(pack().voltage(), 100));
    put_u16be(data, raw_i16(pack().current, unit));
    put_u16be(data, raw_u16(pack().remaining(), unit));
    put_u16be(data, raw_u16(pack().capacity, unit));
    put_u16be(data, pack().cycles);
    put_u16be(data, date_);
    put_u16be(data, static_cast<unsigned>(pack().balancing & 0xFFFFU));
    put_u16be(data, static_cast<unsigned>((pack().balancing >> 16U) & 0xFFFFU));
    put_u16be(data, protection_ | (shown_lock_ != 0 ? software_lock_bit : 0U));
    data.push_back(version_);
    data.push_back(raw<std::uint8_t>(pack().soc));
    data.push_back(fet_byte());
    data.push_back(static_cast<std::uint8_t>(pack().cells.size()));
    data.push_back(static_cast<std::uint8_t>(pack().temperatures.size()));
    for (const double celsius : pack().temperatures) put_u16be(data, raw_u16(celsius, 10, 2731));
    append(data, Bytes(extension()).first(extension_));
    return data;
  }

  /// 9 bytes of newer firmware, 7 more on DH04 boards.
  [[nodiscard]] ByteVector extension() const {
    ByteVector data = {humidity_};
    put_u16be(data, alarm_word_);
    put_u16be(data, raw_u16(full_capacity(), per_ah()));
    put_u16be(data, raw_u16(pack().remaining(), per_ah()));
    put_u16be(data, static_cast<unsigned>(balance_current_));
    append(data, ByteVector{0x00, 0x00, 0x19, 0x00, 0x00, 0x00, 0x00});
    return data;
  }

  [[nodiscard]] ByteVector cells() const {
    ByteVector data;
    for (const double volt : pack().cells) put_u16be(data, raw_u16(volt, 1000));
    return data;
  }

  [[nodiscard]] ByteVector counter_words() const {
    ByteVector data;
    for (std::size_t i = 0; i < counters_.size() - (restart_counter_ ? 0 : 1); ++i) put_u16be(data, counters_[i]);
    return data;
  }

  std::uint16_t protection_ = 0;
  std::uint16_t date_ = 0x30CF;  // 2024-06-15
  std::uint8_t version_ = 0x2A;  // 2.10
  std::uint8_t fet_extra_ = 0;   // bits 2 (limiter), 3 (heater), 7 (announces the big unit)
  std::string name_ = "JBD-SP16S020-L16S-100A-B-U";
  std::array<std::string, 3> texts_ = {"JBD", "SP16S020", ""};  // registers A0 to A2
  std::size_t extension_ = 0;                                   // bytes behind the temperatures; it may end anywhere
  std::uint8_t humidity_ = 0;
  std::uint16_t alarm_word_ = 0;
  std::optional<double> full_capacity_;  // Ah, learned; the nominal one unless set
  std::int16_t balance_current_ = 0;     // mA
  bool sleep_ = false;
  bool factory_ = false;
  std::uint8_t lock_ = 0;  // bit 0 charge, bit 1 discharge locked off
  std::uint8_t shown_lock_ = 0;
  unsigned lock_lag_ = 0, lag_left_ = 0;
  bool lock_by_fb_ = false;        // newest firmware: register 0xFB in place of 0xE1
  bool password_ = false;          // factory mode is refused
  bool discard_on_leave_ = false;  // leaving with 0000 forgets what was written
  bool a5_reply_ = false;          // boards of 2018: A5 in place of the register
  std::uint8_t missing_register_ = 0;
  std::map<std::uint8_t, std::uint16_t> registers_ = factory_registers;
  std::map<std::uint8_t, std::uint16_t> saved_registers_ = factory_registers;
  std::array<std::uint16_t, 12> counters_{};
  bool restart_counter_ = true;
};

const ModelRegistration registration{{"LltJbd", "JBD / LLT Power board, DD..77 protocol", {9600}, 0, make_model<LltJbd>}};

}  // namespace

}  // namespace serialbattery::simulator
