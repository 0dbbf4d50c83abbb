// Rules for the items of single keys: bus addresses, Bluetooth pairs, temperature corrections, BMS types (config.md 4.5, 4.6, 4.16).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/values.hpp"

namespace serialbattery::config {

/// Hex bytes with or without 0x, kept as written; bad and repeated ones are dropped.
Reading read_bus_addresses(std::string_view text);

/// "Type MAC, Type MAC"; pairs of another form are dropped.
Reading read_bluetooth_pairs(std::string_view text);

/// nullopt: exactly an offset and a slope, both in range.
std::optional<Failure> check_offset_slope(std::span<const double> list);

/// One name of BMS_TYPE.
enum class TypeState { built, planned, unknown };

/// `built`: the names of the driver registry. Planned: a type of the Python driver that has no driver here yet.
TypeState type_state(std::string_view name, std::span<const std::string_view> built);

/// What the user probably meant: today's name of an old type, or the same letters in another case; empty when there is none.
std::string_view suggested_type(std::string_view name, std::span<const std::string_view> built);

}  // namespace serialbattery::config
