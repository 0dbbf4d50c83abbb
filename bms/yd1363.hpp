// YD/T 1363, the ASCII protocol of Chinese telecom batteries, as Seplos V2, Pace, Daren and KS48100 speak it.
//
//   SOI  VER ADR CID1 CID2|RTN  LENGTH  INFO...  CHKSUM  0D       all but SOI and the end are pairs of hexadecimal digits
//   1    2   2   2    2         4       LENID    4       1        characters
//
// LENGTH = check digit (negative sum of the three digits of LENID) and LENID, the number of characters of INFO. CHKSUM = negative
// sum of all characters from VER to the end of INFO, 16 bit. A request names a command where an answer has its return code (0 = good);
// an answer doesn't tell what was asked. Each maker has a start byte, a version and contents of his own: a Dialect.
#pragma once

#include <fmt/format.h>

#include <span>

#include "serialbattery/driver.hpp"

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

/// Throws FrameError(implausible, what) unless `plausible`.
void require(bool plausible, const char* what);

/// Walks through INFO. Reading past the end throws FrameError(implausible).
class Reader {
 public:
  explicit Reader(Bytes data) : rest_(data) {}
  Bytes take(std::size_t count);
  std::uint8_t u8() { return take(1)[0]; }
  std::uint16_t u16() { return wire::u16be(take(2), 0); }
  std::int16_t i16() { return wire::i16be(take(2), 0); }
  std::uint32_t u32() { return wire::u32be(take(4), 0); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  Bytes rest_;
};

/// The cells of a frame with the check of their number: outside `most`, or another than known before, is implausible.
void read_cells(Reader& reader, unsigned count, unsigned least, unsigned most, Battery& into);
/// Cells up to 5 V and not all 0, pack voltage above 0 and within 10 % of their sum, SoC up to 100 % (100.5 counts as 100).
void check(Battery& reading);
/// A sensor that is not fitted reads something outside -50 < t <= 150.
std::optional<double> temperature(double celsius);
/// Balancing flags of the first cells, lowest bit first; cells that no bit belongs to are unknown.
void set_balancing(Battery& into, std::uint64_t mask, std::size_t bits);

/// "170.0", "174.25": shortest digits, at least one decimal.
std::string shortest(double value);

/// Identifiers in use on one line: equal packs must not share one.
struct Identifiers {
  std::map<std::string, std::uint8_t> owners;
  /// False when a battery at another address has it already.
  bool claim(const std::string& id, std::uint8_t address) { return owners.try_emplace(id, address).first->second == address; }
};

/// What the drivers have in common: asking, retries and recorded conversations.
class YdDriver : public Driver {
 public:
  YdDriver(const DriverContext& context, const Dialect& dialect);
  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02x}", address_); }

 protected:
  /// Content of one answer. Throws FrameError(implausible); `into` may then be partly changed.
  virtual void decode(const Message& asked, const Message& answer, Battery& into) = 0;
  /// Is a well-formed answer meant for this question?
  [[nodiscard]] virtual bool is_answer(const Message& asked, const Message& answer) const { return answer.address == asked.address; }
  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override;

  enum class Patience : std::uint8_t {
    hurry,     // one attempt, as long as real packs take
    standard,  // one attempt, the 500 ms that the standard allows
    once,      // one attempt, the dialect's own time
    full       // three attempts
  };
  /// For the first question of a probe.
  [[nodiscard]] Patience first_question(Effort effort) const;
  /// For another form of it, which few batteries need.
  [[nodiscard]] Patience other_form() const { return context().type_configured ? Patience::once : Patience::hurry; }
  /// Asks and decodes. `into` is changed only when the answer was good.
  asio::awaitable<void> ask(Battery& into, const Message& question, Patience patience = Patience::full);
  /// As ask(), but the answer may be missing. Throws only when the port is gone.
  asio::awaitable<bool> try_ask(Battery& into, const Message& question, Patience patience = Patience::full);
  [[nodiscard]] Message question(std::uint8_t command, Bytes info = {}) const {
    return {dialect_.version, address_, dialect_.request_class, command, {info.begin(), info.end()}};
  }

  [[nodiscard]] std::uint8_t address() const { return address_; }

 private:
  asio::awaitable<void> exchange(Bytes request, const Message& asked, const Timing& timing, Battery& into);

  const Dialect dialect_;
  std::uint8_t address_;
};

/// The port has gone; anything else only concerns one answer.
inline bool is_gone(const BmsError& error) {
  return error.fault() == Fault::closed || error.fault() == Fault::io;
}

}  // namespace serialbattery::yd1363
