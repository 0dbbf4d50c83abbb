#include "model/unique_id.hpp"

#include <algorithm>
#include <iterator>

#include "serialbattery/wire.hpp"

namespace serialbattery {

std::string fallback_unique_id(std::string_view hardware_version, std::optional<double> capacity) {
  const auto is_alphanumeric = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  std::string id;
  std::ranges::copy_if(hardware_version, std::back_inserter(id), is_alphanumeric);
  if (!capacity) return id.empty() ? "unknown" : id;
  if (!id.empty()) id += '_';
  return id + wire::decimal(*capacity) + "Ah";
}

}  // namespace serialbattery
