// Counting of internal, non-fatal errors and the error code: control.md 6.3.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "serialbattery/clock.hpp"

namespace serialbattery::control {

class InternalErrors {
 public:
  static constexpr int kInternalCalculation = 8;  // Victron's error numbers, dbus-interface.md 12.4
  static constexpr int kSettingsInvalid = 119;

  enum class Configuration { valid, invalid };
  explicit InternalErrors(Configuration configuration);

  /// One more error. 180 of them within three hours set the code 8.
  void count(TimePoint now);

  /// Good poll: once an hour, counted from the first call, looks whether code 8 can be withdrawn.
  void check_hourly(TimePoint now);

  /// /ErrorCode; unknown = no information.
  [[nodiscard]] std::optional<int> code() const { return code_; }
  /// Errors that are remembered, at most 180.
  [[nodiscard]] std::size_t remembered() const { return size_; }

 private:
  static constexpr std::size_t kErrors = 180;
  [[nodiscard]] double age_of_oldest(TimePoint now) const;

  std::array<TimePoint, kErrors> times_{};  // ring
  std::size_t size_ = 0;
  std::size_t next_ = 0;
  std::optional<TimePoint> last_check_;
  std::optional<int> code_;
};

}  // namespace serialbattery::control
