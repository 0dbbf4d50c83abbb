// A serial line: its settings, how long bytes need on it, and what a receiver with other settings makes of them.
#pragma once

#include <chrono>
#include <cstdint>

#include "serialbattery/clock.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::simulator {

enum class ParityBit : std::uint8_t { none, even, odd };

/// 8 data bits, 1 stop bit.
struct Line {
  unsigned baud = 9600;
  ParityBit parity = ParityBit::none;
  bool operator==(const Line&) const = default;
};

/// Start bit to stop bit of one byte.
Duration byte_time(const Line& line);

/// What a receiver set to `to` reads of bytes sent back to back with `from`: the bit stream sampled at the other rate.
/// As on a Linux tty, a byte with a framing or parity error reads as 0. Equal settings give the bytes unchanged.
ByteVector resample(Bytes sent, const Line& from, const Line& to);

}  // namespace serialbattery::simulator
