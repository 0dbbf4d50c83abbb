#include "link/line_settings.hpp"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace serialbattery::link {

struct SavedLine::Raw {
  struct ::termios line {};
  bool known = false;
};

SavedLine::SavedLine(int fd) : raw_(std::make_unique<Raw>()) {
  raw_->known = ::ioctl(fd, TCGETS, &raw_->line) == 0;
}
SavedLine::~SavedLine() = default;
SavedLine::SavedLine(SavedLine&&) noexcept = default;
SavedLine& SavedLine::operator=(SavedLine&&) noexcept = default;

void SavedLine::restore(int fd) const {
  if (raw_->known) ::ioctl(fd, TCSETS, &raw_->line);
}

namespace {

struct Rate {
  unsigned baud;
  unsigned code;
};
constexpr Rate rates[] = {{1200, B1200},   {2400, B2400},   {4800, B4800},     {9600, B9600},     {19200, B19200},
                          {38400, B38400}, {57600, B57600}, {115200, B115200}, {230400, B230400}, {460800, B460800}};

template <typename Line>
void make_raw(Line& line, const LineSettings& settings) {
  line.c_iflag = 0;
  line.c_oflag = 0;
  line.c_lflag = 0;
  line.c_cflag = CS8 | CLOCAL | CREAD;
  if (settings.parity != Parity::none) line.c_cflag |= PARENB;
  if (settings.parity == Parity::odd) line.c_cflag |= PARODD;
  line.c_cc[VMIN] = 1;
  line.c_cc[VTIME] = 0;
}

}  // namespace

int apply_line(int fd, const LineSettings& settings) {
  const auto* rate = std::find_if(std::begin(rates), std::end(rates), [&](const Rate& r) { return r.baud == settings.baud; });
  if (rate != std::end(rates)) {
    struct ::termios line {};
    if (::ioctl(fd, TCGETS, &line) != 0) return errno;
    make_raw(line, settings);
    line.c_cflag |= rate->code;
    return ::ioctl(fd, TCSETS, &line) == 0 ? 0 : errno;
  }
  struct ::termios2 line {};
  if (::ioctl(fd, TCGETS2, &line) != 0) return errno;
  make_raw(line, settings);
  line.c_cflag |= BOTHER | (BOTHER << IBSHIFT);
  line.c_ispeed = line.c_ospeed = settings.baud;
  return ::ioctl(fd, TCSETS2, &line) == 0 ? 0 : errno;
}

int flush_input(int fd) {
  return ::ioctl(fd, TCFLSH, TCIFLUSH) == 0 ? 0 : errno;
}

void flush_output(int fd) {
  ::ioctl(fd, TCFLSH, TCOFLUSH);
}

}  // namespace serialbattery::link
