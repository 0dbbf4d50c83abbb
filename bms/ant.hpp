// Frames of ANT boards. The serial port and Bluetooth carry the same bytes.
//
//   old request  fn fn  register  value(2)  sum      DB read all, 5A read; sum of register and value
//   old status   AA 55 AA FF  contents(134)  sum(2)  140 bytes, big endian; sum of the contents
//   old value    5A 5A  register  value(2)  sum      the answer has the form of its request
//   new          7E A1  fn  address(2)  len  data[len]  crc(2)  AA 55
//                little endian; CRC-16/MODBUS from A1 to the data; an answer's fn is the request's | 10
//
// The new device information has its crc behind the data like all, then 6 bytes that nobody can explain.
#pragma once

#include <boost/json/object.hpp>
#include <optional>

#include "serialbattery/link.hpp"

namespace serialbattery::ant {

/// What a request asks for.
enum class Kind : std::uint8_t { old_status, capacity_low, capacity_high, new_status, new_device };

/// nullopt: no request of these protocols that reads.
std::optional<Kind> kind_of(Bytes request);

/// The same reading in the three forms; not every board answers every one.
inline constexpr std::uint8_t old_request[] = {0xDB, 0xDB, 0x00, 0x00, 0x00, 0x00};
inline constexpr std::uint8_t old_request_by_register[] = {0x5A, 0x5A, 0x00, 0x00, 0x01, 0x01};
inline constexpr std::uint8_t new_request[] = {0x7E, 0xA1, 0x01, 0x00, 0x00, 0xBE, 0x18, 0x55, 0xAA, 0x55};

inline constexpr std::uint8_t device_request[] = {0x7E, 0xA1, 0x02, 0x6C, 0x02, 0x20, 0x58, 0xC4, 0xAA, 0x55};
/// Words of the configured capacity in old boards whose status says 0: the lower, the higher one; 1e-6 Ah.
inline constexpr std::uint8_t capacity_low_request[] = {0x5A, 0x5A, 0x1F, 0x00, 0x00, 0x1F};
inline constexpr std::uint8_t capacity_high_request[] = {0x5A, 0x5A, 0x20, 0x00, 0x00, 0x20};

inline constexpr std::size_t largest_frame = 265;

/// Finds the answer to `request`, which must be of a known kind.
Scan scan_answer(Bytes seen, Bytes request);

/// Frames that scan_answer() found. Throw FrameError(implausible).
void decode_status(Kind kind, Bytes frame, Battery& into, boost::json::object& note);
void decode_device(Bytes frame, Identity& into, boost::json::object& note);
std::uint16_t decode_value(Bytes frame);

}  // namespace serialbattery::ant
