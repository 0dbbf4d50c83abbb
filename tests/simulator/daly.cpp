// Daly boards, serial "A5" protocol, 9600 baud (docs: Daly "UART/RS485 communications protocol" V1.0, V1.2).
//
//   A5  request: host 40+n-1 or 80 / reply: board n  command  08  data (8, big endian)  sum of bytes 0..11
//
// Some commands answer with several frames, numbered in d0. Bytes that a command does not use hold what the answer before left there.
#include <array>
#include <bit>

#include "simulator/device.hpp"
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

namespace {

enum Command : std::uint8_t {
  set_soc = 0x21,
  rated = 0x50,
  battery_info = 0x53,
  battery_code = 0x57,
  software_version = 0x62,
  hardware_version = 0x63,
  pack_values = 0x90,
  cell_extremes = 0x91,
  temperature_extremes = 0x92,
  fet_state = 0x93,
  status = 0x94,
  cell_voltages = 0x95,
  temperatures = 0x96,
  balancing = 0x97,
  faults_word = 0x98,
  discharge_fet = 0xD9,
  charge_fet = 0xDA,
};

constexpr std::size_t frame_size = 13;
constexpr std::uint8_t uart_host = 0x80;  // answered by board 1
constexpr std::size_t text_per_frame = 7;

/// Bit 8 * byte + bit of the answer to 98.
constexpr NamedBit fault_bits[] = {
    {0, "cell_voltage_high_1"},
    {1, "cell_voltage_high_2"},
    {2, "cell_voltage_low_1"},
    {3, "cell_voltage_low_2"},
    {4, "pack_voltage_high_1"},
    {5, "pack_voltage_high_2"},
    {6, "pack_voltage_low_1"},
    {7, "pack_voltage_low_2"},
    {8, "charge_temperature_high_1"},
    {9, "charge_temperature_high_2"},
    {10, "charge_temperature_low_1"},
    {11, "charge_temperature_low_2"},
    {12, "discharge_temperature_high_1"},
    {13, "discharge_temperature_high_2"},
    {14, "discharge_temperature_low_1"},
    {15, "discharge_temperature_low_2"},
    {16, "charge_current_1"},
    {17, "charge_current_2"},
    {18, "discharge_current_1"},
    {19, "discharge_current_2"},
    {20, "soc_high_1"},
    {21, "soc_high_2"},
    {22, "soc_low_1"},
    {23, "soc_low_2"},
    {24, "cell_difference_1"},
    {25, "cell_difference_2"},
    {26, "temperature_difference_1"},
    {27, "temperature_difference_2"},
    {32, "charge_mos_hot"},
    {33, "discharge_mos_hot"},
    {34, "charge_mos_sensor"},
    {35, "discharge_mos_sensor"},
    {36, "charge_mos_stuck"},
    {37, "discharge_mos_stuck"},
    {38, "charge_mos_open"},
    {39, "discharge_mos_open"},
    {40, "afe"},
    {41, "voltage_wire"},
    {42, "cell_sensor"},
    {43, "eeprom"},
    {44, "clock"},
    {45, "precharge"},
    {46, "external_communication"},
    {47, "internal_communication"},
    {48, "current_module"},
    {49, "pack_voltage_detection"},
    {50, "short_circuit"},
    {51, "charging_forbidden"},
    {52, "switched_by_command"},
};

/// The eight data bytes of one frame; what nobody sets stays as the last answer left it.
using Data = std::array<std::uint8_t, 8>;

class Daly final : public Bms {
 public:
  explicit Daly(std::uint8_t address) : Bms(address) {
    // The pack of a real 14S board.
    pack().cells = {3.776, 3.778, 3.783, 3.784, 3.784, 3.782, 3.778, 3.778, 3.740, 3.780, 3.780, 3.780, 3.779, 3.776};
    pack().temperatures = {21};
    pack().soc = 50;
    pack().capacity = 40;
    Properties& table = properties();
    table.bits("alarms", faults_word_, fault_bits);
    table.number("alarm_code", fault_code_);
    table.flag("charging_counts_up", charging_counts_up_);
    table.number("heartbeat", heartbeat_);
    table.flag("heartbeat_stuck", heartbeat_stuck_);
    table.flag("charger", charger_);
    table.flag("load", load_);
    table.flag("mos_in_status", mos_in_status_);
    table.flag("active_balancer", active_balancer_);
    table.number("rated_mah", rated_mah_);
    table.number("nominal_cell_mv", nominal_cell_mv_);
    table.number("chemistry", chemistry_);
    table.number("year", year_);
    table.number("month", month_);
    table.number("day", day_);
    table.number("sleep_seconds", sleep_seconds_);
    table.text("battery_code", code_, 5 * text_per_frame);
    table.text("hardware", hardware_, 2 * text_per_frame);
    table.text("software", software_, 2 * text_per_frame);
    table.number("cell_count", announced_cells_, {-1, 255});
    table.flag("sleep", sleep_);
    table.flag("extra_frames", extra_frames_);
    table.flag("stale_bytes", stale_bytes_);
    table.flag("only_host_80", only_host_80_);
    table.flag("shuffle", shuffle_);
    table.number("silent_command", silent_command_);
    table.flag("rated_silent", rated_silent_);
    table.number("acknowledgements", acknowledgements_, {0, 2});
    table.flag("refuse_writes", refuse_writes_);
    table.milliseconds("min_gap", min_gap_);
    table.milliseconds("latency", latency_);
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input[0] != 0xA5) return Input::noise();
    if (input.size() < frame_size) return Input::incomplete();
    if (input[3] != 8 || input[12] != (wire::sum(input.first(12)) & 0xFFU)) return Input::noise();
    return mine(input[1]) ? Input::request(frame_size) : Input::foreign(frame_size);
  }

