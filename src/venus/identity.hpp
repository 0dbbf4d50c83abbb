// Who a battery is: the identifiers that its settings, its instance and its bus name hang on. Spec settings.md B.1, B.4.
//
// These texts are keys of data that users already have; they must come out exactly as earlier drivers made them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace serialbattery::venus {

/// The identifier with every character outside [A-Za-z0-9] replaced by '_'. Shown on /Serial.
[[nodiscard]] std::string bms_id(std::string_view unique_identifier);

/// USE_PORT_AS_UNIQUE_ID: "ttyUSB0__0x01".
[[nodiscard]] std::string port_unique_id(std::string_view port, std::string_view address_text);

/// Several units with the same identifier on one cable: the identifier of the unit at that address, e.g. "AB12_0x02".
[[nodiscard]] std::string id_with_address(std::string_view id, std::uint8_t address);

/// The settings group of a new battery: "serialbattery_" and the identifier in upper case.
[[nodiscard]] std::string group_name(std::string_view id);

/// "com.victronenergy.battery." + last part of the port (+ "__" + address as configured), illegal characters replaced by '_'.
[[nodiscard]] std::string battery_service_name(std::string_view port, std::string_view configured_address = {});

/// The last part of a path: "ttyUSB0" of "/dev/ttyUSB0".
[[nodiscard]] std::string_view base_name(std::string_view path);

/// The instance in "battery:3"; nullopt if it is malformed.
struct ClassAndInstance {
  std::string device_class;
  int instance = 0;
};
[[nodiscard]] std::optional<ClassAndInstance> parse_class_and_instance(std::string_view text);

}  // namespace serialbattery::venus
