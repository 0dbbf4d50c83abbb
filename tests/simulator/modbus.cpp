#include "simulator/modbus.hpp"

#include "simulator/encode.hpp"

namespace serialbattery::simulator::modbus {

Input recognise(Bytes input, std::uint8_t address) {
  if (input.size() < 2) return Input::incomplete();
  std::size_t size = 8;
  switch (function(input)) {
    case read_coils:
    case read_discrete:
    case read_holding:
    case read_input:
    case write_coil:
    case write_single: break;
    case write_coils:
    case write_multiple:
      if (input.size() < 7) return Input::incomplete();
      size = 9U + input[6];
      break;
    default: return Input::noise();
  }
  if (input.size() < size) return Input::incomplete();
  if (wire::crc_modbus(input.first(size)) != 0) return Input::noise();
  return input[0] == address ? Input::request(size) : Input::foreign(size);
}

Bytes written(Bytes request) {
  return request.subspan(7, request.size() - 9);
}

ByteVector with_crc(ByteVector frame) {
  wire::put_u16le(frame, wire::crc_modbus(frame));
  return frame;
}

Answer read_answer(std::uint8_t address, Bytes request, Bytes data) {
  ByteVector frame = {address, function(request), static_cast<std::uint8_t>(data.size())};
  append(frame, data);
  return {Part{usual_delay, with_crc(std::move(frame))}};
}

ByteVector acknowledgement(std::uint8_t address, std::uint16_t start, std::uint16_t quantity, std::uint8_t function) {
  ByteVector frame = {address, function};
  wire::put_u16be(frame, start);
  wire::put_u16be(frame, quantity);
  return with_crc(std::move(frame));
}

Answer exception(std::uint8_t address, Bytes request, std::uint8_t code) {
  return {Part{usual_delay, with_crc({address, static_cast<std::uint8_t>(function(request) | 0x80U), code})}};
}

}  // namespace serialbattery::simulator::modbus
