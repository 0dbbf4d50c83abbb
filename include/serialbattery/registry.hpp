// The driver registry: one entry per BMS type, registered by the driver's own file.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "serialbattery/driver.hpp"

namespace serialbattery {

/// Where a type may be found: a line setting and, for types with bus addresses, a default address.
struct Probe {
  LineSettings line;
  std::uint8_t address = 0;
};

/// One BMS type. Everything the rest of the program knows about it stands here.
struct DriverEntry {
  std::string_view type;  // name in BMS_TYPE, e.g. "LltJbd"
  std::string_view text;  // type text on D-Bus, e.g. "LLT/JBD"
  Transport transport = Transport::serial;
  std::span<const Probe> probes;  // in the order to try; static storage
  bool addressable = false;       // BATTERY_ADDRESSES applies to this type
  bool on_by_default = true;      // false: only when BMS_TYPE names it
  bool listens = false;           // recognises its battery on a line where somebody talks all the time, without sending
  int rank = 1000;                // lower is probed earlier: share of users; two types that could both accept one device keep this order
  Duration poll_interval = 1s;    // when POLL_INTERVAL is empty
  std::string_view port_id_address = "0x01";  // address part of the identifier with USE_PORT_AS_UNIQUE_ID when none is configured
  bool connection_address = false;            // /Mgmt/Connection carries the address although none is configured
  std::unique_ptr<Driver> (*make)(const DriverContext&) = nullptr;
};

/// A driver's file holds one of these per type: `const Registration registration{{.type = "LltJbd", ...}};`
class Registration {
 public:
  explicit Registration(const DriverEntry& entry);
};

/// All types, by rank.
std::span<const DriverEntry> all_drivers();

/// nullptr when there is no such type.
const DriverEntry* find_driver(std::string_view type);

/// Factory for entries: `.make = make_driver<LltJbd>`.
template <typename T>
std::unique_ptr<Driver> make_driver(const DriverContext& context) {
  return std::make_unique<T>(context);
}

}  // namespace serialbattery
