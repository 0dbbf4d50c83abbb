// JK PB "inverter" boards on RS485: Modbus-like requests, 300-byte answers with their own mark, 115200 baud
// (docs: "JK BMS RS485 Modbus" V1.0 and V1.1).
//
//   request  address  10  16 RR  00 01  02  00 00  CRC     RR: 1E settings, 20 status, 1C about
//   answer   55 AA EB 90  type  variant  data (293)  sum8   then   address  10  16 RR  00 01  CRC
//
// The payload is little endian. Register 0x1000 + n of a type's block is payload offset 6 + n, big endian, for functions 03 and 10.
#include <array>
#include <map>

#include "simulator/device.hpp"
#include "simulator/encode.hpp"
#include "simulator/modbus.hpp"

namespace serialbattery::simulator {

namespace {

constexpr std::size_t payload_size = 300;

/// One kind of answer: its type byte, the register that asks for it, its block of Modbus registers.
struct Kind {
  std::uint8_t type;
  std::uint16_t trigger;
  std::uint16_t base;
};
constexpr Kind settings_kind{0x01, 0x161E, 0x1000};
constexpr Kind status_kind{0x02, 0x1620, 0x1200};
constexpr Kind about_kind{0x03, 0x161C, 0x1400};

constexpr NamedBit alarm_bits[] = {
    {0, "wire_resistance"},
    {1, "mos_over_temperature"},
    {2, "cell_count"},
    {3, "current_sensor"},
    {4, "cell_over_voltage"},
    {5, "pack_over_voltage"},
    {6, "charge_over_current"},
    {7, "charge_short_circuit"},
    {8, "charge_over_temperature"},
    {9, "charge_under_temperature"},
    {10, "internal_communication"},
    {11, "cell_under_voltage"},
    {12, "pack_under_voltage"},
    {13, "discharge_over_current"},
    {14, "discharge_short_circuit"},
    {15, "discharge_over_temperature"},
    {16, "charge_mos_fault"},
    {17, "discharge_mos_fault"},
    {18, "gps_disconnected"},
    {19, "change_password"},
    {20, "discharge_on_failed"},
    {21, "over_temperature"},
    {22, "temperature_sensor"},
    {23, "parallel_module"},
    {24, "short_circuit_release_failed"},
    {25, "discharge_over_current_2"},
    {26, "discharge_over_current_3"},
    {27, "discharge_under_temperature"},
    {28, "gps_lock"},
};

/// Settings that the board only stores: u32 at a payload offset.
struct Setting {
  std::size_t offset;
  std::string_view name;
  std::uint32_t value;
};

constexpr std::uint32_t minus(std::uint32_t value) {
  return 0U - value;
}

constexpr std::array settings_table = {
    Setting{6, "smart_sleep_voltage", 3500},
    Setting{10, "cell_under_voltage", 2700},
    Setting{14, "cell_under_voltage_recovery", 2900},
    Setting{18, "cell_over_voltage", 3650},
    Setting{22, "cell_over_voltage_recovery", 3445},
    Setting{26, "balance_difference", 5},
    Setting{30, "cell_full_voltage", 3445},
    Setting{34, "cell_empty_voltage", 2900},
    Setting{38, "charge_voltage", 3450},
    Setting{42, "float_voltage", 3350},
    Setting{46, "power_off_voltage", 2500},
    Setting{50, "charge_limit", 60000},  // mA
    Setting{54, "charge_limit_delay", 3},
    Setting{58, "charge_limit_release", 60},
    Setting{62, "discharge_limit", 100000},
    Setting{66, "discharge_limit_delay", 300},
    Setting{70, "discharge_limit_release", 60},
    Setting{74, "short_circuit_release", 5},
    Setting{78, "balance_limit", 2000},
    Setting{82, "charge_over_temperature", 700},  // 0.1 degrees
    Setting{86, "charge_over_temperature_recovery", 600},
    Setting{90, "discharge_over_temperature", 700},
    Setting{94, "discharge_over_temperature_recovery", 600},
    Setting{98, "charge_under_temperature", minus(100)},
    Setting{102, "charge_under_temperature_recovery", 0},
    Setting{106, "mos_over_temperature", 800},
    Setting{110, "mos_over_temperature_recovery", 700},
    Setting{118, "charge_switch", 1},
    Setting{122, "discharge_switch", 1},
    Setting{126, "balance_switch", 1},
    Setting{134, "short_circuit_delay", 1500},
    Setting{138, "balance_start", 3440},
    Setting{274, "precharge_time", 0},
};

/// A payload under construction: little endian as sent, or big endian as the Modbus registers show it.
class Image {
 public:
  enum class Order : std::uint8_t { little, big };

