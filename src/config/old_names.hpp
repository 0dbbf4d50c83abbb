// Keys of earlier versions (config.md 6). They are unknown keys; the message names the successor. Values are never taken over,
// because meaning or unit changed for several of them.
#pragma once

#include <span>
#include <string_view>

namespace serialbattery::config {

struct OldName {
  std::string_view name;
  std::string_view successor;  // empty: there is none
  std::string_view remark;     // what to watch when the value is carried over; may be empty
};

std::span<const OldName> all_old_names();

/// nullptr when the name was never a key. Looked up without regard to letter case.
const OldName* find_old_name(std::string_view name);

}  // namespace serialbattery::config
