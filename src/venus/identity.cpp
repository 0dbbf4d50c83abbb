#include "venus/identity.hpp"

#include <spdlog/fmt/fmt.h>

#include <charconv>

namespace serialbattery::venus {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Bytes after the first of a UTF-8 character: the whole character becomes one replacement.
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::string replaced(std::string_view text, bool (*legal)(char)) {
  std::string result;
  for (const char c : text) {
    if (!is_continuation(c)) result += legal(c) ? c : '_';
  }
  return result;
}

}  // namespace

std::string bms_id(std::string_view unique_identifier) {
  return replaced(unique_identifier, is_alphanumeric);
}

std::string port_unique_id(std::string_view port, std::string_view address_text) {
  constexpr std::string_view devices = "/dev/";
  if (port.starts_with(devices)) port.remove_prefix(devices.size());
  return fmt::format("{}__{}", port, address_text);
}

std::string id_with_address(std::string_view id, std::uint8_t address) {
  return fmt::format("{}_0x{:02X}", id, address);
}

std::string group_name(std::string_view id) {
  std::string name = "serialbattery_";
  for (const char c : id) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string battery_service_name(std::string_view port, std::string_view configured_address) {
  std::string suffix(base_name(port));
  if (!configured_address.empty()) suffix += fmt::format("__{}", configured_address);
  return "com.victronenergy.battery." + replaced(suffix, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

std::optional<ClassAndInstance> parse_class_and_instance(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(colon + 1);
  ClassAndInstance result{std::string(text.substr(0, colon)), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.instance);
  if (error != std::errc{} || end != digits.data() + digits.size() || result.instance < 0) return std::nullopt;
  return result;
}

}  // namespace serialbattery::venus
