// YD/T 1363: the frames; see yd1363.hpp.
#include "bms/yd1363.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace serialbattery::yd1363 {

namespace {

constexpr std::uint8_t end_byte = 0x0D;
constexpr std::size_t envelope = 18, header = 13, longest = 4113;

std::optional<unsigned> number(Bytes digits) {
  unsigned value = 0;
  for (const std::uint8_t c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

unsigned length_field(unsigned characters) {
  const unsigned digits = (characters & 0xFU) + ((characters >> 4U) & 0xFU) + ((characters >> 8U) & 0xFU);
  return ((16 - digits % 16) % 16) << 12U | characters;
}

unsigned checksum(Bytes characters) {
  return (0x10000U - wire::sum(characters) % 0x10000U) % 0x10000U;
}

void put(ByteVector& out, unsigned value, int digits) {
  fmt::format_to(std::back_inserter(out), "{:0{}X}", value, digits);
}

// The checks that make a frame well formed; nullopt: it is.
std::optional<Fault> damage(Bytes frame) {
  if (frame.size() < envelope) return Fault::length;
  const Bytes body = frame.subspan(1, frame.size() - 6);
  if (number(frame.subspan(frame.size() - 5, 4)) != checksum(body)) return Fault::checksum;
  const auto length = number(frame.subspan(9, 4));
  const std::size_t characters = frame.size() - envelope;
  if (!number(frame.subspan(1, 8)) || !length || (characters & 1U) != 0) return Fault::length;
  if (characters > 0xFFF || *length != length_field(static_cast<unsigned>(characters))) return Fault::length;
  return std::nullopt;
}

// Nothing in a frame says whether it asks or answers, but the commands in use differ from the return codes.
bool is_request(const Message& message) {
  struct Range {
    std::uint8_t first, last;
  };
  static constexpr Range commands[] = {{0x42, 0x45}, {0x47, 0x47}, {0x49, 0x49}, {0x4B, 0x4F}, {0x51, 0x51}, {0x80, 0x8F},
                                       {0x92, 0x93}, {0x96, 0x96}, {0x99, 0x9C}, {0xA0, 0xA6}, {0xB0, 0xB2}, {0xC1, 0xC2}};
  static constexpr Range pace_commands[] = {{0x90, 0x90}, {0xD0, 0xEE}};
  constexpr std::uint8_t pace_version = 0x25;
  const auto within = [&message](const Range& range) { return message.code >= range.first && message.code <= range.last; };
  return std::ranges::any_of(commands, within) || (message.version == pace_version && std::ranges::any_of(pace_commands, within));
}

Message content(Bytes frame) {
  const auto field = [frame](std::size_t at) { return static_cast<std::uint8_t>(*number(frame.subspan(at, 2))); };
  Message message{field(1), field(3), field(5), field(7), {}};
  for (std::size_t at = header; at + 5 < frame.size(); at += 2) {
    const auto byte = number(frame.subspan(at, 2));
    if (!byte) {
      message.info.clear();
      break;
    }
    message.info.push_back(static_cast<std::uint8_t>(*byte));
  }
  return message;
}

// One pass over the bytes that have come so far.
class Search {
 public:
  Search(const Dialect& dialect, Bytes request, Bytes received, const std::function<bool(const Message&)>& is_answer)
      : dialect_(dialect), request_(request), received_(received), is_answer_(is_answer) {}

  Scan run() {
    std::optional<std::size_t> begin;
    for (std::size_t at = 0; at < received_.size(); ++at) {
      const std::uint8_t byte = received_[at];
      if (byte == dialect_.start) {
        begin = at;  // also in the middle of a frame: it was cut
      } else if (begin && byte == end_byte) {
        if (const auto verdict = judge(*begin, at + 1)) return *verdict;
        begin.reset();
      } else if (byte < 0x20 || byte > 0x7E || (begin && at - *begin >= longest)) {
        begin.reset();
      }
    }
    const Fault fault = first_damage_.value_or(Fault::timeout);
    const std::string_view why = first_damage_  ? "damaged answer"
                                 : begin        ? "answer is incomplete"
                                 : others_talk_ ? "others talk here, this battery does not: wrong address or wrong port?"
                                                : "";
    return begin && looks_like_ours(*begin) ? Scan::started(fault, why) : Scan::searching(fault, why);
  }

 private:
  std::optional<Scan> judge(std::size_t begin, std::size_t end) {
    const Bytes frame = received_.subspan(begin, end - begin);
    if (std::ranges::equal(frame, request_)) return std::nullopt;
    if (const auto fault = damage(frame)) {
      if (!first_damage_) first_damage_ = fault;
      return std::nullopt;
    }
    const Message message = content(frame);
    const bool our_class = dialect_.classes.empty() || std::ranges::find(dialect_.classes, message.device) != dialect_.classes.end();
    if (message.version != dialect_.version || !our_class || is_request(message) || !is_answer_(message)) {
      others_talk_ = true;
      return std::nullopt;
    }
    if (message.code != 0) return Scan::refuse(Fault::rejected, "the BMS refuses the request");
    if (message.info.size() * 2 + envelope != frame.size()) return Scan::refuse(Fault::implausible, "content is not hexadecimal");
    return Scan::found(begin, end);
  }

  [[nodiscard]] bool looks_like_ours(std::size_t begin) const {
    return received_.size() >= begin + 3 && number(received_.subspan(begin + 1, 2)) == dialect_.version;
  }

  const Dialect& dialect_;
  const Bytes request_, received_;
  const std::function<bool(const Message&)>& is_answer_;
  std::optional<Fault> first_damage_;
  bool others_talk_ = false;
};

}  // namespace

ByteVector encode(const Dialect& dialect, const Message& message) {
  ByteVector frame{dialect.start};
  for (const std::uint8_t field : {message.version, message.address, message.device, message.code}) put(frame, field, 2);
  put(frame, length_field(static_cast<unsigned>(message.info.size() * 2)), 4);
  for (const std::uint8_t byte : message.info) put(frame, byte, 2);
  put(frame, checksum(Bytes(frame).subspan(1)), 4);
  frame.push_back(end_byte);
  return frame;
}

std::optional<Message> parse(const Dialect& dialect, Bytes frame) {
  if (frame.size() < envelope || frame.front() != dialect.start || frame.back() != end_byte || damage(frame)) return std::nullopt;
  return content(frame);
}

Scan scan(const Dialect& dialect, Bytes request, Bytes received, const std::function<bool(const Message&)>& is_answer) {
  return Search(dialect, request, received, is_answer).run();
}

}  // namespace serialbattery::yd1363
