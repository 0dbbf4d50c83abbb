// The identifier of a battery that doesn't tell one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace serialbattery {

/// Letters and digits of the hardware version, '_', capacity (Ah), e.g. "JKB2A20S20P_280.0Ah".
[[nodiscard]] std::string fallback_unique_id(std::string_view hardware_version, std::optional<double> capacity);

}  // namespace serialbattery