  Image(std::uint8_t type, std::uint8_t variant, Order order) : order_(order), bytes_{} {
    constexpr std::array<std::uint8_t, 4> mark = {0x55, 0xAA, 0xEB, 0x90};
    std::copy(mark.begin(), mark.end(), bytes_.begin());
    bytes_[4] = type;
    bytes_[5] = variant;
  }

  void u8(std::size_t offset, unsigned value) { bytes_[offset] = static_cast<std::uint8_t>(value); }
  void u16(std::size_t offset, std::uint32_t value) { put(offset, value, 2); }
  void u32(std::size_t offset, std::uint32_t value) { put(offset, value, 4); }
  void text(std::size_t offset, std::string_view value, std::size_t size) {
    for (std::size_t i = 0; i < std::min(size, value.size()); ++i) bytes_[offset + i] = static_cast<std::uint8_t>(value[i]);
  }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] ByteVector finished() const {
    ByteVector result(bytes_.begin(), bytes_.end());
    result.back() = static_cast<std::uint8_t>(wire::sum(Bytes(bytes_).first(payload_size - 1)));
    return result;
  }

 private:
  void put(std::size_t offset, std::uint32_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = order_ == Order::little ? i : size - 1 - i;
      bytes_[offset + place] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }

  Order order_;
  std::array<std::uint8_t, payload_size> bytes_;
};

class JkbmsPb final : public Bms {
 public:
  explicit JkbmsPb(std::uint8_t address) : Bms(address) {
    pack().temperatures = {24, 25, 26, 27};
    bind_live();
    bind_settings();
    bind_about();
    bind_quirks();
  }

  [[nodiscard]] Duration talk_interval() const override { return bus_master_ ? 4400ms : Duration::zero(); }

 protected:
  Input recognise(Bytes input) const override { return modbus::recognise(input, address()); }

  Answer answer(Bytes request, TimePoint now) override {
    const bool too_early = std::min(gap_before(request, now), overheard_gap(request, now)) < gap_needed_;
    if (too_early && !late_acknowledgement_) return {};
    Answer result = modbus::function(request) == modbus::read_holding ? read_registers(request) : write_registers(request);
    if (too_early && !result.empty()) {
      ByteVector mixed = modbus::acknowledgement(last_asked_, wire::u16be(request, 2), 1);
      append(mixed, result.front().bytes);
      result.front().bytes = std::move(mixed);
    }
    last_asked_ = address();
    return result;
  }

  void overhear(Bytes request, TimePoint now) override {
    last_asked_ = request[0];
    // The other unit answers with as many bytes as this one would.
    overheard_until_ = now + 10ms + byte_time(line()) * (payload_size + 8);
  }

  Answer refuse(Bytes request, std::uint8_t code) override { return modbus::exception(reply_address(), request, code); }

  Answer announce(TimePoint /*now*/) override {
    Answer frames;
    for (const Kind& kind : {status_kind, settings_kind}) {
      frames.push_back({20ms, payload(kind)});
      append(frames.back().bytes, modbus::acknowledgement(0, kind.trigger, 1));
    }
    return frames;
  }

 private:
  void bind_live();
  void bind_settings();
  void bind_about();
  void bind_quirks();

