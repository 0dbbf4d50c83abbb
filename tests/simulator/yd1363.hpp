// The slave side of YD/T 1363 (ASCII frames of telecom batteries): what simulated Seplos V2, Pace, Daren and KS48100 have in common.
#pragma once

#include <cstdint>
#include <optional>

#include "simulator/device.hpp"

namespace serialbattery::simulator::yd1363 {

enum ReturnCode : std::uint8_t {
  good = 0x00,
  wrong_version = 0x01,
  wrong_checksum = 0x02,
  wrong_length = 0x03,
  unknown_command = 0x04,
  invalid_data = 0x06,
  wrong_class = 0xE1
};

/// How one maker speaks it.
struct Language {
  std::uint8_t start;
  std::uint8_t version;
  std::uint8_t device;  // CID1
};

/// Start byte to end byte.
ByteVector frame(const Language& language, std::uint8_t address, std::uint8_t device, std::uint8_t code, Bytes info);

/// Checks requests and wraps answers; a model gives the contents.
class Slave : public Bms {
 public:
  Slave(std::uint8_t address, const Language& language);

 protected:
  Input recognise(Bytes input) const override;
  Answer answer(Bytes request, TimePoint now) override;
  Answer refuse(Bytes request, std::uint8_t code) override;
  void spoil_checksum(ByteVector& frame) const override;

  /// Content of the answer to a command; nullopt: there is none, and `refusal` says why.
  virtual std::optional<ByteVector> content(std::uint8_t command, Bytes info, std::uint8_t& refusal) = 0;
  /// What stands in the place of CID1 in an answer.
  [[nodiscard]] virtual std::uint8_t answer_class(std::uint8_t /*command*/) const { return language_.device; }
  [[nodiscard]] virtual bool accepts_class(std::uint8_t device) const { return device == language_.device; }
  /// False: this request is not heard (the controller sleeps).
  virtual bool awake() { return true; }

  Duration delay_ = 40ms;  // until an answer begins

 private:
  [[nodiscard]] Answer reply(std::uint8_t command, std::uint8_t code, Bytes info) const;

  const Language language_;
  bool silent_about_errors_ = false;  // wrong checksum, version or class: no answer
};

}  // namespace serialbattery::simulator::yd1363
