#include "serialbattery/registry.hpp"

#include <algorithm>

namespace serialbattery {

namespace {

// A function-local static: registrations run before main, in no particular order.
std::vector<DriverEntry>& entries() {
  static std::vector<DriverEntry> list;
  return list;
}

}  // namespace

Registration::Registration(const DriverEntry& entry) {
  auto& list = entries();
  const auto by_rank = [](const DriverEntry& a, const DriverEntry& b) { return a.rank < b.rank; };
  list.insert(std::upper_bound(list.begin(), list.end(), entry, by_rank), entry);
}

std::span<const DriverEntry> all_drivers() {
  return entries();
}

const DriverEntry* find_driver(std::string_view type) {
  const auto found = std::ranges::find(entries(), type, &DriverEntry::type);
  return found == entries().end() ? nullptr : &*found;
}

}  // namespace serialbattery
