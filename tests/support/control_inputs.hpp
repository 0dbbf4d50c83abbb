// The inputs of the control vectors (JSON) as readings: used by the vector tests and by `run-control --stream`.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string_view>

#include "control/controller.hpp"
#include "serialbattery/battery.hpp"

namespace serialbattery::test {

/// Inputs that stay until they are changed. Names and meaning: tests/vectors/control/README.md.
class ControlInputs {
 public:
  /// Changes some inputs. Throws std::exception with a message for a member of the wrong type.
  void set(const boost::json::object& changes);
  /// Forgets everything that was set.
  void clear();

  /// The next poll: good or failed?
  [[nodiscard]] bool ok() const;
  /// The reading of a good poll. Sensors that are marked as stale keep the raw values of the last reading.
  [[nodiscard]] const Battery& reading();
  [[nodiscard]] control::Environment environment() const;
  [[nodiscard]] std::int64_t wall_offset() const;  // s

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const;
  void read_cells();
  void read_temperatures();
  void read_standing_values();

  boost::json::object values_;
  Battery battery_;
};

/// Names of alarms and history values as in the vectors and in settings.
[[nodiscard]] std::optional<Alarm> alarm_named(std::string_view name);
[[nodiscard]] std::optional<HistoryValue> history_named(std::string_view name);

}  // namespace serialbattery::test
