// What a JK PB board says: the 300-byte payloads of its three kinds of answers, and the properties behind them; see jkbms_pb.cpp.
#pragma once

#include <array>

#include "simulator/device.hpp"

namespace serialbattery::simulator::jkbms_pb {

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

class Content {
 public:
  Content(Pack& pack, Properties& properties, std::uint8_t address);

  /// `type_shown`: the type byte, which a fault may have changed.
  [[nodiscard]] Image image(const Kind& kind, std::uint8_t type_shown, std::uint8_t variant, Image::Order order) const;

  /// Settings are written as big-endian registers; false when there is none at this place.
  bool store(std::uint16_t start, std::uint16_t count, Bytes data);

 private:
  void bind_live(Properties& properties);
  void bind_settings(Properties& properties);
  void bind_about(Properties& properties);
  void fill_status(Image& out) const;
  void fill_settings(Image& out) const;
  void fill_about(Image& out) const;

  static constexpr std::size_t settings_count = 33;

  Pack& pack_;
  const std::uint8_t address_;
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
  std::array<std::uint32_t, settings_count> settings_{};
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
};

}  // namespace serialbattery::simulator::jkbms_pb
