// JK boards on their UART port: frames 4E 57, 115200 baud (docs: JK "RS485 communication protocol" V2.0 and V2.5).
//
//   4E 57  L (2)  terminal (4)  command  source  type  information  record (4)  68  00 00  sum (2)
//   everything big endian; L counts what follows the start mark; sum over everything up to and including 68
//   command 06 read all, 03 read one, 02 write, 05 password, 01 activate; type 0 request, 1 reply, 2 unasked
//
// The information of a reply is a sequence of registers: a tag byte and a value whose size the tag fixes.
#include <array>

#include "simulator/device.hpp"
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

namespace {

enum Command : std::uint8_t { activate = 0x01, write_one = 0x02, read_one = 0x03, password = 0x05, read_all = 0x06 };
enum Type : std::uint8_t { reply_type = 1, upload_type = 2 };

constexpr std::size_t head_size = 11;
constexpr std::size_t tail_size = 9;

constexpr NamedBit alarm_bits[] = {
    {0, "low_capacity"},         {1, "mos_over_temperature"}, {2, "pack_over_voltage"},      {3, "pack_under_voltage"},
    {4, "over_temperature"},     {5, "charge_over_current"},  {6, "discharge_over_current"}, {7, "cell_difference"},
    {8, "box_over_temperature"}, {9, "low_temperature"},      {10, "cell_over_voltage"},     {11, "cell_under_voltage"},
    {12, "fault_309_a"},         {13, "fault_309_b"},
};

/// Registers that are settings: plain numbers that the BMS only stores.
struct Setting {
  std::uint8_t tag;
  std::uint8_t size;
  std::string_view name;
  std::uint32_t value;
};

constexpr std::array settings_table = {
    Setting{0x8E, 2, "pack_over_voltage", 5840},  // 0.01 V
    Setting{0x8F, 2, "pack_under_voltage", 4160},
    Setting{0x90, 2, "cell_over_voltage", 3650},  // mV
    Setting{0x91, 2, "cell_over_voltage_recovery", 3550},
    Setting{0x92, 2, "cell_over_voltage_delay", 5},  // s
    Setting{0x93, 2, "cell_under_voltage", 2600},
    Setting{0x94, 2, "cell_under_voltage_recovery", 2650},
    Setting{0x95, 2, "cell_under_voltage_delay", 5},
    Setting{0x96, 2, "cell_difference", 300},
    Setting{0x97, 2, "discharge_limit", 100},  // A
    Setting{0x98, 2, "discharge_limit_delay", 60},
    Setting{0x99, 2, "charge_limit", 70},  // A
    Setting{0x9A, 2, "charge_limit_delay", 30},
    Setting{0x9B, 2, "balance_start", 3300},
    Setting{0x9C, 2, "balance_difference", 10},
    Setting{0x9D, 1, "balance_switch", 1},
    Setting{0x9E, 2, "mos_over_temperature", 90},  // degrees Celsius
    Setting{0x9F, 2, "mos_over_temperature_recovery", 70},
    Setting{0xA0, 2, "box_over_temperature", 100},
    Setting{0xA1, 2, "box_over_temperature_recovery", 100},
    Setting{0xA2, 2, "temperature_difference", 20},
    Setting{0xA3, 2, "charge_high_temperature", 70},
    Setting{0xA4, 2, "discharge_high_temperature", 70},
    Setting{0xA5, 2, "charge_low_temperature", 0xFFEC},  // two's complement
    Setting{0xA6, 2, "charge_low_temperature_recovery", 0xFFF6},
    Setting{0xA7, 2, "discharge_low_temperature", 0xFFEC},
    Setting{0xA8, 2, "discharge_low_temperature_recovery", 0xFFF6},
    Setting{0xAB, 1, "charge_switch", 1},
    Setting{0xAC, 1, "discharge_switch", 1},
    Setting{0xAD, 2, "current_calibration", 1035},
    Setting{0xAE, 1, "board_address", 1},
    Setting{0xAF, 1, "chemistry", 0},
    Setting{0xB0, 2, "sleep_wait", 10},
    Setting{0xB1, 1, "low_soc_threshold", 20},
    Setting{0xB3, 1, "charger_switch", 0},
    Setting{0xB6, 4, "runtime_minutes", 226},
    Setting{0xB8, 1, "calibrating", 0},
    Setting{0xB9, 4, "actual_capacity", 0},
};

void put_sized(ByteVector& out, std::uint32_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// Below zero the board sends 100 - celsius.
std::uint16_t temperature_code(double celsius) {
  const double rounded = std::round(celsius);
  return raw_u16(rounded < 0 ? 100 - rounded : rounded);
}

class Jkbms final : public Bms {
 public:
  explicit Jkbms(std::uint8_t address) : Bms(address) {
    Properties& table = properties();
    table.bits("alarms", alarms_, alarm_bits);
    for (std::size_t i = 0; i < settings_table.size(); ++i) {
      settings_[i] = settings_table[i].value;
      const double largest = std::pow(2.0, 8.0 * settings_table[i].size) - 1;
      table.number(std::string(settings_table[i].name), settings_[i], {0, largest});
      table.number("register_" + wire::to_hex(Bytes(&settings_table[i].tag, 1)), settings_[i], {0, largest});
    }
    table.number("protocol_version", protocol_version_, {0, 1});
    table.flag("old_format", old_format_);
    table.number("throughput", throughput_);
    table.number("sensor_count", sensor_count_);
    table.number("cell_count", announced_cells_, {-1, 255});
    table.flag("battery_connected", connected_);
    table.text("password", password_, 10);
    table.text("user_data", user_data_, 8);
    table.text("date", date_, 4);
    table.text("software", software_, 15);
    table.text("manufacturer_id", manufacturer_, 24);
    table.flag("password_required", password_required_);
    table.flag("sleep", sleep_);
    table.flag("rebooting", rebooting_);
    table.flag("absurd_length", absurd_length_);
    table.flag("unsolicited", unsolicited_);
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input[0] != 0x4E) return Input::noise();
    if (input.size() < 4) return Input::incomplete();
    const std::size_t size = wire::u16be(input, 2) + 2U;
    constexpr std::size_t longest_request = 64;
    if (input[1] != 0x57) return Input::noise();
    if (size < head_size + tail_size || size > longest_request) return Input::noise(2);
    if (input.size() < size) return Input::incomplete();
    const Bytes summed = input.first(size - 4);
    const bool good = summed.back() == 0x68 && wire::u32be(input, size - 4) == (wire::sum(summed) & 0xFFFFU);
    return good && input[10] == 0 ? Input::request(size) : Input::noise(size);
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    const std::uint8_t command = request[8];
    const Bytes information = request.subspan(head_size, request.size() - head_size - tail_size);
    if (command == activate) {
      sleep_ = false;
      return reply(request, reply_type, ByteVector{0});
    }
    if (sleep_ || information.empty()) return {};
    switch (command) {
      case read_all: return everything(request);
      case read_one: return information[0] == 0 ? everything(request) : reply(request, reply_type, register_of(information[0]));
      case password: return check_password(request, information);
      case write_one: return write(request, information);
      default: return {};
    }
  }

 private:
  /// Replies carry the request's terminal number and command.
  static Answer reply(Bytes request, std::uint8_t type, const ByteVector& information) {
    if (information.empty()) return {};
    ByteVector frame = {0x4E, 0x57};
    wire::put_u16be(frame, static_cast<unsigned>(information.size() + head_size + tail_size - 2));
    append(frame, request.subspan(4, 4));
    frame.push_back(request[8]);
    frame.push_back(0x00);  // from the BMS
    frame.push_back(type);
    append(frame, information);
    wire::put_u32be(frame, 0);  // record number
    frame.push_back(0x68);
    wire::put_u16be(frame, 0);
    wire::put_u16be(frame, wire::sum(Bytes(frame)) & 0xFFFFU);
    return {Part{30ms, std::move(frame)}};
  }

  Answer everything(Bytes request) const {
    ByteVector all;
    for (const ByteVector& one : registers()) append(all, one);
    Answer result = reply(request, reply_type, all);
    if (absurd_length_) result.front().bytes[2] = 0xFF;
    if (unsolicited_) result.insert(result.begin(), reply(request, upload_type, all).front());
    return result;
  }

  [[nodiscard]] ByteVector register_of(std::uint8_t tag) const {
    for (ByteVector& one : registers()) {
      if (one[0] == tag) return std::move(one);
    }
    return {};
  }

  Answer check_password(Bytes request, Bytes information) {
    if (information.size() != 11 || information[0] != 0xB2) return {};
    ByteVector expected;
    put_text(expected, password_, 10);
    unlocked_ = std::equal(expected.begin(), expected.end(), information.begin() + 1);
    return unlocked_ ? reply(request, reply_type, ByteVector{0xB2}) : Answer{};
  }

  Answer write(Bytes request, Bytes information) {
    if (information.size() != 2 || (password_required_ && !unlocked_)) return {};
    const std::uint8_t tag = information[0];
    if (tag != 0x9D && tag != 0xAB && tag != 0xAC) return {};
    for (std::size_t i = 0; i < settings_table.size(); ++i) {
      if (settings_table[i].tag == tag) settings_[i] = information[1];
    }
    if (tag == 0xAB) pack().charge_fet = information[1] != 0;
    if (tag == 0xAC) pack().discharge_fet = information[1] != 0;
    return reply(request, reply_type, ByteVector{tag});
  }

  [[nodiscard]] std::uint16_t current_code() const {
    const double amperes = pack().current;
    if (old_format_ || protocol_version_ == 0) return raw_u16(-amperes, 100, 10000);
    const auto magnitude = static_cast<unsigned>(std::min(std::round(std::abs(amperes) * 100), 32767.0));
    return static_cast<std::uint16_t>(magnitude | (amperes > 0 ? 0x8000U : 0U));
  }

  [[nodiscard]] std::uint16_t state_word() const {
    return static_cast<std::uint16_t>((pack().charge_fet ? 1U : 0U) | (pack().discharge_fet ? 2U : 0U) | (pack().balancing != 0 ? 4U : 0U) |
                                      (connected_ ? 8U : 0U));
  }

  [[nodiscard]] ByteVector cells() const {
    ByteVector data = {0x79, static_cast<std::uint8_t>(pack().cells.size() * 3)};
    for (std::size_t i = 0; i < pack().cells.size(); ++i) {
      data.push_back(static_cast<std::uint8_t>(i + 1));
      wire::put_u16be(data, raw_u16(pack().cells[i], 1000));
    }
    return data;
  }

  /// In the order of the document, each with its tag in front.
  [[nodiscard]] std::vector<ByteVector> registers() const {
    std::vector<ByteVector> all;
    const auto add = [&all](std::uint8_t tag, std::uint32_t value, std::size_t size) {
      all.push_back({tag});
      put_sized(all.back(), value, size);
    };
    const auto add_text = [&all](std::uint8_t tag, std::string_view text, std::size_t size, char pad = '\0') {
      all.push_back({tag});
      put_text(all.back(), text, size, pad);
    };
    const auto add_settings = [&](std::uint8_t first, std::uint8_t last) {
      for (std::size_t i = 0; i < settings_table.size(); ++i) {
        if (settings_table[i].tag >= first && settings_table[i].tag <= last)
          add(settings_table[i].tag, settings_[i], settings_table[i].size);
      }
    };
    const auto sensor = [this](std::size_t i) {
      return i < pack().temperatures.size() ? temperature_code(pack().temperatures[i]) : std::uint16_t{300};
    };
    const std::size_t count = announced_cells_ < 0 ? pack().cells.size() : static_cast<std::size_t>(announced_cells_);
    all.push_back(cells());
    add(0x80, temperature_code(pack().mos_temperature), 2);
    add(0x81, sensor(0), 2);
    add(0x82, sensor(1), 2);
    add(0x83, raw_u16(pack().voltage(), 100), 2);
    add(0x84, current_code(), 2);
    add(0x85, rebooting_ ? 0 : raw<std::uint8_t>(pack().soc), 1);
    add(0x86, sensor_count_, 1);
    add(0x87, rebooting_ ? 0 : pack().cycles, 2);
    add(0x89, throughput_, 4);
    add(0x8A, static_cast<std::uint32_t>(count), 2);
    add(0x8B, alarms_, 2);
    add(0x8C, state_word(), 2);
    add_settings(0x8E, 0xA8);
    add(0xA9, static_cast<std::uint32_t>(count), 1);
    add(0xAA, raw_u32(pack().capacity), 4);
    add_settings(0xAB, 0xB1);
    add_text(0xB2, password_, 10);
    add_settings(0xB3, 0xB3);
    add_text(0xB4, user_data_, 8);
    add_text(0xB5, date_, 4);
    add_settings(0xB6, 0xB6);
    add_text(0xB7, software_, 15, '_');
    if (old_format_) return all;
    add_settings(0xB8, 0xB9);
    add_text(0xBA, manufacturer_, 24);
    add(0xC0, protocol_version_, 1);
    return all;
  }

  std::array<std::uint32_t, settings_table.size()> settings_{};
  std::uint16_t alarms_ = 0;
  std::uint8_t protocol_version_ = 1;
  bool old_format_ = false;          // without B8, B9, BA, C0, and with the old current code
  std::uint32_t throughput_ = 1234;  // Ah
  std::uint8_t sensor_count_ = 2;
  int announced_cells_ = -1;  // register 8A; -1: the number of cells
  bool connected_ = false;
  std::string password_ = "123456";
  std::string user_data_ = "Input Us";
  std::string date_ = "2306";
  std::string software_ = "11.XW_S11.26";
  std::string manufacturer_ = "SIMULATED001JK_B2A24S20P";
  bool password_required_ = false;
  bool unlocked_ = false;
  bool sleep_ = false;      // answers only "activate"
  bool rebooting_ = false;  // SoC and cycles are 0
  bool absurd_length_ = false;
  bool unsolicited_ = false;  // an unasked frame comes before each reply
};

const ModelRegistration registration{{"Jkbms", "JK board, UART port, 4E 57 protocol", {115200}, 0, make_model<Jkbms>}};

}  // namespace

}  // namespace serialbattery::simulator
