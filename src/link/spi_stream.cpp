#include "link/spi_stream.hpp"

#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

namespace serialbattery::link {

namespace {

bool is_gone(int code) {
  return code == ENODEV || code == ENXIO || code == ENOENT || code == ESHUTDOWN;
}

[[noreturn]] void fail(const std::string& name, const char* doing, Fault fault) {
  throw LinkError(is_gone(errno) ? Fault::closed : fault, name + ": " + doing + ": " + std::strerror(errno));
}

}  // namespace

bool is_spi_device(std::string_view port) {
  return port.substr(port.rfind('/') + 1).starts_with("spidev");
}

SpiStream::SpiStream(asio::io_context& io, const std::string& path)
    : AnsweredStream(io, path.substr(path.rfind('/') + 1), {.baud = 500'000}), device_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (!device_.is_open()) fail(name(), "open", Fault::io);
  if (::flock(device_.get(), LOCK_EX | LOCK_NB) != 0) throw LinkError(Fault::io, name() + ": another program uses this device");
  std::uint8_t mode = SPI_MODE_0, bits = 8;
  if (::ioctl(device_.get(), SPI_IOC_WR_MODE, &mode) != 0 || ::ioctl(device_.get(), SPI_IOC_WR_BITS_PER_WORD, &bits) != 0)
    fail(name(), "set mode", Fault::io);
}

// A transfer that the controller gives up counts as silence: the next one may succeed, and the driver goes on watching its battery.
asio::awaitable<void> SpiStream::write(Bytes data) {
  if (data.size() > longest_transfer) throw LinkError(Fault::io, name() + ": transfer is too long");
  ByteVector received(data.size());
  spi_ioc_transfer transfer{};
  transfer.tx_buf = reinterpret_cast<std::uintptr_t>(data.data());
  transfer.rx_buf = reinterpret_cast<std::uintptr_t>(received.data());
  transfer.len = static_cast<std::uint32_t>(data.size());
  transfer.speed_hz = settings().baud;
  transfer.bits_per_word = 8;
  if (::ioctl(device_.get(), SPI_IOC_MESSAGE(1), &transfer) < 0) {
    discard_input();
    fail(name(), "transfer", Fault::timeout);
  }
  set_answer(std::move(received));
  co_return;
}

}  // namespace serialbattery::link
