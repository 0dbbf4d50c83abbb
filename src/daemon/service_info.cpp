#include "daemon/service_info.hpp"

#include <fmt/format.h>

#include "model/unique_id.hpp"
#include "venus/identity.hpp"

namespace serialbattery::daemon {

std::string connection_text(const std::string& device, const Candidate& where) {
  if (where.entry->transport == Transport::spi) return "SPI " + device;
  if (!where.address_text.empty()) return fmt::format("Serial {}__{}", device, where.address_text);
  if (where.entry->addressable || where.entry->connection_address) return fmt::format("Serial {}__0x{:02X}", device, where.address);
  return "Serial " + device;
}

std::string unique_identifier(const Config& config, const std::string& port_name, const Candidate& where, const Battery& battery) {
  if (config.use_port_as_unique_id) {
    const std::string address = where.address_text.empty() ? std::string(where.entry->port_id_address) : where.address_text;
    return venus::port_unique_id(port_name, address);
  }
  const Identity& identity = battery.identity;
  return identity.unique_id.empty() ? fallback_unique_id(identity.hardware_version, battery.capacity) : identity.unique_id;
}

std::string type_text(const Candidate& where, const Battery& battery) {
  return battery.identity.type_text.empty() ? std::string(where.entry->text) : battery.identity.type_text;
}

std::string product_name(const std::string& unique_id, const std::string& port_name, const std::string& type_text) {
  return fmt::format("SerialBattery {} @ {} ({})", unique_id, port_name, type_text);
}

venus::ConfigItem config_item(const config::PublishedValue& published) {
  venus::ConfigItem item{.key = std::string(published.key), .type = venus::Type::real, .value = {}};
  if (const auto* integer = std::get_if<int>(&published.value)) {
    item.type = venus::Type::integer;
    item.value = std::int64_t{*integer};
  } else if (const auto* real = std::get_if<double>(&published.value)) {
    item.value = *real;
  } else if (const auto* text = std::get_if<std::string>(&published.value)) {
    item.type = venus::Type::text;
    item.value = *text;
  }
  return item;
}

}  // namespace serialbattery::daemon
