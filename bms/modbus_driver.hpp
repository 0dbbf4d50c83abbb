// What the drivers of Modbus batteries share: blocks of registers are read, kept by number, and decoded as a whole.
//
// A driver lists its blocks and says in decode() what the registers mean. Whichever way the registers came (blocks, smaller reads of
// older firmware, a recorded conversation), the same decode() reads them.
#pragma once

#include "bms/content.hpp"
#include "bms/modbus_rtu.hpp"
#include "bms/silent_unit.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::modbus {

/// A block, and the smaller ones that together bring the same from a device that refuses it.
struct Reading {
  Block block;
  std::span<const Block> instead = {};
};

class ModbusDriver : public Driver {
 public:
  ModbusDriver(const DriverContext& context, const Timing& timing);
  [[nodiscard]] std::string address_text() const override;

 protected:
  /// Says everything that registers() tells. Throws FrameError(implausible); `into` may then be partly changed.
  virtual void decode(Battery& into) = 0;
  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override;

  /// What an answer of `address` goes to; a battery of several devices keeps one for each.
  virtual Registers& registers_of(std::uint8_t /*address*/) { return registers_; }
  /// Byte count of an answer when it doesn't follow from the quantity; else 0.
  [[nodiscard]] virtual std::uint8_t byte_count_of(const Block& /*asked*/) const { return 0; }

  /// One block, or a failure.
  asio::awaitable<void> read(const Block& block);
  /// When splitting a block is tried: after a refusal that concerns the block, or after any failure (a probe of old firmware).
  enum class SplitAfter : std::uint8_t { refusal, any_failure };
  /// The choice between block and smaller reads is kept.
  asio::awaitable<void> read(const Reading& reading, SplitAfter after);
  enum class Otherwise : std::uint8_t { keep, forget };  // what was told before
  /// A block that may fail alone. True: it was read. Throws only when the port is gone.
  asio::awaitable<bool> try_read(Block block, Otherwise otherwise);

  /// Begins a probe: forgets everything; the first question waits `first_byte` in a quick probe. settle() ends the hurry.
  void begin_probe(Effort effort, Duration first_byte, int thorough_attempts = 2);
  void settle() { timing_ = normal_; }

  [[nodiscard]] std::uint8_t address() const { return address_; }
  [[nodiscard]] Registers& registers() { return registers_; }
  [[nodiscard]] const Registers& registers() const { return registers_; }
  /// A number in the unit of the model: raw / per_unit. nullopt: not told.
  [[nodiscard]] std::optional<double> scaled(unsigned reg, wire::Type type, double per_unit, unsigned byte = 0) const {
    return registers_.scaled(reg, type, per_unit, byte);
  }
  /// Bytes of a block as on the wire, and what they say as a text.
  [[nodiscard]] ByteVector raw(const Block& block) const { return registers_.bytes(block.start, block.quantity); }
  [[nodiscard]] std::string text(const Block& block) const { return wire::text(raw(block)); }
  /// Limits that a BMS offers to an inverter: used with USE_BMS_DVCC_VALUES only, always shown in note(). A voltage of 0 was never set.
  void offer_limits(const BmsLimits& told, Battery& into);
  [[nodiscard]] Client& client() { return client_; }
  [[nodiscard]] const Timing& timing() const { return timing_; }
  [[nodiscard]] bool has_split(const Block& block) const;
  /// Identifier of a battery without a serial number: port and bus address.
  [[nodiscard]] std::string port_and_address();

 private:
  Client client_;
  const Timing normal_;
  Timing timing_;
  std::uint8_t address_;
  Registers registers_;
  std::vector<Block> split_;  // refused as a whole
  SilentUnit silence_;
};

/// A text of at least `least` characters, padded with NULs or blanks, and nothing else.
bool is_text(Bytes raw, std::size_t least);

}  // namespace serialbattery::modbus
