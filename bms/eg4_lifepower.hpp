// The frames of Tian Power boards (EG4 LifePower4 and others), and what they hold.
//
//   SOI  address command LEN  data[LEN]  CHK  0D        SOI 7E, in older Revov firmware 7C; CHK = XOR of all bytes ^ sum of all bytes
//
// 0D is common inside the data: only LEN tells where a frame ends.
#pragma once

#include <boost/json/object.hpp>

#include "serialbattery/battery.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::eg4_lifepower {

enum Command : std::uint8_t { information = 0x01, firmware = 0x33, barcode = 0x42 };
constexpr std::uint8_t usual_start = 0x7E, older_start = 0x7C;

ByteVector encode(std::uint8_t start, std::uint8_t address, std::uint8_t command);

/// A whole good frame, and nothing else.
bool is_frame(Bytes bytes);

/// The answer to `request`: the first good frame with its start byte, address and command that isn't its echo.
Scan scan(Bytes request, Bytes received);

inline Bytes data_of(Bytes frame) {
  return frame.subspan(4, frame[3]);
}

/// Decoder of `information`. Throws FrameError(implausible); `into` may then be partly changed.
void decode_information(Bytes data, Battery& into, boost::json::object& details);

/// All letters and digits of a frame.
std::string letters_of(Bytes frame);

}  // namespace serialbattery::eg4_lifepower