  Answer answer(Bytes request, TimePoint now) override {
    if (sleep_) return {Part{5ms, {request.begin(), request.end()}}};
    if (gap_before(request, now) < min_gap_) return {};
    const std::uint8_t command = request[2];
    if (command == silent_command_ && command != 0) return {};
    if (command == set_soc || command == discharge_fet || command == charge_fet) return write(command, request.subspan(4, 8));
    Answer result;
    for (const Data& data : read(command, request[1])) result.push_back(frame(command, data));
    if (shuffle_) std::reverse(result.begin(), result.end());
    if (!result.empty()) result.front().pause = latency_;
    return result;
  }

 private:
  [[nodiscard]] std::uint8_t board() const { return static_cast<std::uint8_t>(reply_address() == uart_host ? 1 : reply_address() - 0x3F); }

  [[nodiscard]] bool mine(std::uint8_t host) const {
    if (host == uart_host) return address() == 0x40 || address() == uart_host;
    return host == address() && !only_host_80_;
  }

  Part frame(std::uint8_t command, const Data& data) {
    ByteVector bytes = {0xA5, board(), command, 8};
    append(bytes, data);
    bytes.push_back(static_cast<std::uint8_t>(wire::sum(bytes)));
    last_ = data;
    return {Duration::zero(), std::move(bytes)};
  }

  /// What an unused byte holds.
  [[nodiscard]] Data blank() const { return stale_bytes_ ? last_ : Data{}; }

  static void put16(Data& data, std::size_t at, std::uint16_t value) {
    data[at] = static_cast<std::uint8_t>(value >> 8U);
    data[at + 1] = static_cast<std::uint8_t>(value);
  }
  static void put32(Data& data, std::size_t at, std::uint32_t value) {
    put16(data, at, static_cast<std::uint16_t>(value >> 16U));
    put16(data, at + 2, static_cast<std::uint16_t>(value));
  }

  [[nodiscard]] std::vector<Data> read(std::uint8_t command, std::uint8_t host) {
    switch (command) {
      case rated: return rated_silent_ ? std::vector<Data>{} : std::vector<Data>{rated_data()};
      case battery_info: return {info_data()};
      case battery_code: return text_frames(code_, 5);
      case software_version: return text_frames(software_, 2);
      case hardware_version: return text_frames(hardware_, 2);
      case pack_values: return {pack_data()};
      case cell_extremes: return {cell_extremes_data()};
      case temperature_extremes: return {temperature_extremes_data()};
      case fet_state: return {fet_data()};
      case status: return {status_data()};
      case cell_voltages: return cell_frames(host == uart_host || extra_frames_);
      case temperatures: return temperature_frames();
      case balancing: return {balancing_data()};
      case faults_word: return {faults_data()};
      default: return {};
    }
  }

