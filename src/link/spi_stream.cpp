#include "link/spi_stream.hpp"

#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
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
    : name_(path.substr(path.rfind('/') + 1)), device_(::open(path.c_str(), O_RDWR | O_CLOEXEC)), timer_(io) {
  if (!device_.is_open()) fail(name_, "open", Fault::io);
  if (::flock(device_.get(), LOCK_EX | LOCK_NB) != 0) throw LinkError(Fault::io, name_ + ": another program uses this device");
  std::uint8_t mode = SPI_MODE_0, bits = 8;
  if (::ioctl(device_.get(), SPI_IOC_WR_MODE, &mode) != 0 || ::ioctl(device_.get(), SPI_IOC_WR_BITS_PER_WORD, &bits) != 0)
    fail(name_, "set mode", Fault::io);
}

// A transfer that the controller gives up counts as silence: the next one may succeed, and the driver goes on watching its battery.
asio::awaitable<void> SpiStream::write(Bytes data) {
  if (data.size() > longest_transfer) throw LinkError(Fault::io, name_ + ": transfer is too long");
  received_.resize(data.size());
  spi_ioc_transfer transfer{};
  transfer.tx_buf = reinterpret_cast<std::uintptr_t>(data.data());
  transfer.rx_buf = reinterpret_cast<std::uintptr_t>(received_.data());
  transfer.len = static_cast<std::uint32_t>(data.size());
  transfer.speed_hz = settings_.baud;
  transfer.bits_per_word = 8;
  if (::ioctl(device_.get(), SPI_IOC_MESSAGE(1), &transfer) < 0) {
    received_.clear();
    fail(name_, "transfer", Fault::timeout);
  }
  co_return;
}

asio::awaitable<std::size_t> SpiStream::read_some(std::span<std::uint8_t> buffer, TimePoint deadline) {
  if (received_.empty()) {
    co_await sleep_until(deadline);
    co_return 0;
  }
  const std::size_t count = std::min(buffer.size(), received_.size());
  std::copy_n(received_.begin(), count, buffer.begin());
  received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(count));
  co_return count;
}

asio::awaitable<void> SpiStream::sleep_until(TimePoint moment) {
  timer_.expires_at(moment);
  boost::system::error_code error;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace serialbattery::link
