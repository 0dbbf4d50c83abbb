// Out of line: inlined into the builders of frames, GCC 12 warns of overflows that are not there.
#include "simulator/encode.hpp"

namespace serialbattery::simulator {

void put_text(ByteVector& out, std::string_view text, std::size_t size, char pad) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(i < text.size() ? text[i] : pad));
}

void append(ByteVector& out, Bytes data) {
  out.insert(out.end(), data.begin(), data.end());
}

}  // namespace serialbattery::simulator
