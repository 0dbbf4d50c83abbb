// The 300-byte records of newer JK (Jikong) boards, the same over RS485 (PB models) and Bluetooth ("JK02_32S").
//
//   55 AA EB 90  type  counter  data[293]  sum8        little endian; sum8 = sum of bytes 0..298
//
// The byte behind the type counts or marks a variant (0x00, 0x05 on RS485) and means nothing.
// Sources: vendor's "JK BMS RS485 Modbus" V1.0 and V1.1, captures of firmware 11, 14, 15 and 19.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "bms/jk_cells.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/driver.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::jk02 {

enum class Kind : std::uint8_t { settings = 1, status = 2, about = 3 };

constexpr std::size_t record_size = 300;
constexpr unsigned heating_enabled_bit = 1U << 0U;  // of Board::control_bits
constexpr std::uint8_t mark[] = {0x55, 0xAA, 0xEB, 0x90};

/// `record`: record_size bytes.
bool sum_fits(Bytes record);

/// Index of the first mark at or behind `from`; nullopt if there is none.
std::optional<std::size_t> find_mark(Bytes seen, std::size_t from);

/// The alarms of a status record, and what the log says of those that no alarm names.
inline std::uint32_t alarm_word(Bytes record) {
  return wire::u32le(record, 166);
}
inline constexpr NamedBit alarm_names[] = {
    {0, "resistance of a balance wire too high"},
    {2, "number of cells differs from the setting"},
    {3, "current sensor broken"},
    {7, "short circuit while charging"},
    {10, "internal communication broken"},
    {14, "short circuit"},
    {16, "charge MOSFET broken"},
    {17, "discharge MOSFET broken"},
    {20, "discharge could not be switched on"},
    {22, "temperature sensor broken"},
    {23, "parallel module broken"},
    {24, "short circuit could not be released"},
};
constexpr std::uint64_t quiet_alarms = 0x1E2C'BB72;  // what an alarm says; GPS; the reminder to change the password of healthy batteries

/// What is known of a board beside the battery model; decides how its records are read.
struct Board {
  struct Thresholds {
    double start, stop;  // degrees Celsius
  };
  bool about_known = false;
  std::string hardware;                       // "15A"
  std::string software;                       // "15.41"
  std::optional<Thresholds> heating;          // fields of newer boards
  std::optional<Thresholds> charge_too_cold;  // where older boards start and stop to heat
  std::uint16_t control_bits = 0;             // of the last settings; bit 0: heating enabled
};

/// Decoders of whole records whose sum fits. They throw FrameError(implausible); `next` is then partly changed.
void decode_status(Bytes record, const Board& board, jk::CellReader& cells, Battery& next, boost::json::object& details);
void decode_settings(Bytes record, Board& board, Battery& next);
/// Texts only; what identifies the battery differs between the transports.
void decode_about(Bytes record, Board& board, Battery& next);
/// The name that the user gave the board in the app; empty if none.
std::string user_name(Bytes about_record);

}  // namespace serialbattery::jk02
