#include "daemon/service_info.hpp"

#include <fmt/format.h>

namespace serialbattery::daemon {

std::string service_name(const std::string& port_name, const std::string& address_text) {
  std::string suffix = port_name + (address_text.empty() ? "" : "__" + address_text);
  for (char& c : suffix) {
    const bool allowed = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    if (!allowed) c = '_';
  }
  if (!suffix.empty() && suffix.front() >= '0' && suffix.front() <= '9') suffix.insert(0, "_");  // a bus name element begins with no digit
  return "com.victronenergy.battery." + suffix;
}

std::string connection_text(const std::string& device, const Candidate& where) {
  if (!where.address_text.empty()) return fmt::format("Serial {}__{}", device, where.address_text);
  if (where.entry->addressable || where.entry->connection_address) return fmt::format("Serial {}__0x{:02X}", device, where.address);
  return "Serial " + device;
}

std::string type_text(const Candidate& where, const Battery& battery) {
  return battery.identity.type_text.empty() ? std::string(where.entry->text) : battery.identity.type_text;
}

std::string product_name(const std::string& unique_id, const std::string& port_name, const std::string& type_text) {
  return fmt::format("SerialBattery {} @ {} ({})", unique_id, port_name, type_text);
}

}  // namespace serialbattery::daemon
