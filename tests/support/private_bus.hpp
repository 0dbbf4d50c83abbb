// A message bus of its own for one test: a dbus-daemon in a temporary folder, ended with the object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace serialbattery::test {

class PrivateBus {
 public:
  /// Starts the daemon and points DBUS_SYSTEM_BUS_ADDRESS of this process at it; DBUS_SESSION_BUS_ADDRESS is removed.
  PrivateBus();
  ~PrivateBus();
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Ends the daemon now; every connection breaks.
  void kill();

 private:
  std::filesystem::path folder_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace serialbattery::test
