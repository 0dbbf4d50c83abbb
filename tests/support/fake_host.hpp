// Pins and memory of a computer that a test can look into.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "serialbattery/host.hpp"

namespace serialbattery::test {

class FakeHost final : public Host {
 public:
  std::map<unsigned, bool> pins;                   // levels; outputs once they were taken
  std::vector<std::pair<unsigned, bool>> changes;  // of levels, by set_pin()
  std::optional<double> memory;
  std::function<void(unsigned, bool)> on_change = [](unsigned, bool) {};

  bool take_pin(unsigned pin) override { return pins[pin]; }
  void set_pin(unsigned pin, bool high) override {
    if (std::exchange(pins.at(pin), high) == high) return;
    changes.emplace_back(pin, high);
    on_change(pin, high);
  }
  [[nodiscard]] std::optional<double> remembered() const override { return memory; }
  void remember(double value) noexcept override { memory = value; }
};

}  // namespace serialbattery::test
