// The line setting that a program gave to the slave side of a pseudo-terminal.
#pragma once

#include "simulator/uart.hpp"

namespace serialbattery::simulator {

/// Baud rate and parity as set on the terminal behind `fd` (master or slave); arbitrary rates included. Throws std::system_error.
Line line_of(int fd);

/// Makes the terminal raw with this setting. Throws std::system_error.
void make_raw(int fd, const Line& line);

}  // namespace serialbattery::simulator
