#include "daemon/wanted_services.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace serialbattery::daemon {

std::vector<std::string> wanted_services(const Config& config, std::span<const DriverEntry> drivers) {
  const auto exists = [&](Transport transport, std::string_view type = {}) {
    return std::ranges::any_of(
        drivers, [&](const DriverEntry& entry) { return entry.transport == transport && (type.empty() || entry.type == type); });
  };
  std::vector<std::string> lines;
  if (config.serial_starter_enabled) lines.emplace_back("serial-starter");
  // "Type MAC, Type MAC"; the number in the name is the place in the list, so that a name stays when another battery's type is unknown.
  std::istringstream pairs(config.bluetooth_bms);
  std::string pair;
  for (unsigned index = 0; std::getline(pairs, pair, ','); ++index) {
    std::istringstream words(pair);
    std::string type, mac;
    if (words >> type >> mac && exists(Transport::ble, type)) lines.push_back(fmt::format("dbus-blebattery.{} {} {}", index, type, mac));
  }
  if (exists(Transport::can)) {
    for (const std::string& port : config.can_port) lines.push_back(fmt::format("dbus-canbattery.{} {}", port, port));
  }
  if (exists(Transport::mqtt) && !config.mqtt_topic.empty())
    lines.push_back(fmt::format("dbus-mqttbattery mqtt {}", fmt::join(config.mqtt_topic, ",")));
  // Boards on the SPI bus of a Raspberry Pi; nothing looks for them unasked.
  const auto is_spi = [&](const std::string& type) { return exists(Transport::spi, type); };
  if (std::ranges::any_of(config.bms_type, is_spi)) lines.emplace_back("dbus-spibattery.spidev0.0 /dev/spidev0.0");
  return lines;
}

}  // namespace serialbattery::daemon
