// Bytes on the wire: typed readers, field tables, alarm tables, checksums, hex.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serialbattery/battery.hpp"

namespace serialbattery {

using Bytes = std::span<const std::uint8_t>;
using ByteVector = std::vector<std::uint8_t>;

namespace wire {

/// How a number lies in a frame.
enum class Type : std::uint8_t { u8, i8, u16be, i16be, u16le, i16le, u32be, i32be, u32le, i32le };

constexpr std::size_t size_of(Type type) {
  switch (type) {
    case Type::u8:
    case Type::i8: return 1;
    case Type::u16be:
    case Type::i16be:
    case Type::u16le:
    case Type::i16le: return 2;
    default: return 4;
  }
}

/// The number of `type` at `offset`. Throws FrameError(length) when it does not fit into `data`.
std::int64_t read(Bytes data, std::size_t offset, Type type);

/// Shorthands for the commonest types; same error.
inline std::uint8_t u8(Bytes data, std::size_t offset) {
  return static_cast<std::uint8_t>(read(data, offset, Type::u8));
}
inline std::uint16_t u16be(Bytes data, std::size_t offset) {
  return static_cast<std::uint16_t>(read(data, offset, Type::u16be));
}
inline std::int16_t i16be(Bytes data, std::size_t offset) {
  return static_cast<std::int16_t>(read(data, offset, Type::i16be));
}
inline std::uint16_t u16le(Bytes data, std::size_t offset) {
  return static_cast<std::uint16_t>(read(data, offset, Type::u16le));
}
inline std::int16_t i16le(Bytes data, std::size_t offset) {
  return static_cast<std::int16_t>(read(data, offset, Type::i16le));
}
inline std::uint32_t u32be(Bytes data, std::size_t offset) {
  return static_cast<std::uint32_t>(read(data, offset, Type::u32be));
}
inline std::uint32_t u32le(Bytes data, std::size_t offset) {
  return static_cast<std::uint32_t>(read(data, offset, Type::u32le));
}
inline std::int32_t i32le(Bytes data, std::size_t offset) {
  return static_cast<std::int32_t>(read(data, offset, Type::i32le));
}

void put_u16be(ByteVector& out, unsigned value);
void put_u16le(ByteVector& out, unsigned value);
void put_u32be(ByteVector& out, std::uint32_t value);
void put_u32le(ByteVector& out, std::uint32_t value);

/// One line of a frame's layout: the value is (raw - zero) / per_unit, stored in `target`.
/// Division keeps decimals exact: 5280 / 100 is 52.8, 5280 * 0.01 is not.
struct Field {
  std::size_t offset;
  Type type;
  double per_unit;  // raw counts per unit of the model: 1000 for mV, 100 for 10 mV, 10 for 0.1 %
  std::optional<double> Battery::*target;
  double zero = 0;  // raw value that means 0
};

/// Applies a table. Throws FrameError(length) when a field does not fit; `battery` is then partly changed, so decode into a copy.
void decode(std::span<const Field> table, Bytes data, Battery& battery);

/// Mask of the bits of these numbers: bits(0, 5) is 0x21.
template <typename... Number>
constexpr std::uint64_t bits(Number... number) {
  return ((std::uint64_t{1} << static_cast<unsigned>(number)) | ... | 0);
}

/// Bit `number` of `word`, counted from the lowest.
constexpr bool bit(std::uint64_t word, std::size_t number) {
  return number < 64 && ((word >> number) & 1U) != 0;
}

/// Up to eight bytes as one word, the first lowest.
std::uint64_t word_of(Bytes data);

/// One alarm, and the bits of an alarm word that raise it.
struct AlarmBits {
  Alarm alarm;
  std::uint64_t warning_bits;
  std::uint64_t alarm_bits;
};

/// Every alarm named in the table becomes known: alarm, warning or ok, whatever is highest.
void decode_alarms(std::span<const AlarmBits> table, std::uint64_t word, Alarms& alarms);

/// As decode_alarms(), but an alarm that is known already keeps its level if that is higher: for several words that tell the same.
void raise_alarms(std::span<const AlarmBits> table, std::uint64_t word, Alarms& alarms);

/// All bits that a table names.
std::uint64_t named_bits(std::span<const AlarmBits> table);

/// `alarm` becomes at least `level` (unknown counts as ok).
void raise(Alarms& alarms, Alarm alarm, AlarmLevel level);

/// Text field: stops at the first NUL, drops bytes that are not printable ASCII, trims blanks.
std::string text(Bytes data);
/// As above, but NUL is a blank and runs of blanks become one.
std::string text_blanks(Bytes data);

/// "170.0", "174.25": the shortest digits that read back to the same number, with at least one decimal.
std::string decimal(double number);

/// nullopt outside `low`..`high`: a sensor that is missing or broken reads something impossible.
constexpr std::optional<double> within(double value, double low, double high) {
  return value >= low && value <= high ? std::optional(value) : std::nullopt;
}

/// Sum of all bytes, 32 bit.
std::uint32_t sum(Bytes data);
/// CRC-16/MODBUS (polynomial 0x8005 reflected, initial value 0xFFFF), sent low byte first.
std::uint16_t crc_modbus(Bytes data);

/// "DDA50300" <-> bytes. from_hex accepts blanks and both cases; nullopt when a digit is wrong or missing.
std::string to_hex(Bytes data);
std::optional<ByteVector> from_hex(std::string_view text);

}  // namespace wire
}  // namespace serialbattery
