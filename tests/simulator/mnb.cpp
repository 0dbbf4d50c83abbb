// The MAX17853 of an MNB board, 8 cells: 256 registers on SPI, 4 bytes an access, whole at the same time in both directions.
//
//   66 scan control   47 current   48..4F cells   55 block   57 die   59..5E thermistors   02..06 status   6F..80 balancer
//
// A scan takes two looks at register 66. Status bits stay until 0 is written. Frames: max17853_frame.hpp.
#include "simulator/device.hpp"
#include "simulator/encode.hpp"
#include "simulator/max17853_frame.hpp"

namespace serialbattery::simulator {

namespace {

constexpr unsigned status_first = 0x02, status_last = 0x06, scan_control = 0x66, balance_control = 0x80;
constexpr unsigned scan_ready = 0xA000, power_on = 0x4000;

/// 14 bits, left-justified.
std::uint16_t measured(double value, double full_scale) {
  return static_cast<std::uint16_t>(std::min(raw_u16(value, 16384 / full_scale), std::uint16_t{16383}) << 2U);
}

class Max17853 final : public Bms {
 public:
  explicit Max17853(std::uint8_t address) : Bms(address) {
    pack().cells.assign(8, 3.3);
    pack().temperatures.assign(6, 25);
    pack().mos_temperature = 35;  // of the die
    Properties& table = properties();
    table.number("version", version_);
    table.number("stuck", stuck_, {0, 2});  // data line: 0 works, 1 low, 2 high
    table.flag("never_ready", never_ready_);
    table.flag("balancer_fails", balancer_fails_);
    table.milliseconds("balance_time", balance_time_);
    table.number("set_bits", set_bits_);  // of status 1, with the next scan
    table.add(
        "register", [] { return std::string(); },
        [this](std::string_view number) { shown_ = static_cast<unsigned>(parse_number(number)); });
    table.add(
        "content", [this] { return std::to_string(registers_.at(shown_)); },
        [this](std::string_view value) { registers_.at(shown_) = static_cast<std::uint16_t>(parse_number(value)); });
    table.add(
        "power", [] { return "on"; }, [this](std::string_view) { power_up(); });  // off and on again
    power_up();
  }

 protected:
  Input recognise(Bytes input) const override { return input.size() < 4 ? Input::incomplete() : Input::request(4); }

  Answer answer(Bytes frame, TimePoint now) override {
    if (stuck_ != 0) return {Part{Duration::zero(), ByteVector(4, stuck_ == 1 ? 0x00 : 0xFF)}};
    const max17853::Request request = max17853::parse(frame);
    if (!request.is_good()) return {Part{Duration::zero(), max17853::reply_to_write(0x10)}};
    if (request.read) return {Part{Duration::zero(), max17853::reply(flags(), read(request.reg, now))}};
    write(request.reg, request.data, now);
    return {Part{Duration::zero(), max17853::reply_to_write(flags())}};
  }

 private:
  void power_up() {
    registers_.fill(0);
    registers_[status_first] = power_on;
  }

  [[nodiscard]] unsigned flags() const {
    unsigned bits = 0;
    for (unsigned reg = status_first; reg <= status_last; ++reg) bits |= registers_[reg];
    return bits != 0 ? 1 : 0;
  }

  std::uint16_t read(unsigned reg, TimePoint now) {
    if (reg == 0) return version_;
    if (reg == balance_control) return balancer(now);
    if (reg == scan_control && !never_ready_ && looks_ < 2 && ++looks_ == 2) registers_[scan_control] |= scan_ready;
    return registers_[reg];
  }

  void write(unsigned reg, std::uint16_t value, TimePoint now) {
    registers_[reg] = value;
    if (reg == scan_control && (value & 1U) != 0) scan();
    if (reg == balance_control) balancing_since_ = now;
  }

  [[nodiscard]] std::uint16_t balancer(TimePoint now) const {
    const std::uint16_t control = registers_[balance_control];
    if (control == 0) return 0;
    const unsigned state = balancer_fails_ ? 3 : now - balancing_since_ > balance_time_ ? 2 : 1;
    return static_cast<std::uint16_t>(control | state << 14U);
  }

  // The board: amplifier of the shunt on channel 1, cells on channels 2 to 9, thermistors from the reference to ground.
  void scan() {
    looks_ = 0;
    const double sense = (pack().current - 2.2) * 0.025 + 2.5;
    registers_[0x47] = measured(sense, 5);
    for (unsigned i = 0; i < 8; ++i) registers_[0x48 + i] = measured(cell(i), 5);
    registers_[0x55] = measured(pack().voltage() + sense, 65);
    registers_[0x56] = raw_u16(pack().voltage(), 1 / 0.00122);
    registers_[0x57] = measured((pack().mos_temperature + 273 - 8.3) * 0.0032, 2.3077);
    for (unsigned i = 0; i < std::min<std::size_t>(pack().temperatures.size(), 6); ++i)
      registers_[0x59 + i] = static_cast<std::uint16_t>(raw_u16(16383 / std::exp((pack().temperatures[i] + 12.74) * 0.01998)) << 2U);
    compare();
    registers_[status_first] |= std::exchange(set_bits_, std::uint16_t{0});
  }

  // Over- and under-voltage against the thresholds in the registers, for channels that are watched.
  void compare() {
    double low = 65, high = 0;
    for (unsigned i = 0; i < 8; ++i) {
      const std::uint16_t raw = registers_[0x48 + i];
      if (is_watched(0x1A, i + 1) && raw > registers_[0x20]) registers_[status_first] |= 1U << 12U;
      if (is_watched(0x1B, i + 1) && raw < registers_[0x22]) registers_[status_first] |= 1U << 11U;
      low = std::min(low, cell(i));
      high = std::max(high, cell(i));
    }
    if (registers_[0x23] != 0 && measured(high - low, 5) > registers_[0x23]) registers_[status_first] |= 1U << 13U;
    for (unsigned i = 0; i < 4; ++i) {
      const std::uint16_t raw = registers_[0x59 + i];
      if (is_watched(0x1C, i) && raw > registers_[0x31]) registers_[status_first] |= 1U << 8U;
      if (is_watched(0x1D, i) && raw < registers_[0x33]) registers_[status_first] |= 1U << 7U;
    }
  }
  [[nodiscard]] bool is_watched(unsigned reg, unsigned bit) const { return ((registers_[reg] >> bit) & 1U) != 0; }
  [[nodiscard]] double cell(unsigned i) const { return i < pack().cells.size() ? pack().cells[i] : 0; }

  std::array<std::uint16_t, 256> registers_{};
  std::uint16_t version_ = 0x8530;
  unsigned stuck_ = 0;
  bool never_ready_ = false;
  bool balancer_fails_ = false;
  Duration balance_time_ = 60s;
  TimePoint balancing_since_{};
  std::uint16_t set_bits_ = 0;
  unsigned looks_ = 2;
  unsigned shown_ = 0;
};

const ModelRegistration registration{{"MNB", "MAX17853 of an MNB board on SPI", {500'000}, 0, make_model<Max17853>}};

}  // namespace

}  // namespace serialbattery::simulator
