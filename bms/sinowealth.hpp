// Frames and registers of Sinowealth controllers.
//
//   request  0A  command  len      len: data bytes wanted; more than a register has continue with the next one
//   answer   data[len]  crc        big endian; CRC-8 (07, initial value 0, not reflected) over request and data
//
//   01..0A  cells, mV                       13  SoC, %, low byte        17  configuration: low byte, bits 0..2 cells - 3,
//   0B      pack, mV                        14  cycles                      bit 6 two sensors
//   0C 0D   sensors, 0.1 K, 0: not fitted   15  switches, direction
//   0E      controller, 0.1 K               16  protections
//   10 11 12  current (positive while charging), full, remaining capacity: 4 bytes, mA, mAh
#pragma once

#include "serialbattery/link.hpp"

namespace serialbattery::sinowealth {

enum Command : std::uint8_t {
  first_cell = 0x01,
  last_cell = 0x0A,
  pack_voltage = 0x0B,
  sensor_1 = 0x0C,
  sensor_2 = 0x0D,
  controller_temperature = 0x0E,
  pack_current = 0x10,
  full_capacity = 0x11,
  remaining_capacity = 0x12,
  state_of_charge = 0x13,
  cycle_count = 0x14,
  pack_status = 0x15,
  battery_status = 0x16,
  pack_config = 0x17,
};

/// What the registers say beyond the model.
struct Board {
  unsigned sensors = 1;
  bool charges = false, discharges = false;  // the direction of the current as the BMS names it
};

/// Data bytes of a register.
std::uint8_t length_of(std::uint8_t command);
ByteVector request_for(std::uint8_t command, std::uint8_t length);
/// A well-formed request for at least one register.
bool is_request(Bytes bytes);

/// Finds the answer to `request`: exactly as many bytes as wanted, behind an echo or not.
Scan scan_answer(Bytes seen, Bytes request);

/// Throws FrameError(implausible).
void decode(std::uint8_t command, Bytes data, Battery& into, Board& board);

}  // namespace serialbattery::sinowealth
