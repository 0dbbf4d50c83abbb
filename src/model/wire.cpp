#include "serialbattery/wire.hpp"

#include <fmt/format.h>

#include <boost/crc.hpp>
#include <numeric>

#include "serialbattery/errors.hpp"

namespace serialbattery::wire {

std::int64_t read(Bytes data, std::size_t offset, Type type) {
  const std::size_t size = size_of(type);
  if (offset > data.size() || data.size() - offset < size) throw FrameError(Fault::length, "answer is shorter than its content");
  const std::uint8_t* p = data.data() + offset;
  const auto big = [p](std::size_t n) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < n; ++i) value = (value << 8U) | p[i];
    return value;
  };
  const auto little = [p](std::size_t n) {
    std::uint32_t value = 0;
    for (std::size_t i = n; i-- > 0;) value = (value << 8U) | p[i];
    return value;
  };
  switch (type) {
    case Type::u8: return p[0];
    case Type::i8: return static_cast<std::int8_t>(p[0]);
    case Type::u16be: return big(2);
    case Type::i16be: return static_cast<std::int16_t>(big(2));
    case Type::u16le: return little(2);
    case Type::i16le: return static_cast<std::int16_t>(little(2));
    case Type::u32be: return big(4);
    case Type::i32be: return static_cast<std::int32_t>(big(4));
    case Type::u32le: return little(4);
    case Type::i32le: return static_cast<std::int32_t>(little(4));
  }
  return 0;
}

void put_u16be(ByteVector& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put_u16le(ByteVector& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
}

void put_u32be(ByteVector& out, std::uint32_t value) {
  put_u16be(out, value >> 16U);
  put_u16be(out, value & 0xFFFFU);
}

void put_u32le(ByteVector& out, std::uint32_t value) {
  put_u16le(out, value & 0xFFFFU);
  put_u16le(out, value >> 16U);
}

void decode(std::span<const Field> table, Bytes data, Battery& battery) {
  for (const Field& field : table) {
    battery.*field.target = (static_cast<double>(read(data, field.offset, field.type)) - field.zero) / field.per_unit;
  }
}

std::uint64_t word_of(Bytes data) {
  std::uint64_t word = 0;
  for (std::size_t i = std::min<std::size_t>(data.size(), 8); i-- > 0;) word = word << 8U | data[i];
  return word;
}

void decode_alarms(std::span<const AlarmBits> table, std::uint64_t word, Alarms& alarms) {
  for (const AlarmBits& entry : table) alarms[entry.alarm] = AlarmLevel::ok;
  raise_alarms(table, word, alarms);
}

void raise_alarms(std::span<const AlarmBits> table, std::uint64_t word, Alarms& alarms) {
  for (const AlarmBits& entry : table) {
    const bool alarmed = (word & entry.alarm_bits) != 0, warned = (word & entry.warning_bits) != 0;
    raise(alarms, entry.alarm, alarmed ? AlarmLevel::alarm : warned ? AlarmLevel::warning : AlarmLevel::ok);
  }
}

std::uint64_t named_bits(std::span<const AlarmBits> table) {
  std::uint64_t named = 0;
  for (const AlarmBits& entry : table) named |= entry.warning_bits | entry.alarm_bits;
  return named;
}

void raise(Alarms& alarms, Alarm alarm, AlarmLevel level) {
  alarms[alarm] = std::max(alarms[alarm].value_or(AlarmLevel::ok), level);
}

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::string text(Bytes data) {
  std::string result;
  for (const std::uint8_t byte : data) {
    if (byte == 0) break;
    if (byte >= 0x20 && byte < 0x7F) result.push_back(static_cast<char>(byte));
  }
  return trimmed(result);
}

std::string text_blanks(Bytes data) {
  std::string result;
  for (const std::uint8_t byte : data) {
    const char c = byte == 0 ? ' ' : static_cast<char>(byte);
    if (c == ' ' ? result.empty() || result.back() == ' ' : byte < 0x20 || byte >= 0x7F) continue;
    result.push_back(c);
  }
  return trimmed(result);
}

std::string decimal(double number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::uint32_t sum(Bytes data) {
  return std::accumulate(data.begin(), data.end(), std::uint32_t{0});
}

std::uint16_t crc_modbus(Bytes data) {
  boost::crc_optimal<16, 0x8005, 0xFFFF, 0, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  return static_cast<std::uint16_t>(crc.checksum());
}

std::string to_hex(Bytes data) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  result.reserve(data.size() * 2);
  for (const std::uint8_t byte : data) {
    result.push_back(digits[byte >> 4U]);
    result.push_back(digits[byte & 0xFU]);
  }
  return result;
}

std::optional<ByteVector> from_hex(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  ByteVector result;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int value = digit(c);
    if (value < 0) return std::nullopt;
    if (high < 0) {
      high = value;
    } else {
      result.push_back(static_cast<std::uint8_t>(high * 16 + value));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return result;
}

}  // namespace serialbattery::wire