  [[nodiscard]] Duration overheard_gap(Bytes request, TimePoint now) const {
    return now - byte_time(line()) * request.size() - overheard_until_;
  }

  [[nodiscard]] Image image(const Kind& kind, Image::Order order) const {
    Image result(wrong_type_ ? kind.type % 3 + 1 : kind.type, variant_, order);
    if (kind.type == status_kind.type) fill_status(result);
    if (kind.type == settings_kind.type) fill_settings(result);
    if (kind.type == about_kind.type) fill_about(result);
    return result;
  }

  [[nodiscard]] ByteVector payload(const Kind& kind) const { return image(kind, Image::Order::little).finished(); }

  void fill_status(Image& out) const;
  void fill_settings(Image& out) const;
  void fill_about(Image& out) const;

  Answer write_registers(Bytes request) {
    const std::uint16_t start = wire::u16be(request, 2);
    const std::uint16_t count = wire::u16be(request, 4);
    if (modbus::function(request) != modbus::write_multiple) return modbus::exception(reply_address(), request, 1);
    for (const Kind& kind : {settings_kind, status_kind, about_kind}) {
      if (start == kind.trigger && count == 1) return send(kind);
    }
    if (!store(start, count, modbus::written(request))) return modbus::exception(reply_address(), request, 2);
    return {Part{8ms, modbus::acknowledgement(reply_address(), start, count)}};
  }

  Answer send(const Kind& kind) {
    if (kind.type == about_kind.type && about_silent_) return {};
    if (count_up_) ++variant_;
    const ByteVector pad(pad_ ? 1 : 0, 0x00);
    ByteVector tail = pad;
    if (!no_acknowledgement_) {
      ByteVector acknowledgement = modbus::acknowledgement(acknowledge_as_ == 0 ? reply_address() : acknowledge_as_,
                                                           acknowledge_register_ == 0 ? kind.trigger : acknowledge_register_, 1);
      if (acknowledgement_crc_) acknowledgement.back() ^= 0x01U;
      append(tail, acknowledgement);
      append(tail, pad);
    }
    Answer result = {Part{10ms, payload(kind)}};
    if (!tail.empty()) result.push_back({Duration::zero(), std::move(tail)});
    return result;
  }

  /// Settings are written as big-endian registers; false when there is none at this place.
  bool store(std::uint16_t start, std::uint16_t count, Bytes data) {
    const std::size_t offset = start - 0x1000U + 6U;
    if (offset == 282 && count == 1) {
      control_bits_ = wire::u16be(data, 0);
      return true;
    }
    for (std::size_t i = 0; i < settings_table.size(); ++i) {
      if (settings_table[i].offset != offset || count != 2) continue;
      settings_[i] = wire::u32be(data, 0);
      if (offset == 118) pack().charge_fet = settings_[i] != 0;
      if (offset == 122) pack().discharge_fet = settings_[i] != 0;
      return true;
    }
    return false;
  }

  Answer read_registers(Bytes request) const {
    const std::uint16_t start = wire::u16be(request, 2);
    const std::size_t bytes = wire::u16be(request, 4) * std::size_t{2};
    for (const Kind& kind : {settings_kind, status_kind, about_kind}) {
      const std::size_t offset = start - kind.base + 6U;
      if (start < kind.base || bytes == 0 || bytes > 80 || offset + bytes >= payload_size) continue;
      const Image content = image(kind, Image::Order::big);
      return modbus::read_answer(reply_address(), request, content.bytes().subspan(offset, bytes));
    }
    return modbus::exception(reply_address(), request, 2);
  }

