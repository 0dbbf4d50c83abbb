#include "config/bus_address.hpp"

#include <charconv>

namespace serialbattery::config {

std::optional<std::uint8_t> bus_address(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::uint8_t address = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), address, 16);
  if (text.size() != 2 || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return address;
}

}  // namespace serialbattery::config