  Answer write(std::uint8_t command, Bytes data) {
    if (!refuse_writes_) {
      if (command == set_soc) pack().soc = wire::u16be(data, 6) / 10.0;
      if (command == charge_fet) pack().charge_fet = data[0] != 0;
      if (command == discharge_fet) pack().discharge_fet = data[0] != 0;
    }
    Data reply = blank();
    reply[0] = command == set_soc ? (refuse_writes_ ? 0 : 1) : static_cast<std::uint8_t>(refuse_writes_ ? data[0] ^ 1U : data[0]);
    Answer result;
    for (unsigned i = 0; i < acknowledgements_; ++i) result.push_back(frame(command, reply));
    if (!result.empty()) result.front().pause = latency_;
    return result;
  }

  [[nodiscard]] Data pack_data() const {
    Data data = blank();
    put16(data, 0, raw_u16(pack().voltage(), 10));
    put16(data, 2, 0);
    put16(data, 4, raw_u16(charging_counts_up_ ? pack().current : -pack().current, 10, 30000));
    put16(data, 6, raw_u16(pack().soc, 10));
    return data;
  }

  [[nodiscard]] Data cell_extremes_data() const {
    Data data = blank();
    const auto& cells = pack().cells;
    if (cells.empty()) return data;
    const auto [low, high] = std::minmax_element(cells.begin(), cells.end());  // of equal ones the first and the last, as recorded
    put16(data, 0, raw_u16(*high, 1000));
    data[2] = static_cast<std::uint8_t>(high - cells.begin() + 1);
    put16(data, 3, raw_u16(*low, 1000));
    data[5] = static_cast<std::uint8_t>(low - cells.begin() + 1);
    return data;
  }

  static std::uint8_t celsius(double value) { return raw<std::uint8_t>(value, 1, 40); }

  [[nodiscard]] Data temperature_extremes_data() const {
    Data data = blank();
    const auto& sensors = pack().temperatures;
    if (sensors.empty()) return data;
    const auto [low, high] = std::minmax_element(sensors.begin(), sensors.end());
    data[0] = celsius(*high);
    data[1] = static_cast<std::uint8_t>(high - sensors.begin() + 1);
    data[2] = celsius(*low);
    data[3] = static_cast<std::uint8_t>(low - sensors.begin() + 1);
    return data;
  }

  [[nodiscard]] Data fet_data() {
    Data data{};
    if (pack().current > 0) data[0] = 1;
    if (pack().current < 0) data[0] = 2;
    data[1] = pack().charge_fet ? 1 : 0;
    data[2] = pack().discharge_fet ? 1 : 0;
    data[3] = heartbeat_stuck_ ? heartbeat_ : heartbeat_++;
    put32(data, 4, raw_u32(pack().remaining(), 1000));
    return data;
  }

  [[nodiscard]] Data status_data() const {
    Data data = blank();
    data[0] = static_cast<std::uint8_t>(announced_cells_ < 0 ? static_cast<int>(pack().cells.size()) : announced_cells_);
    data[1] = static_cast<std::uint8_t>(pack().temperatures.size());
    data[2] = charger_ ? 1 : 0;
    data[3] = load_ ? 1 : 0;
    data[4] = 0x02;
    put16(data, 5, raw_u16(pack().cycles));
    if (mos_in_status_) data[7] = celsius(pack().mos_temperature);
    return data;
  }

  [[nodiscard]] std::vector<Data> cell_frames(bool all) const {
    const auto& cells = pack().cells;
    const std::size_t count = all ? 16 : (cells.size() + 2) / 3;
    std::vector<Data> frames;
    Data data = blank();
    for (std::size_t n = 0; n < count; ++n) {
      data[0] = static_cast<std::uint8_t>(n + 1);
      for (std::size_t i = 0; i < 3; ++i) {
        if (3 * n + i < cells.size()) put16(data, 1 + 2 * i, raw_u16(cells[3 * n + i], 1000));
      }
      frames.push_back(data);
      if (!stale_bytes_) data = {};
    }
    return frames;
  }

