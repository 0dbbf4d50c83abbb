// See jkbms_pb.hpp.
#include "bms/jkbms_pb.hpp"
#include "bms/modbus_rtu.hpp"

namespace serialbattery::jkbms_pb {

using jk02::Kind;

namespace {

constexpr std::uint8_t write_registers = 0x10;
constexpr std::size_t acknowledgement_size = 8, exception_size = 5;

bool holds_exception(Bytes seen, std::uint8_t address) {
  for (; seen.size() >= exception_size; seen = seen.subspan(1)) {
    if (seen[0] == address && seen[1] == (write_registers | 0x80U) && modbus::is_sealed(seen.first(exception_size))) return true;
  }
  return false;
}

enum class Acknowledgement { missing, other, damaged, good };

// What acknowledges a record; `behind`: the bytes between it and the next record. The first acknowledgement is the one that counts: when
// that of another unit comes first, the record is the other unit's.
Acknowledgement find_acknowledgement(Bytes behind, Bytes request) {
  Acknowledgement damaged_or_missing = Acknowledgement::missing;
  for (; behind.size() >= acknowledgement_size; behind = behind.subspan(1)) {
    const Bytes window = behind.first(acknowledgement_size);
    const bool fits = modbus::is_sealed(window), ours = std::ranges::equal(window.first(6), request.first(6));
    if (fits && ours) return Acknowledgement::good;
    if (fits && window[1] == write_registers) return Acknowledgement::other;
    if (ours) damaged_or_missing = Acknowledgement::damaged;
  }
  return damaged_or_missing;
}

}  // namespace

ByteVector write_request(std::uint8_t address, std::uint16_t reg, Bytes values) {
  ByteVector frame{address, write_registers};
  wire::put_u16be(frame, reg);
  wire::put_u16be(frame, static_cast<unsigned>(values.size() / 2));
  frame.push_back(static_cast<std::uint8_t>(values.size()));
  frame.insert(frame.end(), values.begin(), values.end());
  return modbus::sealed(std::move(frame));
}

ByteVector read_request(std::uint8_t address, Kind kind) {
  const std::uint16_t trigger = kind == Kind::status ? 0x1620 : kind == Kind::settings ? 0x161E : 0x161C;
  return write_request(address, trigger, std::array<std::uint8_t, 2>{});
}

std::optional<Kind> kind_of(Bytes request) {
  for (const Kind kind : {Kind::settings, Kind::status, Kind::about}) {
    if (!request.empty() && std::ranges::equal(request, read_request(request[0], kind))) return kind;
  }
  return std::nullopt;
}

Finding scan_answer(Bytes seen, Bytes request, Kind kind) {
  bool damaged = false, foreign = false, incomplete = false;
  std::optional<std::size_t> unacknowledged;
  for (auto next = jk02::find_mark(seen, 0); next;) {
    const std::size_t begin = *next, end = begin + jk02::record_size;
    next = jk02::find_mark(seen, begin + std::size(jk02::mark));
    unacknowledged.reset();
    if (next && *next < end) continue;  // cut: another one begins inside, and a sum of eight bits may fit by chance
    if (seen.size() < end) {
      incomplete = true;
      continue;
    }
    const Bytes record = seen.subspan(begin, jk02::record_size);
    if (!jk02::sum_fits(record)) {
      damaged = true;
      continue;
    }
    if (record[4] != static_cast<std::uint8_t>(kind)) {
      foreign = true;
      continue;
    }
    switch (find_acknowledgement(seen.subspan(end, next.value_or(seen.size()) - end), request)) {
      case Acknowledgement::good: return {Scan::found(begin, end), {}};
      case Acknowledgement::missing: unacknowledged = begin; break;
      case Acknowledgement::damaged: damaged = true; break;
      case Acknowledgement::other: foreign = true; break;
    }
  }
  if (unacknowledged) return {Scan::started(Fault::length, "no acknowledgement"), unacknowledged};
  if (holds_exception(seen, request[0])) return {Scan::refuse(Fault::exception, "Modbus exception"), {}};
  const bool only_echo = std::search(request.begin(), request.end(), seen.begin(), seen.end()) != request.end();
  const Fault fault = damaged ? Fault::checksum : foreign ? Fault::implausible : only_echo ? Fault::timeout : Fault::length;
  return {incomplete ? Scan::started(fault) : Scan::searching(fault), {}};
}

}  // namespace serialbattery::jkbms_pb
