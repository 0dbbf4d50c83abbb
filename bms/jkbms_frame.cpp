// The JK 4E 57 frames, taken apart into registers; see jkbms.hpp.
#include "bms/jkbms.hpp"
#include "bms/sightings.hpp"

namespace serialbattery::jkbms {

namespace {

constexpr std::uint8_t request_frame = 0, reply_frame = 1;
constexpr std::uint8_t from_pc = 3;
constexpr std::uint8_t end_mark = 0x68;
constexpr std::size_t head_size = 11;
constexpr std::size_t tail_size = 9;
constexpr std::size_t least_length = 0x0013, most_length = 0x0200;  // of the length field

ByteVector request(Operation operation, Bytes information) {
  ByteVector frame{0x4E, 0x57};
  wire::put_u16be(frame, static_cast<unsigned>(head_size + information.size() + tail_size - 2));
  wire::put_u32be(frame, 0);  // terminal number, ignored by the BMS
  frame.insert(frame.end(), {operation, from_pc, request_frame});
  frame.insert(frame.end(), information.begin(), information.end());
  wire::put_u32be(frame, 0);  // record number
  frame.push_back(end_mark);
  wire::put_u32be(frame, wire::sum(frame) & 0xFFFFU);
  return frame;
}

bool sum_fits(Bytes frame) {
  const std::size_t covered = frame.size() - 4;
  return wire::u32be(frame, covered) == (wire::sum(frame.first(covered)) & 0xFFFFU);
}

bool answers(Operation asked, std::uint8_t operation) {
  return asked == write_register ? operation == write_register : operation == read_all || operation == read_register;
}

}  // namespace

ByteVector read_all_request() {
  return request(read_all, std::array<std::uint8_t, 1>{0});
}

ByteVector write_request(Tag tag, std::uint8_t value) {
  return request(write_register, std::array<std::uint8_t, 2>{tag, value});
}

std::optional<Operation> operation_of(Bytes request) {
  if (request.size() < head_size + tail_size || request[0] != 0x4E || request[1] != 0x57) return std::nullopt;
  for (const Operation known : {write_register, read_register, read_all}) {
    if (request[8] == known) return known;
  }
  return std::nullopt;
}

Scan scan_reply(Bytes seen, Operation asked) {
  Scan newest;
  Sightings sightings;
  for (std::size_t at = 0; at + 1 < seen.size();) {
    const Bytes rest = seen.subspan(at);
    if (rest[0] != 0x4E || rest[1] != 0x57) {
      ++at;
      continue;
    }
    at += 2;  // unless this is a whole frame, the next start mark is looked for right behind this one
    if (rest.size() < 4) {
      sightings.incomplete = true;
      continue;
    }
    const std::size_t length = wire::u16be(rest, 2);
    if (length < least_length || length > most_length) {
      sightings.wrong_length = true;
      continue;
    }
    const std::size_t size = length + 2;
    const bool reply = rest.size() < head_size || rest[10] == reply_frame;
    if (rest.size() < size) {
      sightings.incomplete = sightings.incomplete || reply;
      continue;
    }
    const Bytes frame = rest.first(size);
    if (!sum_fits(frame)) {
      sightings.damaged = sightings.damaged || reply;
    } else if (frame[size - 5] != end_mark) {
      sightings.wrong_length = sightings.wrong_length || reply;
    } else {
      const std::size_t begin = at - 2;
      at = begin + size;
      if (reply && answers(asked, frame[8])) newest = Scan::found(begin, at);
    }
  }
  return newest.status == Scan::Status::complete ? newest : sightings.verdict();
}

std::uint8_t acknowledged_tag(Bytes frame) {
  return frame.size() > head_size + tail_size ? frame[head_size] : std::uint8_t{0};
}

namespace {

// Tags that a frame can hold, with the size of their values; the cell voltages bring their own. B2 is a password: never shown.
constexpr struct {
  std::uint8_t first, last, size;
} value_sizes[] = {
    {0x80, 0x84, 2}, {0x85, 0x86, 1},  {0x87, 0x87, 2}, {0x89, 0x89, 4},  {0x8A, 0x8C, 2},  {0x8E, 0x9C, 2},
    {0x9D, 0x9D, 1}, {0x9E, 0xA8, 2},  {0xA9, 0xA9, 1}, {0xAA, 0xAA, 4},  {0xAB, 0xAC, 1},  {0xAD, 0xAD, 2},
    {0xAE, 0xAF, 1}, {0xB0, 0xB0, 2},  {0xB1, 0xB1, 1}, {0xB2, 0xB2, 10}, {0xB3, 0xB3, 1},  {0xB4, 0xB4, 8},
    {0xB5, 0xB6, 4}, {0xB7, 0xB7, 15}, {0xB8, 0xB8, 1}, {0xB9, 0xB9, 4},  {0xBA, 0xBA, 24}, {0xC0, 0xC0, 1},
};

}  // namespace

// Stops at an unknown tag, whose size nobody knows.
Registers::Registers(Bytes frame) {
  Bytes information = frame.subspan(head_size, frame.size() - head_size - tail_size);
  while (!information.empty()) {
    const std::uint8_t tag = information[0];
    std::size_t begin = 1, size = 0;
    if (tag == cell_voltages) {
      if (information.size() < 2) return;
      begin = 2;
      size = information[1];
    } else {
      for (const auto& range : value_sizes) {
        if (tag >= range.first && tag <= range.last) size = range.size;
      }
      if (size == 0) return;
    }
    if (information.size() < begin + size) return;
    values_[tag] = information.subspan(begin, size);
    information = information.subspan(begin + size);
  }
}

std::optional<unsigned> Registers::number(Tag tag) const {
  const Bytes value = values_[tag];
  switch (value.size()) {
    case 1: return value[0];
    case 2: return wire::u16be(value, 0);
    case 4: return wire::u32be(value, 0);
    default: return std::nullopt;
  }
}

}  // namespace serialbattery::jkbms
