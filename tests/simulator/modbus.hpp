// The slave side of Modbus RTU: what a simulated device needs to understand requests and to form answers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "simulator/device.hpp"

namespace serialbattery::simulator::modbus {

enum Function : std::uint8_t {
  read_coils = 0x01,
  read_discrete = 0x02,
  read_holding = 0x03,
  read_input = 0x04,
  write_coil = 0x05,
  write_single = 0x06,
  write_coils = 0x0F,
  write_multiple = 0x10,
};

enum Exception : std::uint8_t { illegal_function = 1, illegal_address = 2, illegal_value = 3, device_failure = 4 };

/// Looks for a request of the functions above with the right CRC; one for another address is foreign.
Input recognise(Bytes input, std::uint8_t address);

inline std::uint8_t function(Bytes request) {
  return request[1];
}
/// Register address and number of registers (or coils); of a single write: the value.
inline std::uint16_t start(Bytes request) {
  return wire::u16be(request, 2);
}
inline std::uint16_t quantity(Bytes request) {
  return wire::u16be(request, 4);
}
/// The data of a request of function 0F or 10.
Bytes written(Bytes request);

/// Appends the CRC, low byte first.
ByteVector with_crc(ByteVector frame);

/// Answer to functions 01 to 04.
Answer read_answer(std::uint8_t address, Bytes request, Bytes data);
/// The eight bytes that acknowledge function 0F or 10.
ByteVector acknowledgement(std::uint8_t address, std::uint16_t start, std::uint16_t quantity, std::uint8_t function = write_multiple);
Answer exception(std::uint8_t address, Bytes request, std::uint8_t code);

/// How long slaves take to answer, unless a model says otherwise.
constexpr Duration usual_delay = 20ms;

/// A device with registers. `Base` is Bms or Device. A model says what its registers hold; framing, exceptions and the fault
/// wrong_byte_count come from here.
template <typename Base>
class Slave : public Base {
 public:
  explicit Slave(std::uint8_t address) : Base(address) { Base::fault_properties().flag("wrong_byte_count", wrong_byte_count_); }

 protected:
  Input recognise(Bytes input) const override { return modbus::recognise(input, Base::address()); }
  Answer refuse(Bytes request, std::uint8_t code) override { return exception(Base::reply_address(), request, code); }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    switch (function(request)) {
      case read_holding:
      case read_input: return read(request);
      case write_single: return write_registers(start(request), request.subspan(4, 2)) ? echo(request) : refuse(request, illegal_address);
      case write_multiple: return write_many(request);
      case read_coils:
      case read_discrete: return read_bits(request);
      case write_coil: return write_coil_at(start(request), quantity(request) != 0) ? echo(request) : refuse(request, illegal_address);
      default: return refuse(request, illegal_function);
    }
  }

  /// `count` registers from `first` on; nullopt: exception 02.
  virtual std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) = 0;
  /// Takes big-endian register values; false: exception 02.
  virtual bool write_registers(std::uint16_t /*first*/, Bytes /*values*/) { return false; }
  /// As registers(), for coils and discrete inputs.
  virtual std::optional<std::vector<bool>> coils(std::uint8_t /*function*/, std::uint16_t /*first*/, std::uint16_t /*count*/) {
    return std::nullopt;
  }
  virtual bool write_coil_at(std::uint16_t /*coil*/, bool /*on*/) { return false; }

 private:
  Answer read(Bytes request) {
    const std::uint16_t count = quantity(request);
    if (count < 1 || count > 125) return refuse(request, illegal_value);
    const auto values = registers(function(request), start(request), count);
    if (!values) return refuse(request, illegal_address);
    ByteVector data;
    for (const std::uint16_t value : *values) wire::put_u16be(data, value);
    if (wrong_byte_count_ && Base::faults().struck()) data.resize(data.size() - 2);
    return read_answer(Base::reply_address(), request, data);
  }

  Answer read_bits(Bytes request) {
    const auto values = coils(function(request), start(request), quantity(request));
    if (!values) return refuse(request, illegal_address);
    ByteVector data((values->size() + 7) / 8);
    for (std::size_t i = 0; i < values->size(); ++i) data[i / 8] |= static_cast<std::uint8_t>(((*values)[i] ? 1U : 0U) << (i % 8));
    return read_answer(Base::reply_address(), request, data);
  }

  Answer write_many(Bytes request) {
    if (written(request).size() != quantity(request) * 2U) return refuse(request, illegal_value);
    if (!write_registers(start(request), written(request))) return refuse(request, illegal_address);
    return {Part{usual_delay, acknowledgement(Base::reply_address(), start(request), quantity(request))}};
  }

  /// Single writes are acknowledged by a copy.
  Answer echo(Bytes request) {
    ByteVector copy(request.begin(), request.end() - 2);
    copy[0] = Base::reply_address();
    return {Part{usual_delay, with_crc(std::move(copy))}};
  }

  bool wrong_byte_count_ = false;
};

}  // namespace serialbattery::simulator::modbus
