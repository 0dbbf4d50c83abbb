// What can be a name or a path on D-Bus at all. The bus refuses to listen for anything else.
#pragma once

#include <string_view>

namespace serialbattery {

/// "com.victronenergy.battery.ttyS2"
[[nodiscard]] bool is_bus_name(std::string_view text);

/// "/Dc/0/Current"
[[nodiscard]] bool is_item_path(std::string_view text);

}  // namespace serialbattery
