// A sensor on the bus that measures instead of the BMS (EXTERNAL_SENSOR_*): its values are cached by signal.
#pragma once

#include <memory>
#include <string>

#include "control/controller.hpp"
#include "venus/bus.hpp"

namespace serialbattery::venus {

/// Which service, which items. An empty path, or one that can not be on the bus: that value is not taken from outside.
struct SensorSource {
  std::string service;
  std::string current_path;
  std::string soc_path;
};

class ExternalSensorWatch {
 public:
  /// Subscribes (synchronous calls): create it while starting up.
  ExternalSensorWatch(std::shared_ptr<Bus> bus, SensorSource source);
  ~ExternalSensorWatch();
  ExternalSensorWatch(const ExternalSensorWatch&) = delete;
  ExternalSensorWatch& operator=(const ExternalSensorWatch&) = delete;

  /// The values now; unknown while the service is absent or says invalid.
  [[nodiscard]] const control::ExternalSensor& value() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace serialbattery::venus