  [[nodiscard]] std::vector<Data> temperature_frames() const {
    const auto& sensors = pack().temperatures;
    const std::size_t count = std::max<std::size_t>(2, (sensors.size() + text_per_frame - 1) / text_per_frame);
    std::vector<Data> frames(count);
    for (std::size_t n = 0; n < count; ++n) {
      frames[n][0] = static_cast<std::uint8_t>(n + 1);
      for (std::size_t i = 0; i < 7 && 7 * n + i < sensors.size(); ++i) frames[n][1 + i] = celsius(sensors[7 * n + i]);
    }
    return frames;
  }

  [[nodiscard]] Data balancing_data() const {
    Data data{};
    if (active_balancer_) {
      data[1] = static_cast<std::uint8_t>(pack().balancing == 0 ? 0 : std::countr_zero(pack().balancing) + 1);
    } else {
      for (std::size_t i = 0; i < 6; ++i) data[i] = static_cast<std::uint8_t>(pack().balancing >> (8 * i));
    }
    return data;
  }

  [[nodiscard]] Data faults_data() const {
    Data data{};
    for (std::size_t i = 0; i < 7; ++i) data[i] = static_cast<std::uint8_t>(faults_word_ >> (8 * i));
    data[7] = fault_code_;
    return data;
  }

  [[nodiscard]] Data rated_data() const {
    Data data{};
    put32(data, 0, rated_mah_);
    put32(data, 4, nominal_cell_mv_);
    return data;
  }

  [[nodiscard]] Data info_data() const {
    Data data{};
    data[0] = chemistry_;
    data[2] = year_;
    data[3] = month_;
    data[4] = day_;
    put16(data, 5, sleep_seconds_);
    return data;
  }

  static std::vector<Data> text_frames(const std::string& text, std::size_t count) {
    std::vector<Data> frames(count);
    for (std::size_t n = 0; n < count; ++n) {
      frames[n][0] = static_cast<std::uint8_t>(n + 1);
      for (std::size_t i = 0; i < text_per_frame; ++i) {
        const std::size_t at = n * text_per_frame + i;
        frames[n][1 + i] = static_cast<std::uint8_t>(at < text.size() ? text[at] : ' ');
      }
    }
    return frames;
  }

  std::uint64_t faults_word_ = 0;
  std::uint8_t fault_code_ = 0;
  bool charging_counts_up_ = false;  // new boards; classic ones count discharge upwards
  std::uint8_t heartbeat_ = 16;
  bool heartbeat_stuck_ = false;
  bool charger_ = false;
  bool load_ = false;
  bool mos_in_status_ = false;    // new boards: MOSFET temperature in d7 of 94
  bool active_balancer_ = false;  // 97 holds the number of the cell instead of bits
  std::uint32_t rated_mah_ = 40000;
  std::uint32_t nominal_cell_mv_ = 3700;
  std::uint8_t chemistry_ = 1;
  std::uint8_t year_ = 21;  // since 2000
  std::uint8_t month_ = 2;
  std::uint8_t day_ = 22;
  std::uint16_t sleep_seconds_ = 3600;
  std::string code_ = "SIMULATED-14S";
  std::string hardware_ = "DL-BMS-R32-01E";
  std::string software_ = "20210222-1.01T";
  int announced_cells_ = -1;   // in 94; -1: the number of cells
  bool sleep_ = false;         // returns the request
  bool extra_frames_ = false;  // 16 frames of cells also for host 40
  bool stale_bytes_ = true;
  bool only_host_80_ = false;
  bool shuffle_ = false;             // several frames in another order
  std::uint8_t silent_command_ = 0;  // this one is unknown to the firmware
  bool rated_silent_ = false;
  unsigned acknowledgements_ = 1;  // of writes: none, one or two
  bool refuse_writes_ = false;
  Duration min_gap_ = 0ms;
  Duration latency_ = 50ms;
  Data last_{};
};

const ModelRegistration registration{{"Daly", "Daly board, A5 protocol", {9600}, 0x40, make_model<Daly>}};

}  // namespace

}  // namespace serialbattery::simulator
