// A smart electricity meter with an optical head: SML files (binary) unasked, 9600 baud.
//
//   1B 1B 1B 1B  01 01 01 01  messages  fill (00)  1B 1B 1B 1B  1A  number of fill bytes  CRC-16/X-25, low byte first
//   message = list of 6: transaction, group, abort, body (list of tag and content), CRC over all before it, 00
#include <boost/crc.hpp>

#include "simulator/encode.hpp"
#include "simulator/talker.hpp"

namespace serialbattery::simulator {

namespace {

std::uint16_t crc_x25(Bytes data) {
  boost::crc_optimal<16, 0x1021, 0xFFFF, 0xFFFF, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  return static_cast<std::uint16_t>(crc.checksum());
}

constexpr std::uint8_t absent = 0x01;  // an optional field that is not there

void put_list(ByteVector& out, unsigned size) {
  out.push_back(static_cast<std::uint8_t>(0x70U | size));
}
void put_octets(ByteVector& out, const ByteVector& bytes) {
  out.push_back(static_cast<std::uint8_t>(bytes.size() + 1));
  append(out, bytes);
}
void put_u8(ByteVector& out, std::uint8_t value) {
  out.push_back(0x62);
  out.push_back(value);
}
void put_i32(ByteVector& out, std::uint32_t value) {
  out.push_back(0x55);
  wire::put_u32be(out, value);
}

ByteVector message(std::uint8_t transaction, std::uint16_t tag, const ByteVector& content) {
  ByteVector out;
  put_list(out, 6);
  put_octets(out, {0x00, 0x00, 0x00, transaction});
  put_u8(out, 0);
  put_u8(out, 0);
  put_list(out, 2);
  out.push_back(0x63);
  wire::put_u16be(out, tag);
  append(out, content);
  const std::uint16_t crc = crc_x25(out);
  out.push_back(0x63);
  wire::put_u16le(out, crc);
  out.push_back(0x00);
  return out;
}

/// One value of the list: OBIS code, unit, power of ten, number.
void put_value(ByteVector& out, const ByteVector& obis, std::uint8_t unit, std::uint8_t power_of_ten, std::uint32_t value) {
  put_list(out, 7);
  put_octets(out, obis);
  out.push_back(absent);
  out.push_back(absent);
  put_u8(out, unit);
  out.push_back(0x52);
  out.push_back(power_of_ten);
  put_i32(out, value);
  out.push_back(absent);
}

class SmlMeter final : public Talker {
 public:
  explicit SmlMeter(std::uint8_t address) : Talker(address) {
    properties().number("power", power_, {-1e5, 1e5});
    properties().number("energy", energy_, {0, 2e5});
  }

 protected:
  Answer announce(TimePoint /*now*/) override {
    ByteVector file = {0x1B, 0x1B, 0x1B, 0x1B, 0x01, 0x01, 0x01, 0x01};
    append(file, message(1, 0x0101, open_response()));
    append(file, message(2, 0x0701, values()));
    append(file, message(3, 0x0201, {0x71, absent}));
    const std::size_t fill = (4 - file.size() % 4) % 4;
    file.resize(file.size() + fill, 0x00);
    append(file, ByteVector{0x1B, 0x1B, 0x1B, 0x1B, 0x1A, static_cast<std::uint8_t>(fill)});
    wire::put_u16le(file, crc_x25(file));
    return {Part{Duration::zero(), std::move(file)}};
  }

 private:
  static ByteVector server() { return {0x0A, 0x01, 0x45, 0x4D, 0x48, 0x00, 0x00, 0x12, 0x34, 0x56}; }

  static ByteVector open_response() {
    ByteVector out;
    put_list(out, 6);
    append(out, ByteVector{absent, absent});
    put_octets(out, {0x00, 0x01});
    put_octets(out, server());
    append(out, ByteVector{absent, absent});
    return out;
  }

  [[nodiscard]] ByteVector values() const {
    constexpr std::uint8_t watt_hours = 0x1E;
    constexpr std::uint8_t watts = 0x1B;
    ByteVector out;
    put_list(out, 7);
    out.push_back(absent);
    put_octets(out, server());
    out.push_back(absent);
    out.push_back(absent);
    put_list(out, 2);
    put_value(out, {0x01, 0x00, 0x01, 0x08, 0x00, 0xFF}, watt_hours, 0xFF, raw_u32(energy_, 10000));  // kWh in 0.1 Wh
    put_value(out, {0x01, 0x00, 0x10, 0x07, 0x00, 0xFF}, watts, 0x00, raw_i32(power_));
    out.push_back(absent);
    out.push_back(absent);
    return out;
  }

  double power_ = 421;     // W
  double energy_ = 12345;  // kWh
};

const ModelRegistration registration{{"SmlMeter", "smart meter, SML", {9600}, 0, make_model<SmlMeter>}};

}  // namespace

}  // namespace serialbattery::simulator
