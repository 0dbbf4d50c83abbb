// Modbus RTU, as far as batteries need it: one master on an RS485 line, answers told apart by length and checksum.
//
//   request  address  function  start:2  quantity:2  CRC:2 (low byte first)
//   answer   address  function  byte count  data[byte count]  CRC:2          functions 1..4
//            a copy of the first six bytes with their CRC                    functions 5, 6, 15, 16
//            address  function | 0x80  code  CRC:2                           "no"
//
// USB adapters deliver in bursts, so silence can't delimit frames: the length follows from the request. Address 0 is an ordinary
// address here (Seplos V3 answers at it), so are those above 247; an answer to 0xFF ("anyone", Renogy) carries the real address.
// Sources: Modbus application protocol V1.1b3, Modbus over serial line V1.02.
#pragma once

#include <boost/container/flat_map.hpp>

#include "serialbattery/link.hpp"

namespace serialbattery::modbus {

enum class Function : std::uint8_t {
  read_coils = 0x01,
  read_inputs = 0x02,
  read_holding = 0x03,
  read_input_registers = 0x04,
  write_coil = 0x05,
  write_register = 0x06,
  write_coils = 0x0F,
  write_registers = 0x10,
};

enum class Code : std::uint8_t {
  none = 0,
  illegal_function = 0x01,
  illegal_address = 0x02,
  illegal_value = 0x03,
  device_failure = 0x04,
  in_progress = 0x05,
  busy = 0x06,
  gateway_silent = 0x0B,
};

/// Coils and inputs are single bits, eight in a byte.
constexpr bool counts_bits(Function function) {
  return function == Function::read_coils || function == Function::read_inputs;
}

constexpr std::uint8_t anyone = 0xFF;

/// What one read request asks for.
struct Block {
  Function function = Function::read_holding;
  std::uint16_t start = 0;      // number of the first register or coil
  std::uint16_t quantity = 0;   // registers or coils
  std::uint8_t byte_count = 0;  // of the answer where a device has its own mind about it; 0: by the quantity
  bool operator==(const Block&) const = default;
};

/// Holding or input registers, the usual blocks.
constexpr Block holding(std::uint16_t start, std::uint16_t quantity, std::uint8_t byte_count = 0) {
  return {Function::read_holding, start, quantity, byte_count};
}
constexpr Block inputs(std::uint16_t start, std::uint16_t quantity) {
  return {Function::read_input_registers, start, quantity};
}

/// Frames to send.
ByteVector read_request(std::uint8_t address, const Block& block);
ByteVector write_request(std::uint8_t address, std::uint16_t reg, std::uint16_t value);
/// Puts the CRC behind a frame.
ByteVector sealed(ByteVector frame);

/// The frame ends with the right CRC.
bool is_sealed(Bytes frame);

/// The block that a read request asks for; nullopt when it is none (other function, length or CRC).
std::optional<Block> asked_block(Bytes request);

/// What a search for the answer to a request has found in the bytes so far.
struct Search {
  Scan scan;
  Code code = Code::none;     // scan is refused: why
  unsigned other_frames = 0;  // whole frames of other devices or masters that were passed over
};

/// The answer to `request` (a read, or a write of one or several). `byte_count`: as in Block.
Search search_answer(Bytes seen, Bytes request, std::uint8_t byte_count = 0);

/// A device said no.
class Exception : public FrameError {
 public:
  Exception(Code code, const std::string& what) : FrameError(Fault::exception, what), code_(code) {}
  [[nodiscard]] Code code() const { return code_; }
  /// The device has no such registers, or not in such a block: asking again is useless, asking for less may help.
  [[nodiscard]] bool about_block() const { return code_ == Code::illegal_address || code_ == Code::illegal_value; }

 private:
  Code code_;
};

/// A conversation with the devices of one line.
class Client {
 public:
  explicit Client(ByteLink& link) : link_(link) {}

  /// Data of the answer, valid until the next exchange. Asks up to timing.attempts times, a refusal only where it is a temporary one.
  /// Throws Exception, FrameError, LinkError.
  asio::awaitable<Bytes> read(std::uint8_t address, const Block& block, const Timing& timing);

  /// Writes one register, once. Throws like read(); after anything but Exception the write may have happened: read the register.
  asio::awaitable<void> write(std::uint8_t address, std::uint16_t reg, std::uint16_t value, const Timing& timing);

  /// Sends any request that search_answer() knows; returns the whole frame of the answer.
  asio::awaitable<Bytes> transact(Bytes request, std::uint8_t byte_count, const Timing& timing);

  /// Whole frames of others that were seen between request and answer. Many: a second master is on the line.
  [[nodiscard]] std::uint64_t other_frames() const { return other_frames_; }

 private:
  void count_others(unsigned frames);

  ByteLink& link_;
  bool unsettled_ = false;  // an answer may still be under way
  std::uint64_t other_frames_ = 0;
};

/// The registers that a device has told so far, by number. Coils: eight in one entry, under the number of the first.
class Registers {
 public:
  void store(const Block& block, Bytes data);
  void forget(const Block& block);
  void clear() { words_.clear(); }

  [[nodiscard]] bool has(unsigned first, unsigned count = 1) const;
  [[nodiscard]] bool has(const Block& block) const;
  /// nullopt: not told.
  [[nodiscard]] std::optional<unsigned> word(unsigned reg) const;
  /// A number of any form that begins `byte` bytes into `reg`, in the order of the wire.
  [[nodiscard]] std::optional<std::int64_t> number(unsigned reg, wire::Type type, unsigned byte = 0) const;
  /// As number(), in another unit: raw / per_unit.
  [[nodiscard]] std::optional<double> scaled(unsigned reg, wire::Type type, double per_unit, unsigned byte = 0) const;
  /// A number of two registers whose first holds the lower half.
  [[nodiscard]] std::optional<std::uint32_t> low_word_first(unsigned reg) const;
  /// Bytes as on the wire; what was not told is 0.
  [[nodiscard]] ByteVector bytes(unsigned first, unsigned count) const;

 private:
  boost::container::flat_map<std::uint16_t, std::uint16_t> words_;
};

/// One value of the model: (raw - zero) / per_unit.
struct Field {
  std::uint16_t reg;
  wire::Type type;
  double per_unit;
  std::optional<double> Battery::*target;
  double zero = 0;
};

/// Applies a table; values whose registers were not told stay as they are.
void decode(std::span<const Field> table, const Registers& registers, Battery& battery);

}  // namespace serialbattery::modbus
