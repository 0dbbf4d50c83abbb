// Which BMS type was found on a port last time: tried first at the next start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "serialbattery/link.hpp"

namespace serialbattery::daemon {

struct Remembered {
  std::string type;  // name as in BMS_TYPE
  std::uint8_t address = 0;
  LineSettings line;
  bool operator==(const Remembered&) const = default;
};

/// One small JSON file per port. Every failure (no folder, full disk, garbage in the file) costs only the shortcut.
class DetectionCache {
 public:
  DetectionCache(std::filesystem::path folder, std::string_view port_name);
  [[nodiscard]] std::optional<Remembered> load() const;
  /// Written only if it differs from what the file says; atomically, so that a power cut leaves the old or the new file.
  void store(const Remembered& found) const;

 private:
  std::filesystem::path file_;
};

}  // namespace serialbattery::daemon
