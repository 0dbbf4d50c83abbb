// The bus address that an entry of BATTERY_ADDRESSES stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace serialbattery::config {

/// Two hex digits with or without 0x: "0x0A", "0a". nullopt for anything else.
[[nodiscard]] std::optional<std::uint8_t> bus_address(std::string_view text);

}  // namespace serialbattery::config
