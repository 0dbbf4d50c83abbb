// One battery per VRM instance on a device: a lock file that this and the Python driver respect. Spec settings.md B.8.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace serialbattery::venus {

struct LockOutcome;

/// Holds /var/tmp/dbus-serialbattery_<instance>.pid as long as it lives. The file stays.
class InstanceLock {
 public:
  InstanceLock(InstanceLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  InstanceLock& operator=(InstanceLock&& other) noexcept;
  ~InstanceLock();

  /// Never waits. `unavailable`: the file can not be created; carry on without.
  static LockOutcome acquire(const std::filesystem::path& folder, int instance, const std::string& bus_name);

  /// Whether a running process, this one included, holds the instance.
  static bool is_held(const std::filesystem::path& folder, int instance);

  static std::filesystem::path file_name(const std::filesystem::path& folder, int instance);

 private:
  explicit InstanceLock(int file) : file_(file) {}
  int file_;
};

struct LockOutcome {
  enum class Kind { acquired, held, unavailable } kind;
  std::optional<InstanceLock> lock;  // acquired
  std::string detail;                // held: content of the file, who has it; unavailable: why
};

}  // namespace serialbattery::venus
