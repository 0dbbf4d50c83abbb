// The serial frames of Daly Smart BMS ("A5 protocol"), always 13 bytes.
//
//   request  A5  address            command  08  data[8]  sum        address: 0x40 + board number - 1, or 0x80 (board 1)
//   answer   A5  board number       command  08  data[8]  sum        sum: low byte of the sum of all bytes before
//
// Data: daly_data.hpp. Frames get cut and lost on classic boards, and 0xA5 occurs inside data: hunt byte by byte, never by blocks.
#pragma once

#include <chrono>
#include <memory>

#include "bms/daly_data.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::daly {

/// What answers a request.
struct Expected {
  std::uint8_t board;
  Command command;
  unsigned numbered;  // numbered frames; 0: one frame without number
};

ByteVector read_request(std::uint8_t address, Command command);
ByteVector write_request(std::uint8_t address, Command command, std::span<const std::uint8_t, data_size> data);
/// 0x40 and 0x80 are board 1, 0x41 is board 2 ...
std::uint8_t board_number(std::uint8_t address);

/// Framing rule; the frames of a numbered answer may come in any order. The fault is that of the first frame missing.
Scan scan_answer(Bytes seen, Expected expected);
/// The data of an answer that scan_answer() found, as decode() takes it.
ByteVector data_of(Bytes answer, Expected expected);

using WallClock = std::chrono::system_clock::time_point (*)();
/// The driver with another clock than the system's, which it writes into the BMS along with the SoC.
std::unique_ptr<Driver> make_daly(const DriverContext& context, WallClock clock);

}  // namespace serialbattery::daly
