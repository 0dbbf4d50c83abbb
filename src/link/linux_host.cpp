#include "link/linux_host.hpp"

#include <fcntl.h>
#include <linux/gpio.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "link/files.hpp"
#include "serialbattery/errors.hpp"

namespace serialbattery::link {

namespace {

constexpr std::string_view consumer = "dbus-serialbattery";  // shown by gpioinfo

}  // namespace

void LinuxHost::fail(unsigned pin, const char* doing) const {
  throw LinkError(Fault::io, chip_.string() + ": GPIO " + std::to_string(pin) + ": " + doing + ": " + std::strerror(errno));
}

// The line is first had as it is, read, and then made an output of that level, so that nothing on it moves.
bool LinuxHost::take_pin(unsigned pin) {
  File& line = pins_[pin];
  if (!line.is_open()) {
    const File chip(::open(chip_.c_str(), O_RDWR | O_CLOEXEC));
    if (!chip.is_open()) fail(pin, "open");
    gpio_v2_line_request request{};
    request.offsets[0] = pin;
    request.num_lines = 1;
    consumer.copy(request.consumer, sizeof(request.consumer) - 1);
    if (::ioctl(chip.get(), GPIO_V2_GET_LINE_IOCTL, &request) != 0) fail(pin, "request");
    line = File(request.fd);
  }
  gpio_v2_line_values values{.bits = 0, .mask = 1};
  if (::ioctl(line.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) fail(pin, "read");
  gpio_v2_line_config config{};
  config.flags = GPIO_V2_LINE_FLAG_OUTPUT;
  config.num_attrs = 1;
  config.attrs[0].mask = 1;
  config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
  config.attrs[0].attr.values = values.bits & 1U;
  if (::ioctl(line.get(), GPIO_V2_LINE_SET_CONFIG_IOCTL, &config) != 0) fail(pin, "make output");
  return (values.bits & 1U) != 0;
}

void LinuxHost::set_pin(unsigned pin, bool high) {
  gpio_v2_line_values values{.bits = high ? 1U : 0U, .mask = 1};
  if (::ioctl(pins_[pin].get(), GPIO_V2_LINE_SET_VALUES_IOCTL, &values) != 0) fail(pin, "set");
}

std::optional<double> LinuxHost::remembered() const {
  std::ifstream file(memory_);
  double value = 0;
  return file >> value && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void LinuxHost::remember(double value) noexcept {
  try {
    if (const std::error_code error = replace_file(memory_, fmt::format("{}\n", value)))
      spdlog::warn("{} can't be written: {}: the state of charge will not survive a restart", memory_.string(), error.message());
  } catch (const std::exception& error) {
    spdlog::warn("{}: {}", memory_.string(), error.what());
  }
}

}  // namespace serialbattery::link
