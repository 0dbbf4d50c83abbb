#include "simulator/yd1363.hpp"

#include <charconv>

#include "simulator/encode.hpp"

namespace serialbattery::simulator::yd1363 {

namespace {

constexpr std::uint8_t end_byte = 0x0D;
constexpr std::size_t shortest = 18;

void put_hex(ByteVector& out, unsigned value, unsigned digits) {
  for (unsigned left = digits; left > 0; --left)
    out.push_back(static_cast<std::uint8_t>("0123456789ABCDEF"[value >> (4 * (left - 1)) & 0xFU]));
}

// -1: not a number.
long hex(Bytes request, std::size_t at, std::size_t digits) {
  const char* begin = reinterpret_cast<const char*>(request.data() + at);
  long value = -1;
  const auto [end, error] = std::from_chars(begin, begin + digits, value, 16);
  return error == std::errc{} && end == begin + digits ? value : -1;
}

unsigned sum_complement(Bytes characters) {
  return (0U - wire::sum(characters)) & 0xFFFFU;
}

unsigned length_of(std::size_t characters) {
  const auto n = static_cast<unsigned>(characters);
  return ((0U - (n % 16 + n / 16 % 16 + n / 256)) & 0xFU) << 12U | n;
}

}  // namespace

ByteVector frame(const Language& language, std::uint8_t address, std::uint8_t device, std::uint8_t code, Bytes info) {
  ByteVector result{language.start};
  for (const std::uint8_t field : {language.version, address, device, code}) put_hex(result, field, 2);
  put_hex(result, length_of(info.size() * 2), 4);
  for (const std::uint8_t byte : info) put_hex(result, byte, 2);
  put_hex(result, sum_complement(Bytes(result).subspan(1)), 4);
  result.push_back(end_byte);
  return result;
}

Slave::Slave(std::uint8_t address, const Language& language) : Bms(address), language_(language) {
  properties().milliseconds("delay", delay_);
  properties().flag("silent_about_errors", silent_about_errors_);
}

Input Slave::recognise(Bytes input) const {
  if (input[0] != language_.start) return Input::noise();
  for (std::size_t i = 1; i < input.size(); ++i) {
    if (input[i] == language_.start) return Input::noise(i);
    if (input[i] == end_byte) {
      if (i + 1 < shortest) return Input::noise(i + 1);
      return hex(input, 3, 2) == address() ? Input::request(i + 1) : Input::foreign(i + 1);
    }
    if (input[i] < 0x20 || input[i] > 0x7E) return Input::noise(i);
  }
  return Input::incomplete();
}

Answer Slave::answer(Bytes request, TimePoint /*now*/) {
  if (!awake()) return {};
  const std::size_t characters = request.size() - shortest;
  const auto command = static_cast<std::uint8_t>(hex(request, 7, 2));
  std::uint8_t refusal = good;
  if (hex(request, request.size() - 5, 4) != static_cast<long>(sum_complement(request.subspan(1, request.size() - 6)))) {
    refusal = wrong_checksum;
  } else if (hex(request, 9, 4) != static_cast<long>(length_of(characters))) {
    refusal = wrong_length;
  } else if (hex(request, 1, 2) != language_.version) {
    refusal = wrong_version;
  } else if (!accepts_class(static_cast<std::uint8_t>(hex(request, 5, 2)))) {
    refusal = wrong_class;
  }
  if (refusal != good) return silent_about_errors_ ? Answer{} : reply(command, refusal, {});
  ByteVector info;
  for (std::size_t at = 13; at + 5 < request.size(); at += 2) info.push_back(static_cast<std::uint8_t>(hex(request, at, 2)));
  refusal = unknown_command;
  const auto data = content(command, info, refusal);
  return data ? reply(command, good, *data) : reply(command, refusal, {});
}

Answer Slave::refuse(Bytes request, std::uint8_t code) {
  return reply(static_cast<std::uint8_t>(hex(request, 7, 2)), code == 0 ? std::uint8_t{unknown_command} : code, {});
}

void Slave::spoil_checksum(ByteVector& frame) const {
  if (frame.size() < 2) return;
  std::uint8_t& digit = frame[frame.size() - 2];
  digit = digit == '0' ? '1' : '0';
}

Answer Slave::reply(std::uint8_t command, std::uint8_t code, Bytes info) const {
  return {Part{delay_, frame(language_, reply_address(), answer_class(command), code, info)}};
}

}  // namespace serialbattery::simulator::yd1363
