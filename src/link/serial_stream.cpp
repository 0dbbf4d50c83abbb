#include "link/serial_stream.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

namespace serialbattery::link {

namespace {

using boost::system::error_code;

// Beyond the time on the wire. A line at rest takes a request at once.
constexpr Duration write_patience = 1s;

// A pulled USB adapter hangs the terminal up: reads give 0, EIO, ENXIO or ENODEV, all meaning the same.
bool is_gone(int code) {
  return code == EIO || code == ENODEV || code == ENXIO || code == ENOENT;
}

[[noreturn]] void fail(const std::string& name, const char* doing, int code) {
  throw LinkError(is_gone(code) ? Fault::closed : Fault::io, name + ": " + doing + ": " + std::strerror(code));
}

void check(const std::string& name, const char* doing, const error_code& error) {
  if (!error) return;
  if (error == asio::error::eof) throw LinkError(Fault::closed, name + ": " + doing + ": the device has gone");
  fail(name, doing, error.value());
}

}  // namespace

SerialStream::SerialStream(asio::io_context& io, std::string path)
    : path_(std::move(path)), name_(path_.substr(path_.rfind('/') + 1)), port_(io), timer_(io) {
  open();
}

SerialStream::~SerialStream() {
  close();
}

void SerialStream::open() {
  const int fd = ::open(path_.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail(name_, "open", errno);
  port_.assign(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close();
    throw LinkError(Fault::io, name_ + ": another program uses this port");
  }
  ::ioctl(fd, TIOCEXCL);  // best effort: root can open it all the same
  saved_.emplace(fd);
  configure(settings_);
}

void SerialStream::close() noexcept {
  if (!port_.is_open()) return;
  const int fd = port_.native_handle();
  if (saved_) saved_->restore(fd);
  saved_.reset();
  ::ioctl(fd, TIOCNXCL);
  error_code ignored;
  port_.close(ignored);
}

bool SerialStream::reopen() {
  saved_.reset();  // the line is another one now
  close();
  try {
    open();
    return true;
  } catch (const LinkError&) {
    close();
    return false;
  }
}

void SerialStream::configure(const LineSettings& settings) {
  settings_ = settings;
  if (const int code = apply_line(port_.native_handle(), settings)) fail(name_, "set line settings", code);
}

void SerialStream::discard_input() {
  if (const int code = flush_input(port_.native_handle())) fail(name_, "flush", code);
}

// One timer and one operation; a timer that fires late may hit the following operation, which then simply starts again.
void SerialStream::cancel_at(TimePoint moment) {
  timer_.expires_at(moment);
  timer_.async_wait([this](const error_code& error) {
    error_code ignored;
    if (!error) port_.cancel(ignored);
  });
}

// Was the operation interrupted by the timer, its own or an older one? Throws for every other failure.
bool SerialStream::interrupted(const char* doing, const error_code& error) const {
  if (error != asio::error::operation_aborted) {
    check(name_, doing, error);
    return false;
  }
  if (!port_.is_open()) throw LinkError(Fault::closed, name_ + ": closed");
  return true;
}

// An adapter that hangs takes no bytes; waiting for it for ever would leave the last values on the bus.
asio::awaitable<void> SerialStream::write(Bytes data) {
  const TimePoint deadline = Clock::now() + wire_time(data.size(), settings_) + write_patience;
  while (!data.empty()) {
    cancel_at(deadline);
    error_code error;
    const std::size_t count =
        co_await port_.async_write_some(asio::buffer(data.data(), data.size()), asio::redirect_error(asio::use_awaitable, error));
    timer_.cancel();
    if (!interrupted("write", error)) {
      data = data.subspan(count);
    } else if (Clock::now() >= deadline) {
      flush_output(port_.native_handle());  // half a request must not stand in front of the next one
      throw LinkError(Fault::timeout, name_ + ": the port takes no bytes");
    }
  }
}

asio::awaitable<std::size_t> SerialStream::read_some(std::span<std::uint8_t> buffer, TimePoint deadline) {
  while (true) {
    cancel_at(deadline);
    error_code error;
    const std::size_t count =
        co_await port_.async_read_some(asio::buffer(buffer.data(), buffer.size()), asio::redirect_error(asio::use_awaitable, error));
    timer_.cancel();
    if (!interrupted("read", error)) co_return count;
    if (Clock::now() >= deadline) co_return 0;
  }
}

asio::awaitable<void> SerialStream::sleep_until(TimePoint moment) {
  timer_.expires_at(moment);
  error_code error;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace serialbattery::link
