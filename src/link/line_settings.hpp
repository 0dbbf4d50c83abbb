// Line settings of a terminal, any baud rate. Apart from SerialStream because the kernel's termios2 header and <termios.h>, which Asio
// includes, define the same names.
#pragma once

#include <memory>

#include "serialbattery/link.hpp"

namespace serialbattery::link {

/// The settings of an open terminal as they were found.
class SavedLine {
 public:
  explicit SavedLine(int fd);
  ~SavedLine();
  SavedLine(SavedLine&&) noexcept;
  SavedLine& operator=(SavedLine&&) noexcept;
  void restore(int fd) const;

 private:
  struct Raw;
  std::unique_ptr<Raw> raw_;
};

/// Raw mode, 8 data bits, 1 stop bit. Returns 0 or the errno of the failing call (EINVAL: no such baud rate here).
int apply_line(int fd, const LineSettings& settings);

/// Throws away unread input; 0 or errno.
int flush_input(int fd);

/// Throws away what was written and not sent yet, as far as the device can.
void flush_output(int fd);

}  // namespace serialbattery::link
