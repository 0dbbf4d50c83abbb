// Framing of the Daly serial protocol; see daly.hpp.
#include "bms/daly.hpp"

namespace serialbattery::daly {

namespace {

constexpr std::uint8_t start_mark = 0xA5;
constexpr std::size_t frame_size = 13;
constexpr unsigned most_frames = 16;

// Whatever one looks like that begins at the first byte.
enum class Candidate { none, incomplete, bad_length, bad_sum, good };

bool sum_fits(Bytes frame) {
  return frame[frame_size - 1] == (wire::sum(frame.first(frame_size - 1)) & 0xFFU);
}

Candidate examine(Bytes seen, Expected expected) {
  const std::array<std::uint8_t, 3> head{start_mark, expected.board, expected.command};
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (i == seen.size()) return Candidate::incomplete;
    if (seen[i] != head[i]) return Candidate::none;
  }
  if (seen.size() > head.size() && seen[3] != data_size) return Candidate::bad_length;
  if (seen.size() < frame_size) return Candidate::incomplete;
  return sum_fits(seen) ? Candidate::good : Candidate::bad_sum;
}

ByteVector request(std::uint8_t address, Command command, std::span<const std::uint8_t, data_size> data) {
  ByteVector frame{start_mark, address, command, data_size};
  frame.insert(frame.end(), data.begin(), data.end());
  frame.push_back(static_cast<std::uint8_t>(wire::sum(frame)));
  return frame;
}

}  // namespace

// The alternating pattern of 0xAA keeps the weak UARTs of classic boards in step and loses far fewer answers than zeros.
ByteVector read_request(std::uint8_t address, Command command) {
  std::array<std::uint8_t, data_size> fill{};
  fill.fill(0xAA);
  return request(address, command, fill);
}

ByteVector write_request(std::uint8_t address, Command command, std::span<const std::uint8_t, data_size> data) {
  return request(address, command, data);
}

std::uint8_t board_number(std::uint8_t address) {
  return address == 0x80 ? std::uint8_t{1} : static_cast<std::uint8_t>((address & 0x0FU) + 1);
}

Scan scan_answer(Bytes seen, Expected expected) {
  std::array<bool, most_frames + 1> good{}, bad_sum{}, bad_length{};  // by frame number; 0: no sensible number
  bool incomplete = false, any = false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    const Candidate candidate = examine(rest, expected);
    if (candidate == Candidate::none) continue;
    const bool sensible = rest.size() > 4 && rest[4] >= 1 && rest[4] <= expected.numbered && rest[4] <= most_frames;
    const std::size_t number = sensible ? rest[4] : 0;
    incomplete = candidate == Candidate::incomplete;
    if (candidate == Candidate::bad_sum) bad_sum[number] = true;
    if (candidate == Candidate::bad_length) bad_length[number] = true;
    if (candidate != Candidate::good) continue;
    if (expected.numbered == 0) return Scan::found(at, at + frame_size);
    if (number == 0) continue;  // 0xFF is an invalid frame; further ones are not needed
    good[number] = true;
    if (!std::exchange(any, true)) begin = at;
    if (std::count(good.begin(), good.end(), true) == static_cast<std::ptrdiff_t>(expected.numbered))
      return Scan::found(begin, at + frame_size);
    at += frame_size - 1;
  }
  std::size_t missing = 0;
  if (expected.numbered > 0) missing = static_cast<std::size_t>(std::find(good.begin() + 1, good.end(), false) - good.begin());
  const Fault fault = bad_sum[missing] || bad_sum[0]         ? Fault::checksum
                      : bad_length[missing] || bad_length[0] ? Fault::length
                                                             : Fault::timeout;
  return incomplete || any ? Scan::started(fault, "answer is incomplete") : Scan::searching(fault);
}

ByteVector data_of(Bytes answer, Expected expected) {
  if (expected.numbered == 0) return {answer.begin() + 4, answer.begin() + 4 + data_size};
  ByteVector data(expected.numbered * numbered_size);
  for (; answer.size() >= frame_size; answer = answer.subspan(1)) {
    if (examine(answer, expected) != Candidate::good || answer[4] < 1 || answer[4] > expected.numbered) continue;
    std::ranges::copy(answer.subspan(5, numbered_size), data.begin() + static_cast<std::ptrdiff_t>((answer[4] - 1U) * numbered_size));
  }
  return data;
}

}  // namespace serialbattery::daly
