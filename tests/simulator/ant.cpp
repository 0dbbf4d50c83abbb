// ANT boards: 19200 baud, one on a line. Old requests of 6 bytes, status of 140 bytes, big endian; new frames 7E A1 .. AA 55, little
// endian.
//
//   DB DB 00 00 00 00, 5A 5A 00 00 01 01, 5A 5A 00 00 00 00   status        5A 5A 1F/20   words of the configured capacity
//   A5 A5 reg value(2) sum, then A5 A5 FF 00 00 FF            FA charging, F9 discharging
//   7E A1 01 status   7E A1 02 device   7E A1 51 action: 06/04 charging on/off, 03/01 discharging
//
// Profiles: "2019" knows no 7E A1, "2021" everything, "5A-only" no DB, "new-only" no old requests.
#include "simulator/device.hpp"
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

namespace {

constexpr std::uint8_t on = 0x01, off_by_hand = 0x0F;

class Ant final : public Bms {
 public:
  explicit Ant(std::uint8_t address) : Bms(address) {
    pack().temperatures = {21, 22};
    Properties& table = properties();
    table.text("profile", profile_, 8);
    table.number("charge_code", charge_code_);
    table.number("discharge_code", discharge_code_);
    table.number("balancer_code", balancer_code_);
    table.number("balancer_temperature", balancer_temperature_, {-40, 120});
    table.number("missing_sensor", missing_sensor_, {-40, 0});  // how sensors 3 and 4 read when they are not fitted
    table.number("throughput", throughput_, {0, 4e6});
    table.number("cell_count", announced_cells_, {-1, 255});
    table.flag("hides_capacity", hides_capacity_);            // the status says 0
    table.flag("hides_configuration", hides_configuration_);  // the registers do, too
    table.flag("plain_device_frame", plain_device_frame_);    // without the 6 strange bytes
    table.text("software", software_, 16);
    table.text("hardware", hardware_, 16);
  }

 protected:
  Input recognise(Bytes input) const override {
    if (input[0] == 0x7E) {
      if (input.size() < 10) return input.size() > 1 && input[1] != 0xA1 ? Input::noise() : Input::incomplete();
      const bool good = wire::crc_modbus(input.subspan(1, 5)) == wire::u16le(input, 6) && input[8] == 0xAA && input[9] == 0x55;
      return input[1] == 0xA1 && good ? Input::request(10) : Input::noise();
    }
    if (input[0] != 0xDB && input[0] != 0x5A && input[0] != 0xA5) return Input::noise();
    if (input.size() > 1 && input[1] != input[0]) return Input::noise();
    if (input.size() < 6) return Input::incomplete();
    // 01 01 and 00 00 are both in use: the sum is that of the other bytes.
    return (wire::sum(input.subspan(2, 3)) & 0xFFU) == input[5] ? Input::request(6) : Input::noise();
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    if (request[0] == 0x7E) return profile_ == "2021" || profile_ == "new-only" ? answer_new(request) : Answer{};
    if (profile_ == "new-only") return {};
    switch (request[0]) {
      case 0xDB: return profile_ == "5A-only" ? Answer{} : old_status();
      case 0xA5: return write(request);
      default: return request[2] == 0 ? old_status() : read_register(request[2]);
    }
  }

  void spoil_checksum(ByteVector& frame) const override {
    if (frame.empty()) return;
    if (frame[0] == 0x7E) frame[frame.size() - 4] ^= 0x55;
    if (frame[0] != 0x7E) frame.back() ^= 0x55;
  }

 private:
  static Answer late(ByteVector frame) { return {Part{30ms, std::move(frame)}}; }

  [[nodiscard]] std::uint8_t cell_count() const {
    return announced_cells_ < 0 ? static_cast<std::uint8_t>(pack().cells.size()) : static_cast<std::uint8_t>(announced_cells_);
  }
  [[nodiscard]] std::uint8_t charge_code() const { return charge_code_ == on && !pack().charge_fet ? off_by_hand : charge_code_; }
  [[nodiscard]] std::uint8_t discharge_code() const {
    return discharge_code_ == on && !pack().discharge_fet ? off_by_hand : discharge_code_;
  }
  [[nodiscard]] double power() const { return -pack().voltage() * pack().current; }
  [[nodiscard]] std::uint32_t capacity() const { return hides_capacity_ ? 0 : raw_u32(pack().capacity, 1e6); }

  Answer old_status() const {
    ByteVector frame = {0xAA, 0x55, 0xAA, 0xFF};
    wire::put_u16be(frame, raw_u16(pack().voltage(), 10));
    for (std::size_t i = 0; i < 32; ++i) wire::put_u16be(frame, i < pack().cells.size() ? raw_u16(pack().cells[i], 1000) : 0U);
    wire::put_u32be(frame, raw_i32(-pack().current, 10));
    frame.push_back(raw<std::uint8_t>(pack().soc));
    wire::put_u32be(frame, capacity());
    wire::put_u32be(frame, raw_u32(pack().remaining(), 1e6));
    wire::put_u32be(frame, raw_u32(throughput_, 1000));
    wire::put_u32be(frame, 86400);  // run time, s
    wire::put_u16be(frame, raw_i16(pack().mos_temperature));
    wire::put_u16be(frame, raw_i16(balancer_temperature_));
    for (std::size_t i = 0; i < 4; ++i)
      wire::put_u16be(frame, raw_i16(i < pack().temperatures.size() ? pack().temperatures[i] : missing_sensor_));
    append(frame, ByteVector{charge_code(), discharge_code(), balancer_code_, 0x03, 0xE8, 0x00, 0x17, 0x00});
    wire::put_u32be(frame, raw_i32(power()));
    append(frame, ByteVector{1, 0x0C, 0xE4, 17, 0x0C, 0xE4, 0x0C, 0xE4, cell_count()});  // extremes after the inputs of the board: no use
    frame.resize(132);
    wire::put_u32be(frame, static_cast<std::uint32_t>(pack().balancing));
    wire::put_u16be(frame, 0);
    wire::put_u16be(frame, wire::sum(Bytes(frame).subspan(4)) & 0xFFFFU);
    return late(std::move(frame));
  }

