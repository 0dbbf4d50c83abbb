// The 32 bits of an access to a MAX17853, from the chip's side.
//
//   in    31 read  30..23 register  22..20 CRC of bits 31..23  19..4 data  3 read  2..0 CRC of the data
//   out   31..27 flags                                         19..4 data  3 ok    2..0 CRC of the data
#pragma once

#include "serialbattery/wire.hpp"

namespace serialbattery::simulator::max17853 {

/// Remainder of value * x^3 divided by x^3 + x + 1.
inline unsigned crc3(std::uint32_t value, unsigned bits) {
  std::uint32_t rest = value << 3U;
  for (unsigned bit = bits + 2; bit >= 3; --bit) {
    if (((rest >> bit) & 1U) != 0) rest ^= 0xBU << (bit - 3);
  }
  return rest & 7U;
}

struct Request {
  bool read;
  std::uint8_t reg;
  unsigned head_crc;
  std::uint16_t data;
  bool read_again;
  unsigned data_crc;

  [[nodiscard]] bool is_good() const {
    return head_crc == crc3((read ? 0x100U : 0U) | reg, 9) && data_crc == crc3(data, 16) && read == read_again;
  }
};

/// Of four bytes.
inline Request parse(Bytes frame) {
  const std::uint32_t word = wire::u32be(frame, 0);
  return {(word >> 31U) != 0,       static_cast<std::uint8_t>(word >> 23U),
          (word >> 20U) & 7U,       static_cast<std::uint16_t>(word >> 4U),
          ((word >> 3U) & 1U) != 0, word & 7U};
}

inline ByteVector reply(unsigned flags, std::uint16_t data) {
  ByteVector frame;
  wire::put_u32be(frame, flags << 27U | std::uint32_t{data} << 4U | 1U << 3U | crc3(data, 16));
  return frame;
}

/// What the chip says meanwhile to a write.
inline ByteVector reply_to_write(unsigned flags) {
  ByteVector frame;
  wire::put_u32be(frame, flags << 27U);
  return frame;
}

}  // namespace serialbattery::simulator::max17853
