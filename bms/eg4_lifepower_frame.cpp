// The frames; see eg4_lifepower.hpp.
#include "bms/eg4_lifepower.hpp"

#include <algorithm>
#include <numeric>

namespace serialbattery::eg4_lifepower {

namespace {

constexpr std::uint8_t end_byte = 0x0D;
constexpr std::size_t envelope = 6;  // bytes of a frame without data

std::uint8_t checksum(Bytes bytes) {
  const auto mixed = std::accumulate(bytes.begin(), bytes.end(), 0U, std::bit_xor<unsigned>{});
  return static_cast<std::uint8_t>(mixed ^ wire::sum(bytes));
}

}  // namespace

ByteVector encode(std::uint8_t start, std::uint8_t address, std::uint8_t command) {
  ByteVector frame{start, address, command, 0};
  frame.push_back(checksum(frame));
  frame.push_back(end_byte);
  return frame;
}

bool is_frame(Bytes bytes) {
  if (bytes.size() < envelope || bytes.size() != bytes[3] + envelope || bytes.back() != end_byte) return false;
  return (bytes[0] == usual_start || bytes[0] == older_start) && bytes[bytes.size() - 2] == checksum(bytes.first(bytes.size() - 2));
}

Scan scan(Bytes request, Bytes received) {
  std::optional<Fault> damage;
  bool begun = false;
  for (std::size_t at = 0; at < received.size(); ++at) {
    const Bytes rest = received.subspan(at);
    const std::size_t known = std::min<std::size_t>(rest.size(), 3);
    if (!std::equal(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(known), request.begin())) continue;
    if (rest.size() >= request.size() && std::equal(request.begin(), request.end(), rest.begin())) {
      at += request.size() - 1;
      continue;
    }
    if (rest.size() < 4 || rest.size() < rest[3] + envelope) {
      begun = begun || rest.size() >= 3;
      continue;
    }
    const std::size_t size = rest[3] + envelope;
    if (rest[size - 1] != end_byte) {
      damage = damage.value_or(Fault::length);
    } else if (rest[size - 2] != checksum(rest.first(size - 2))) {
      damage = damage.value_or(Fault::checksum);
    } else {
      return Scan::found(at, at + size);
    }
  }
  const Fault fault = damage.value_or(Fault::timeout);
  return begun ? Scan::started(fault, "answer is incomplete") : Scan::searching(fault, damage ? "damaged answer" : "");
}

}  // namespace serialbattery::eg4_lifepower
