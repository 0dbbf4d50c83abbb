#include "simulator/uart.hpp"

#include <bit>

namespace serialbattery::simulator {

namespace {

bool parity_of(unsigned byte, ParityBit parity) {
  return (std::popcount(byte) % 2 == 1) != (parity == ParityBit::odd);
}

unsigned bits_per_byte(const Line& line) {
  return line.parity == ParityBit::none ? 10 : 11;
}

std::vector<bool> serialise(Bytes data, const Line& line) {
  std::vector<bool> bits;
  bits.reserve(data.size() * bits_per_byte(line));
  for (const unsigned byte : data) {
    bits.push_back(false);
    for (unsigned i = 0; i < 8; ++i) bits.push_back(((byte >> i) & 1U) != 0);
    if (line.parity != ParityBit::none) bits.push_back(parity_of(byte, line.parity));
    bits.push_back(true);
  }
  return bits;
}

}  // namespace

Duration byte_time(const Line& line) {
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(bits_per_byte(line))) / line.baud;
}

ByteVector resample(Bytes sent, const Line& from, const Line& to) {
  if (from == to) return {sent.begin(), sent.end()};
  const std::vector<bool> bits = serialise(sent, from);
  // Time in units of 1 / (2 * from.baud * to.baud) s, so that bit edges and sampling points of both rates are whole numbers.
  const std::uint64_t sent_bit = 2ULL * to.baud;
  const std::uint64_t read_bit = 2ULL * from.baud;
  const std::uint64_t end = bits.size() * sent_bit;
  const auto high = [&](std::uint64_t time) { return time >= end || bits[time / sent_bit]; };
  const auto next_edge = [&](std::uint64_t time) { return (time / sent_bit + 1) * sent_bit; };

  ByteVector read;
  std::uint64_t time = 0;
  while (time < end) {
    if (high(time)) {
      time = next_edge(time);
      continue;
    }
    const auto sample = [&](unsigned bit) { return high(time + bit * read_bit + read_bit / 2); };
    if (sample(0)) {  // a glitch, not a start bit
      time = next_edge(time);
      continue;
    }
    unsigned byte = 0;
    for (unsigned i = 0; i < 8; ++i) byte |= sample(1 + i) ? 1U << i : 0U;
    const unsigned stop = bits_per_byte(to) - 1;
    const bool good = sample(stop) && (to.parity == ParityBit::none || sample(9) == parity_of(byte, to.parity));
    read.push_back(static_cast<std::uint8_t>(good ? byte : 0));
    time += stop * read_bit + read_bit / 2;
    while (!high(time)) time = next_edge(time);  // after a framing error the receiver waits for an idle line
  }
  return read;
}

}  // namespace serialbattery::simulator
