// Pins and memory of this computer: the GPIO character device, and a small file.
#pragma once

#include <filesystem>
#include <map>

#include "link/file.hpp"
#include "serialbattery/host.hpp"

namespace serialbattery::link {

/// Needs Linux 5.10 or later. When the object ends the pins go back to the kernel, which may make them inputs.
class LinuxHost final : public Host {
 public:
  LinuxHost(std::filesystem::path gpio_chip, std::filesystem::path memory) : chip_(std::move(gpio_chip)), memory_(std::move(memory)) {}

  bool take_pin(unsigned pin) override;
  void set_pin(unsigned pin, bool high) override;
  [[nodiscard]] std::optional<double> remembered() const override;
  void remember(double value) noexcept override;

 private:
  [[noreturn]] void fail(unsigned pin, const char* doing) const;

  std::filesystem::path chip_;
  std::filesystem::path memory_;
  std::map<unsigned, File> pins_;  // taken ones
};

}  // namespace serialbattery::link
