// How a driver talks: a conversation of frames with time-outs over some stream of bytes.
//
// A ByteStream moves bytes (serial port, pseudo-terminal, SPI device, BLE characteristic, recorded file, test script). ByteLink adds,
// once for all drivers: flushing of stale input, inter-frame gaps, deadlines, framing, removal of RS485 echo, bounded buffers,
// statistics and capture.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <typeindex>

#include "serialbattery/clock.hpp"
#include "serialbattery/errors.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Kinds of ports. A type is looked for only on ports of its kind.
enum class Transport : std::uint8_t { serial, can, ble, mqtt, spi };

enum class Parity : std::uint8_t { none, even, odd };

/// Settings of a serial port; streams without a line ignore them.
struct LineSettings {
  unsigned baud = 9600;          // SPI: clock, Hz
  Parity parity = Parity::none;  // always 8 data bits, 1 stop bit
  bool operator==(const LineSettings&) const = default;
};

/// Moves bytes. All functions throw LinkError(closed) when the other end is gone for good, LinkError(timeout) when a device takes no bytes
/// or gives none back, LinkError(io) on other failures.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  [[nodiscard]] virtual Transport transport() const { return Transport::serial; }
  /// Hands all bytes over; returns when the kernel has them (the link adds their time on the wire to its deadlines).
  /// SPI: one transfer; what came in meanwhile, as many bytes, is read afterwards.
  virtual asio::awaitable<void> write(Bytes data) = 0;
  /// Waits until at least one byte is there; returns 0 when the deadline came first.
  virtual asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) = 0;
  /// Throws away what has arrived and nobody read.
  virtual void discard_input() = 0;
  virtual asio::awaitable<void> sleep_until(TimePoint moment) = 0;
  [[nodiscard]] virtual TimePoint now() const = 0;
  virtual void configure(const LineSettings& settings) = 0;
  [[nodiscard]] virtual LineSettings settings() const = 0;
  /// "ttyUSB0"; stands in logs and names.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

/// What a framing rule found in the bytes that have arrived so far.
struct Scan {
  enum class Status : std::uint8_t { searching, started, growing, complete, refused };
  Status status = Status::searching;
  std::size_t begin = 0;  // growing, complete: the frame is bytes [begin, end)
  std::size_t end = 0;
  Fault fault = Fault::timeout;  // searching, started: what to report if the deadline passes now; refused: the definite answer
  std::string_view detail = {};  // static text for the log

  /// Nothing that could be the answer so far (noise, echo, frames of others): wait as for the first byte.
  static Scan searching(Fault at_deadline = Fault::timeout, std::string_view why = {}) {
    return {Status::searching, 0, 0, at_deadline, why};
  }
  /// The answer has begun and is not complete: from now on silence ends it.
  static Scan started(Fault at_deadline = Fault::length, std::string_view why = "answer is incomplete") {
    return {Status::started, 0, 0, at_deadline, why};
  }
  /// A good answer that may go on: silence, or the end of the time, completes it. For text without an end mark.
  static Scan growing(std::size_t from, std::size_t to) { return {Status::growing, from, to, Fault::timeout, {}}; }
  static Scan found(std::size_t from, std::size_t to) { return {Status::complete, from, to, Fault::timeout, {}}; }
  /// A definite "no" (Modbus exception, status of the BMS): do not wait for the deadline, do not ask again.
  static Scan refuse(Fault why, std::string_view what) { return {Status::refused, 0, 0, why, what}; }
};

/// A framing rule: a pure function of all bytes received since the request. Called again whenever bytes arrive.
using Framing = std::function<Scan(Bytes)>;

/// Times of one exchange, counted from the moment when the request has left the line.
struct Timing {
  Duration first_byte = 500ms;     // until the answer begins
  Duration between_bytes = 100ms;  // silence inside an answer that ends it
  std::size_t expected = 0;        // bytes of the longest answer
  Duration total{};                // until the answer is complete; 0: first_byte + between_bytes + twice the wire time of `expected`
  Duration gap = 5ms;              // silence on the line before each request
  int attempts = 1;                // asks again after a time-out or a damaged answer, not after a refusal
  Duration retry_gap = 50ms;       // silence before asking again
};

struct LinkStatistics {
  std::uint64_t exchanges = 0;
  std::uint64_t answered = 0;
  std::array<std::uint64_t, 8> faults{};  // index: Fault
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  Duration last_exchange{};  // request handed over -> answer complete
};

/// Listens to the traffic of a link: capture, DEBUG frames in the log. Calls must not block.
class Tap {
 public:
  virtual ~Tap() = default;
  virtual void sent(Bytes data) = 0;
  virtual void received(Bytes data) = 0;
};

class ByteLink {
 public:
  /// The longest answer of all, a YD/T 1363 frame of 4113 characters, with an echo or some noise in front of it. More input is cut.
  static constexpr std::size_t buffer_size = 4352;

  explicit ByteLink(ByteStream& stream) : stream_(stream) {}

  /// Flushes stale input, keeps the gap, sends `request`, reads until `framing` finds its frame.
  /// Returns the frame, valid until the next call. Once a copy of the request was seen in front of an answer (RS485 echo), such a
  /// copy is removed before `framing` sees the bytes, so that it can never pass for an acknowledgement.
  /// Throws LinkError or FrameError with the fault that the framing rule saw last.
  asio::awaitable<Bytes> transact(Bytes request, const Framing& framing, const Timing& timing);

  /// Waits for a frame that nobody asked for. Bytes behind the frame are kept for the next call.
  asio::awaitable<Bytes> receive(const Framing& framing, TimePoint deadline);

  /// Sends without waiting for an answer.
  asio::awaitable<void> send(Bytes data, Duration gap);

  /// Reads and drops until the line has been silent for `silence`, at most `limit`. Returns the number of bytes dropped.
  asio::awaitable<std::size_t> drain(Duration silence, Duration limit);

  asio::awaitable<void> sleep(Duration time);
  [[nodiscard]] TimePoint now() const { return stream_.now(); }
  [[nodiscard]] ByteStream& stream() { return stream_; }
  [[nodiscard]] const LinkStatistics& statistics() const { return statistics_; }
  [[nodiscard]] bool echo_seen() const { return echo_seen_; }
  void set_tap(Tap* tap) { tap_ = tap; }

  /// What the drivers on this line have in common: one object of each type, made when it is first asked for.
  template <typename T>
  T& common() {
    std::shared_ptr<void>& slot = common_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

 private:
  asio::awaitable<Bytes> exchange(Bytes request, const Framing& framing, const Timing& timing, Duration gap);
  asio::awaitable<bool> read_more(TimePoint deadline);
  asio::awaitable<void> transmit(Bytes data, Duration gap);
  [[nodiscard]] std::optional<Bytes> without_echo(Bytes request) const;
  void learn_echo(Bytes request, std::size_t frame_begin);
  void drop_front(std::size_t count);
  [[nodiscard]] Bytes buffered() const { return Bytes(buffer_).first(used_); }

  ByteStream& stream_;
  Tap* tap_ = nullptr;
  std::array<std::uint8_t, buffer_size> buffer_{};
  std::size_t used_ = 0;      // bytes in buffer_
  std::size_t consumed_ = 0;  // receive(): bytes in front that the last call returned
  TimePoint quiet_since_{};   // end of the last byte sent or received
  bool echo_seen_ = false;
  LinkStatistics statistics_;
  std::map<std::type_index, std::shared_ptr<void>> common_;
};

/// Time that `bytes` need on the line: 11 bit times each, so that it is never too short.
Duration wire_time(std::size_t bytes, const LineSettings& settings);

}  // namespace serialbattery
