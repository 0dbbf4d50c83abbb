// Loaded in front of the C library (LD_PRELOAD): the program opens /dev/spidev0.0 and /dev/gpiochip0 and finds a test behind them.
//
// Every opened device and requested pin is a connection to the UNIX-domain socket that FAKE_SPIDEV names. Messages of 8 bytes:
//   to the test   operation  pin  level  0  four bytes of an SPI transfer      operations: S transfer, L level of a pin, P pin becomes
//   level from it       ok         level 0     0  four bytes of an SPI transfer
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/spi/spidev.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

using Message = std::array<std::uint8_t, 8>;

struct Device {
  bool ours;
  std::uint8_t pin;
};
std::array<Device, 1024> devices{};  // by file descriptor

Device* device(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  return fd >= 0 && index < devices.size() && devices[index].ours ? &devices[index] : nullptr;
}

int connect_to_test(std::uint8_t pin) {
  const char* path = std::getenv("FAKE_SPIDEV");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd);
    errno = ENOENT;
    return -1;
  }
  devices[static_cast<std::size_t>(fd)] = {true, pin};
  return fd;
}

/// False: the test says no, or has gone.
bool ask(int fd, Message& message) {
  if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size())) return false;
  return ::recv(fd, message.data(), message.size(), MSG_WAITALL) == static_cast<ssize_t>(message.size()) && message[0] != 0;
}

int transfer(int fd, const spi_ioc_transfer& asked) {
  Message message{'S'};
  if (asked.len != 4 || asked.speed_hz != 500'000) return -1;
  std::memcpy(&message[4], reinterpret_cast<const void*>(asked.tx_buf), 4);
  if (!ask(fd, message)) return -1;
  std::memcpy(reinterpret_cast<void*>(asked.rx_buf), &message[4], 4);
  return 4;
}

int set_level(int fd, std::uint8_t pin, bool high) {
  Message message{'P', pin, static_cast<std::uint8_t>(high)};
  return ask(fd, message) ? 0 : -1;
}

int get_level(int fd, std::uint8_t pin, gpio_v2_line_values& values) {
  Message message{'L', pin};
  if (!ask(fd, message)) return -1;
  values.bits = message[1];
  return 0;
}

int answer(int fd, unsigned long request, void* argument) {
  const std::uint8_t pin = device(fd)->pin;
  switch (request) {
    case SPI_IOC_WR_MODE:
    case SPI_IOC_WR_BITS_PER_WORD: return 0;
    case SPI_IOC_MESSAGE(1): return transfer(fd, *static_cast<spi_ioc_transfer*>(argument));
    case GPIO_V2_GET_LINE_IOCTL: {
      auto& line = *static_cast<gpio_v2_line_request*>(argument);
      line.fd = connect_to_test(static_cast<std::uint8_t>(line.offsets[0]));
      return line.fd < 0 ? -1 : 0;
    }
    case GPIO_V2_LINE_GET_VALUES_IOCTL: return get_level(fd, pin, *static_cast<gpio_v2_line_values*>(argument));
    case GPIO_V2_LINE_SET_VALUES_IOCTL: return set_level(fd, pin, (static_cast<gpio_v2_line_values*>(argument)->bits & 1U) != 0);
    case GPIO_V2_LINE_SET_CONFIG_IOCTL: {
      const auto& config = *static_cast<gpio_v2_line_config*>(argument);
      if ((config.flags & GPIO_V2_LINE_FLAG_OUTPUT) == 0 || config.num_attrs != 1) return -1;
      return set_level(fd, pin, (config.attrs[0].attr.values & 1U) != 0);
    }
    default: return -1;
  }
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_any(const char* name, const char* path, int flags, mode_t mode) {
  const std::string_view wanted(path);
  if (std::getenv("FAKE_SPIDEV") && (wanted == "/dev/spidev0.0" || wanted == "/dev/gpiochip0")) return connect_to_test(0);
  return next<int(const char*, int, ...)>(name)(path, flags, mode);
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_any("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_any("open64", path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (!device(fd)) return next<int(int, unsigned long, ...)>("ioctl")(fd, request, argument);
  errno = EIO;
  return answer(fd, request, argument);
}

int close(int fd) {
  if (Device* known = device(fd)) *known = {};
  return next<int(int)>("close")(fd);
}
}
