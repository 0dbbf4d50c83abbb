// YD/T 1363, the ASCII protocol of Chinese telecom batteries, as Seplos V2, Pace, Daren and KS48100 speak it.
//
//   SOI  VER ADR CID1 CID2|RTN  LENGTH  INFO...  CHKSUM  0D       all but SOI and the end are pairs of hexadecimal digits
//   1    2   2   2    2         4       LENID    4       1        characters
//
// LENGTH = check digit (negative sum of the three digits of LENID) and LENID, the number of characters of INFO. CHKSUM = negative
// sum of all characters from VER to the end of INFO, 16 bit. A request names a command where an answer has its return code (0 = good);
// an answer doesn't tell what was asked. Each maker has a start byte, a version and contents of his own: a Dialect.
#pragma once

#include <span>

#include "serialbattery/link.hpp"

namespace serialbattery::yd1363 {

struct Dialect {
  std::uint8_t start;
  std::uint8_t version;
  std::span<const std::uint8_t> classes;  // CID1 of answers; empty: any
  std::uint8_t request_class;             // CID1 of requests
  Duration first_byte = 800ms;
  Duration between_bytes = 60ms;
  Duration first_byte_again = first_byte;  // of a retry
};

/// A frame without its envelope.
struct Message {
  std::uint8_t version = 0;
  std::uint8_t address = 0;
  std::uint8_t device = 0;  // CID1
  std::uint8_t code = 0;    // request: command (CID2); answer: return code
  ByteVector info;
};

ByteVector encode(const Dialect& dialect, const Message& message);

/// Content of a whole frame. nullopt: not well formed, checksum included. Digits of INFO that are not hexadecimal leave it empty.
std::optional<Message> parse(const Dialect& dialect, Bytes frame);

/// Looks for the answer to `request`. Own echo, other dialects, requests of other masters and answers for which `is_answer` is false are
/// skipped; damaged frames don't end the search; a return code other than 0 does.
Scan scan(const Dialect& dialect, Bytes request, Bytes received, const std::function<bool(const Message&)>& is_answer);

}  // namespace serialbattery::yd1363