  // status
  std::uint32_t alarms_ = 0;
  std::uint8_t sensors_present_ = 0xFF;
  bool balancer_ = false;
  bool balancer_discharges_ = false;
  double balance_current_ = 0;  // A
  bool heater_ = false;
  double heater_current_ = 0;         // A, negative while it draws
  std::uint32_t throughput_ = 0;      // mAh
  std::uint32_t runtime_ = 36000000;  // s
  std::uint8_t charge_status_ = 0;
  std::optional<double> cell_mask_;  // bits; one per cell unless set
  // settings
  std::array<std::uint32_t, settings_table.size()> settings_{};
  std::optional<double> announced_cells_;
  std::uint16_t control_bits_ = 0x0008;  // port switch: RS485
  std::int8_t heater_start_ = 0;
  std::int8_t heater_stop_ = 10;
  // about
  std::string model_ = "JK_PB2A16S20P";
  std::string hardware_ = "15A";
  std::string software_ = "15.41";
  std::string name_ = "SIM";
  std::string serial_ = "40119491480";
  std::string date_ = "240914";
  std::string user_data_ = "JK-BMS";
  // the wire
  std::uint8_t variant_ = 0;
  bool count_up_ = false;
  bool pad_ = false;
  bool wrong_type_ = false;
  bool about_silent_ = false;
  bool no_acknowledgement_ = false;
  bool acknowledgement_crc_ = false;
  std::uint8_t acknowledge_as_ = 0;
  std::uint16_t acknowledge_register_ = 0;
  bool bus_master_ = false;
  Duration gap_needed_ = 50ms;
  bool late_acknowledgement_ = false;
  std::uint8_t last_asked_ = 0;
  TimePoint overheard_until_{};
};

void JkbmsPb::bind_live() {
  Properties& table = properties();
  table.bits("alarms", alarms_, alarm_bits);
  table.number("sensors_present", sensors_present_);
  table.flag("balancer", balancer_);
  table.flag("balancer_discharges", balancer_discharges_);
  table.number("balance_current", balance_current_, {-30, 30});
  table.flag("heater", heater_);
  table.number("heater_current", heater_current_, {-32, 32});
  table.number("throughput", throughput_);
  table.number("runtime", runtime_);
  table.number("charge_status", charge_status_);
  table.automatic("cell_mask", cell_mask_, {0, 4294967295.0});
}

void JkbmsPb::bind_settings() {
  Properties& table = properties();
  for (std::size_t i = 0; i < settings_table.size(); ++i) {
    settings_[i] = settings_table[i].value;
    table.number(std::string(settings_table[i].name), settings_[i]);
  }
  table.automatic("cell_count", announced_cells_, {0, 255});
  table.number("control_bits", control_bits_);
  table.number("heater_start", heater_start_);
  table.number("heater_stop", heater_stop_);
}

void JkbmsPb::bind_about() {
  Properties& table = properties();
  table.text("model", model_, 16);
  table.text("hardware", hardware_, 8);
  table.text("software", software_, 8);
  table.text("name", name_, 16);
  table.text("serial", serial_, 16);
  table.text("date", date_, 8);
  table.text("user_data", user_data_, 16);
}

void JkbmsPb::bind_quirks() {
  Properties& table = properties();
  table.number("variant", variant_);      // payload byte 5
  table.flag("count_up", count_up_);      // ... counts
  table.flag("pad", pad_);                // 310 bytes instead of 308
  table.flag("wrong_type", wrong_type_);  // answers with the frame of another request's type
  table.flag("about_silent", about_silent_);
  table.flag("no_acknowledgement", no_acknowledgement_);
  table.flag("acknowledgement_crc", acknowledgement_crc_);      // wrong CRC in it
  table.number("acknowledge_as", acknowledge_as_);              // other address in it; 0: off
  table.number("acknowledge_register", acknowledge_register_);  // other register in it; 0: off
  table.flag("bus_master", bus_master_);                        // talks unasked as address 0
  table.milliseconds("gap_needed", gap_needed_);                // a request closer to the last answer on the bus is dropped ...
  table.flag("late_acknowledgement", late_acknowledgement_);    // ... or answered behind a late acknowledgement of the unit before
}

void JkbmsPb::fill_status(Image& out) const {
  const std::vector<double>& cells = pack().cells;
  const std::size_t count = std::min<std::size_t>(cells.size(), 32);
  for (std::size_t i = 0; i < count; ++i) {
    out.u16(6 + 2 * i, raw_u16(cells[i], 1000));
    out.u16(80 + 2 * i, 60);
  }
  const std::uint64_t mask = (std::uint64_t{1} << count) - 1;
  out.u32(70, raw_u32(cell_mask_.value_or(static_cast<double>(mask))));
  if (count > 0) {
    const auto [low, high] = std::minmax_element(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(count));
    out.u16(74, raw_u16(pack().voltage() / static_cast<double>(count), 1000));
    out.u16(76, raw_u16(*high - *low, 1000));
    out.u8(78, static_cast<unsigned>(high - cells.begin()));
    out.u8(79, static_cast<unsigned>(low - cells.begin()));
  }
  const auto sensor = [this](std::size_t i) {
    return i < pack().temperatures.size() ? raw_i16(pack().temperatures[i], 10) : raw_i16(-200, 10);
  };
  out.u16(144, raw_i16(pack().mos_temperature, 10));
  out.u32(150, raw_u32(pack().voltage(), 1000));
  out.u32(154, raw_u32(std::abs(pack().voltage() * pack().current), 1000));
  out.u32(158, raw_i32(pack().current, 1000));
  out.u16(162, sensor(0));
  out.u16(164, sensor(1));
  out.u32(166, alarms_);
  out.u16(170, raw_i16(balance_current_, 1000));
  out.u8(172, balancer_ ? (balancer_discharges_ ? 2 : 1) : 0);
  out.u8(173, raw<std::uint8_t>(pack().soc));
  out.u32(174, raw_i32(pack().remaining(), 1000));
  out.u32(178, raw_u32(pack().capacity * pack().soh / 100, 1000));
  out.u32(182, pack().cycles);
  out.u32(186, throughput_);
  out.u8(190, raw<std::uint8_t>(pack().soh));
  out.u32(194, runtime_);
  out.u8(198, pack().charge_fet ? 1 : 0);
  out.u8(199, pack().discharge_fet ? 1 : 0);
  out.u8(214, sensors_present_);
  out.u8(215, heater_ ? 1 : 0);
  out.u16(234, raw_u16(pack().voltage(), 100));
  out.u16(236, raw_i16(heater_current_, 1000));
  out.u32(246, runtime_ * 10);
  out.u16(254, raw_i16(pack().mos_temperature, 10));  // PB hardware repeats the MOSFET here
  out.u16(256, sensor(2));
  out.u16(258, sensor(3));
  out.u32(270, 86400);
  out.u8(280, charge_status_);
}

void JkbmsPb::fill_settings(Image& out) const {
  for (std::size_t i = 0; i < settings_table.size(); ++i) out.u32(settings_table[i].offset, settings_[i]);
  out.u32(114, raw_u32(announced_cells_.value_or(static_cast<double>(pack().cells.size()))));
  out.u32(130, raw_u32(pack().capacity, 1000));
  out.u32(270, address());
  out.u16(282, control_bits_);
  out.u8(284, static_cast<std::uint8_t>(heater_start_));
  out.u8(285, static_cast<std::uint8_t>(heater_stop_));
  out.u8(296, 0xFE);
  out.u8(297, 0xFF);
}

void JkbmsPb::fill_about(Image& out) const {
  out.text(6, model_, 16);
  out.text(22, hardware_, 8);
  out.text(30, software_, 8);
  out.u32(38, runtime_);
  out.u32(42, 22);
  out.text(46, name_, 16);
  out.text(62, "1234", 16);
  out.text(78, date_, 8);
  out.text(86, serial_, 16);
  out.text(102, user_data_, 16);
  out.text(118, "123456", 16);
  out.u8(184, 1);
}

const ModelRegistration registration{{"Jkbms_pb", "JK PB inverter BMS, RS485, 55 AA EB 90 frames", {115200}, 1, make_model<JkbmsPb>}};

}  // namespace

}  // namespace serialbattery::simulator
