// In a file of its own: <asm/termbits.h>, which knows arbitrary baud rates, cannot live beside <termios.h>.
#include "simulator/pty_line.hpp"

#include <asm/termbits.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <system_error>

namespace serialbattery::simulator {

namespace {

termios2 settings_of(int fd) {
  termios2 settings{};
  if (::ioctl(fd, TCGETS2, &settings) != 0) throw std::system_error(errno, std::generic_category(), "TCGETS2");
  return settings;
}

}  // namespace

Line line_of(int fd) {
  const termios2 settings = settings_of(fd);
  ParityBit parity = ParityBit::none;
  if ((settings.c_cflag & PARENB) != 0) parity = (settings.c_cflag & PARODD) != 0 ? ParityBit::odd : ParityBit::even;
  return {settings.c_ospeed, parity};
}

void make_raw(int fd, const Line& line) {
  termios2 settings = settings_of(fd);
  settings.c_iflag = 0;
  settings.c_oflag = 0;
  settings.c_lflag = 0;
  settings.c_cflag = CS8 | CREAD | CLOCAL | BOTHER;
  if (line.parity != ParityBit::none) settings.c_cflag |= PARENB;
  if (line.parity == ParityBit::odd) settings.c_cflag |= PARODD;
  settings.c_ispeed = line.baud;
  settings.c_ospeed = line.baud;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  if (::ioctl(fd, TCSETS2, &settings) != 0) throw std::system_error(errno, std::generic_category(), "TCSETS2");
}

}  // namespace serialbattery::simulator
