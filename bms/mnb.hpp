// The cell monitor of the MNB board, Maxim/ADI MAX17853, on SPI: frames, registers, and what they mean. Layout: mnb_codec.cpp.
#pragma once

#include <array>

#include "serialbattery/battery.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::mnb {

inline constexpr std::size_t cell_count = 8;
inline constexpr std::size_t sensor_count = 6;

/// Registers that the driver needs beside those of the set-up.
enum Register : std::uint8_t {
  version = 0x00,
  status1 = 0x02,
  status2 = 0x03,
  fmea1 = 0x05,
  last_status = 0x06,
  current_sense = 0x47,  // channel 1: an amplifier, not a cell
  first_cell = 0x48,     // channels 2 to 9
  block = 0x55,
  total = 0x56,
  die = 0x57,
  first_sensor = 0x59,
  scan_control = 0x66,
  balance_switches = 0x6F,
  balance_timers = 0x71,  // cell 1
  balance_control = 0x80,
  manual_transfer = 0x83,
};

/// Bits and values of registers.
inline constexpr std::uint16_t data_ready = 1U << 13U;      // scan_control
inline constexpr std::uint16_t power_on_reset = 1U << 14U;  // status1
inline constexpr std::uint16_t supply_faults = 0x007C;      // fmea1: HV regulator, ground
inline constexpr std::uint16_t start_scan = 0x0E21, transfer_and_scan = 0x1E28;

/// One access: 32 bits each way at the same time.
struct Access {
  enum class Kind : std::uint8_t { write, read };
  Kind kind;
  std::uint8_t reg;
  std::uint16_t data = 0;  // write: the new value
  bool operator==(const Access&) const = default;
};
using Frame = std::array<std::uint8_t, 4>;

Frame encode(const Access& access);
/// nullopt: not what encode() makes of any access, its checksums included.
std::optional<Access> parse(Bytes frame);

struct Reply {
  unsigned flags;      // 5 bits; not 0: some status bit is set
  std::uint16_t data;  // of a read
  bool checked;        // the checksum of the data fits; its rule is not proven
};
Reply parse_reply(Bytes frame);

/// Registers as they were read; unknown where they were not.
class Image {
 public:
  void store(std::uint8_t reg, std::uint16_t data) { values_[reg] = data; }
  /// Status bits stay set until they were seen.
  void add(std::uint8_t reg, std::uint16_t bits) { values_[reg] = static_cast<std::uint16_t>(values_[reg].value_or(0) | bits); }
  [[nodiscard]] std::optional<std::uint16_t> operator[](std::size_t reg) const { return values_[reg]; }

 private:
  std::array<std::optional<std::uint16_t>, 256> values_;
};

/// Is this the answer of a chip that we know? 0 and 0xFFFF come from a bus without one.
bool is_known_chip(std::uint16_t version);
bool is_dead_bus(std::uint16_t version);

/// Constants of the board; other revisions may have others.
inline constexpr double sense_volts_per_ampere = 0.025;
inline constexpr double sense_offset = 2.2;  // A

/// V of the whole stack: of the block, which includes the amplifier of the current, and as the sum that the chip makes.
double block_volts(std::uint16_t raw);
double total_volts(std::uint16_t raw);

/// Everything that the image tells: cells, current, temperatures, alarms. Throws FrameError(implausible); `into` may then be partly
/// changed.
void decode(const Image& image, Battery& into);

}  // namespace serialbattery::mnb