  Answer read_register(std::uint8_t number) const {
    if (number != 0x1F && number != 0x20) return {};
    const std::uint32_t stored = hides_configuration_ ? 0 : raw_u32(pack().capacity, 1e6);
    ByteVector frame = {0x5A, 0x5A, number};
    wire::put_u16be(frame, number == 0x1F ? stored & 0xFFFFU : stored >> 16U);
    frame.push_back(static_cast<std::uint8_t>(wire::sum(Bytes(frame).subspan(2))));
    return late(std::move(frame));
  }

  // A write counts when it is applied.
  Answer write(Bytes request) {
    if (request[2] == 0xFA) waiting_charge_ = request[4] != 0;
    if (request[2] == 0xF9) waiting_discharge_ = request[4] != 0;
    if (request[2] == 0xFF) {
      pack().charge_fet = waiting_charge_.value_or(pack().charge_fet);
      pack().discharge_fet = waiting_discharge_.value_or(pack().discharge_fet);
      waiting_charge_.reset();
      waiting_discharge_.reset();
    }
    return late(ByteVector(request.begin(), request.end()));
  }

  static Answer frame_of(std::uint8_t function, Bytes address, const ByteVector& data, const ByteVector& extra = {}) {
    ByteVector frame = {0x7E, 0xA1, function};
    append(frame, address);
    frame.push_back(static_cast<std::uint8_t>(data.size()));
    append(frame, data);
    wire::put_u16le(frame, wire::crc_modbus(Bytes(frame).subspan(1)));
    append(frame, extra);
    append(frame, ByteVector{0xAA, 0x55});
    return late(std::move(frame));
  }

  Answer answer_new(Bytes request) {
    const auto reply = static_cast<std::uint8_t>(request[2] | 0x10U);
    const Bytes address = request.subspan(3, 2);
    switch (request[2]) {
      case 0x01: return frame_of(reply, address, new_status());
      case 0x02: return frame_of(reply, address, device(), plain_device_frame_ ? ByteVector{} : ByteVector{0xFF, 0x0B, 0, 0, 0x41, 0xF2});
      case 0x51: return switch_by(request[3]) ? frame_of(0x61, address, {}) : Answer{};
      default: return {};
    }
  }

  bool switch_by(std::uint8_t action) {
    if (action == 0x06 || action == 0x04) pack().charge_fet = action == 0x06;
    if (action == 0x03 || action == 0x01) pack().discharge_fet = action == 0x03;
    return action == 0x06 || action == 0x04 || action == 0x03 || action == 0x01;
  }

  [[nodiscard]] ByteVector device() const {
    ByteVector data;
    put_text(data, hardware_, 16);
    put_text(data, software_, 16);
    return data;
  }

  [[nodiscard]] ByteVector new_status() const {
    ByteVector data = {5,
                       pack().current == 0  ? std::uint8_t{1}
                       : pack().current > 0 ? std::uint8_t{2}
                                            : std::uint8_t{3},
                       static_cast<std::uint8_t>(pack().temperatures.size()), cell_count()};
    data.resize(4 + 24);  // masks of protections, warnings, balancing
    for (const double volts : pack().cells) wire::put_u16le(data, raw_u16(volts, 1000));
    for (const double celsius : pack().temperatures) wire::put_u16le(data, raw_i16(celsius));
    const std::size_t values = data.size();
    wire::put_u16le(data, raw_i16(pack().mos_temperature));
    wire::put_u16le(data, raw_i16(balancer_temperature_));
    wire::put_u16le(data, raw_u16(pack().voltage(), 100));
    wire::put_u16le(data, raw_i16(-pack().current, 10));
    wire::put_u16le(data, raw_u16(pack().soc));
    wire::put_u16le(data, raw_u16(pack().soh));
    append(data, ByteVector{discharge_code(), charge_code(), balancer_code_, 0});
    wire::put_u32le(data, capacity());
    wire::put_u32le(data, raw_u32(pack().remaining(), 1e6));
    wire::put_u32le(data, raw_u32(throughput_, 1000));
    wire::put_u32le(data, raw_i32(power()));
    wire::put_u32le(data, 86400);
    wire::put_u32le(data, static_cast<std::uint32_t>(pack().balancing));
    data.resize(values + 62);  // extremes, difference, average, others
    wire::put_u32le(data, raw_u32(throughput_ - 1, 1000));
    wire::put_u32le(data, raw_u32(throughput_ + 1, 1000));
    data.resize(values + 78);
    return data;
  }

  std::string profile_ = "2021";
  std::uint8_t charge_code_ = on, discharge_code_ = on, balancer_code_ = 0;
  double balancer_temperature_ = 26, missing_sensor_ = -40, throughput_ = 1234.567;
  int announced_cells_ = -1;  // -1: the number of cells
  bool hides_capacity_ = false, hides_configuration_ = false, plain_device_frame_ = false;
  std::string hardware_ = "16ZM", software_ = "16ZMUB00-211026A";
  std::optional<bool> waiting_charge_, waiting_discharge_;
};

const ModelRegistration registration{{"ANT", "ANT board, old and new protocol", {19200}, 0, make_model<Ant>}};

}  // namespace

}  // namespace serialbattery::simulator
