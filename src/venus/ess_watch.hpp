// The ESS settings that decide the discharge floor, cached by signal: spec control.md 7.
#pragma once

#include <chrono>
#include <memory>

#include "control/controller.hpp"
#include "venus/bus.hpp"

namespace serialbattery::venus {

class EssWatch {
 public:
  /// Subscribes (synchronous calls): create it while starting up.
  explicit EssWatch(std::shared_ptr<Bus> bus, std::chrono::milliseconds retry = std::chrono::seconds(10));
  ~EssWatch();
  EssWatch(const EssWatch&) = delete;
  EssWatch& operator=(const EssWatch&) = delete;

  [[nodiscard]] const control::EssSettings& value() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace serialbattery::venus
