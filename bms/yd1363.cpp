// YD/T 1363: frames and conversation; see yd1363.hpp.
#include "bms/yd1363.hpp"

#include <algorithm>
#include <cmath>

namespace serialbattery::yd1363 {

namespace {

constexpr std::uint8_t end_byte = 0x0D;
constexpr std::size_t envelope = 18, header = 13, longest = 4113, longest_usual = 300;

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
    const std::string_view why = first_damage_ ? "damaged answer" : begin ? "answer is incomplete" : "";
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
    if (message.version != dialect_.version || !our_class || is_request(message) || !is_answer_(message)) return std::nullopt;
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
};

bool worth_asking_again(Fault fault) {
  return fault == Fault::timeout || fault == Fault::checksum || fault == Fault::length || fault == Fault::implausible;
}

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

void require(bool plausible, const char* what) {
  if (!plausible) throw FrameError(Fault::implausible, what);
}

Bytes Reader::take(std::size_t count) {
  require(count <= rest_.size(), "content ends too early");
  const Bytes taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

void read_cells(Reader& reader, unsigned count, unsigned least, unsigned most, Battery& into) {
  require(count >= least && count <= most, "impossible number of cells");
  require(!into.cell_count || *into.cell_count == count, "number of cells has changed");
  into.cell_count = count;
  into.cells.resize(count);
  for (Cell& cell : into.cells) cell.voltage = reader.u16() / 1000.0;
}

void check(Battery& reading) {
  double sum = 0;
  bool dead_cell = false;
  for (const Cell& cell : reading.cells) {
    const double volts = cell.voltage.value_or(0);
    require(volts <= 5, "cell voltage above 5 V");
    dead_cell = dead_cell || volts == 0;
    sum += volts;
  }
  require(sum > 0, "no cell has a voltage");
  require(reading.voltage > 0, "pack voltage is 0");
  require(dead_cell || std::abs(*reading.voltage - sum) <= 0.1 * sum, "pack voltage contradicts the cells");
  if (!reading.soc) return;
  require(*reading.soc <= 100.5, "SoC above 100 %");
  reading.soc = std::min(*reading.soc, 100.0);
}

std::optional<double> temperature(double celsius) {
  return celsius > -50 && celsius <= 150 ? std::optional(celsius) : std::nullopt;
}

void set_balancing(Battery& into, std::uint64_t mask, std::size_t bits) {
  for (std::size_t i = 0; i < into.cells.size(); ++i)
    into.cells[i].balancing = i < bits ? std::optional((mask >> i & 1U) != 0) : std::nullopt;
  into.balancing = mask != 0;
}

std::string shortest(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

YdDriver::YdDriver(const DriverContext& context, const Dialect& dialect) : Driver(context), dialect_(dialect), address_(context.address) {}

YdDriver::Patience YdDriver::first_question(Effort effort) const {
  if (effort == Effort::quick) return Patience::hurry;
  return context().type_configured || context().address_configured ? Patience::once : Patience::standard;
}

asio::awaitable<void> YdDriver::ask(Battery& into, const Message& question, Patience patience) {
  constexpr int attempts = 3;
  Timing timing{.first_byte = dialect_.first_byte, .between_bytes = dialect_.between_bytes, .expected = longest_usual};
  timing.gap = context().shared_line ? 100ms : 50ms;
  if (patience == Patience::hurry) timing.first_byte = 250ms;
  if (patience == Patience::standard) timing.first_byte = 500ms;
  const ByteVector request = encode(dialect_, question);
  for (int attempt = 1;; ++attempt) {
    try {
      co_return co_await exchange(request, question, timing, into);
    } catch (const BmsError& error) {
      if (patience != Patience::full || attempt == attempts || !worth_asking_again(error.fault())) throw;
    }
    timing.gap = 100ms;
    timing.first_byte = dialect_.first_byte_again;
  }
}

asio::awaitable<bool> YdDriver::try_ask(Battery& into, const Message& question, Patience patience) {
  try {
    co_await ask(into, question, patience);
    co_return true;
  } catch (const BmsError& error) {
    if (is_gone(error)) throw;
  }
  co_return false;
}

asio::awaitable<void> YdDriver::exchange(Bytes request, const Message& asked, const Timing& timing, Battery& into) {
  const std::function<bool(const Message&)> fits = [this, &asked](const Message& answer) { return is_answer(asked, answer); };
  const Framing framing = [&](Bytes received) { return scan(dialect_, request, received, fits); };
  const Bytes frame = co_await link().transact(request, framing, timing);
  Battery next = into;
  decode(asked, content(frame), next);
  into = std::move(next);
}

asio::awaitable<void> YdDriver::replay_exchange(Bytes request, Battery& into) {
  const auto asked = parse(dialect_, request);
  if (!asked) throw FrameError(Fault::implausible, "no request of this protocol");
  address_ = asked->address;
  const Timing timing{.first_byte = dialect_.first_byte, .between_bytes = dialect_.between_bytes, .expected = longest_usual};
  co_await exchange(request, *asked, timing, into);
}

}  // namespace serialbattery::yd1363
