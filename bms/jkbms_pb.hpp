// The frames of JK PB boards on RS485; products and conversation: jkbms_pb.cpp, records: jk02.hpp.
//
//   request  AA 10 16 RR 00 01 02 00 00 crc      a Modbus write of one register that triggers: 1620 status, 161E settings, 161C about
//   answer   record of 300 bytes  [00]  AA 10 16 RR 00 01 crc  [00]
#pragma once

#include "bms/jk02.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::jkbms_pb {

ByteVector write_request(std::uint8_t address, std::uint16_t reg, Bytes values);
ByteVector read_request(std::uint8_t address, jk02::Kind kind);
/// What a read request asks for; nullopt if it is none.
std::optional<jk02::Kind> kind_of(Bytes request);

struct Finding {
  Scan scan;
  std::optional<std::size_t> unacknowledged;  // where a good record begins behind which nothing has come
};

/// Framing rule of the answer to a read.
Finding scan_answer(Bytes seen, Bytes request, jk02::Kind kind);

}  // namespace serialbattery::jkbms_pb
