// What can go wrong between a device and the line, switchable while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "serialbattery/clock.hpp"
#include "serialbattery/wire.hpp"
#include "simulator/properties.hpp"

namespace serialbattery::simulator {

/// Bytes that leave the device in one go.
struct Part {
  Duration pause{};  // silence before them: since the request for the first part, since the end of the part before for the others
  ByteVector bytes;
};

/// One answer, usually one frame. Each frame with a checksum of its own is a part. Empty: silence.
using Answer = std::vector<Part>;

/// Changes answers as a bad cable, adapter or firmware would. All faults together strike the answers that `every` and `count` select.
class Faults {
 public:
  explicit Faults(std::uint32_t seed = 1) : random_(seed) {}

  void seed(std::uint32_t value) { random_.seed(value); }
  /// See the table in the source for names and meanings.
  void bind(Properties& properties);

  /// Selects whether this request is struck; call once per request, before the questions below.
  void next_request();

  /// What the device itself has to do differently for this request. A model's own faults ask struck().
  [[nodiscard]] bool struck() const { return struck_; }
  [[nodiscard]] bool wrong_address() const { return struck_ && wrong_address_; }
  [[nodiscard]] std::uint8_t exception() const { return struck_ ? exception_ : std::uint8_t{0}; }
  [[nodiscard]] bool wrong_checksum() const { return struck_ && checksum_; }

  /// What the line sees in place of `answer`.
  Answer apply(Answer answer);

 private:
  void damage(Answer& answer);
  void surround(Answer& answer);
  [[nodiscard]] Answer pace(Answer answer) const;
  ByteVector noise(unsigned count);
  std::size_t below(std::size_t end);

  // selection
  unsigned every_ = 1;
  unsigned count_ = 0;
  unsigned answer_every_ = 1;
  // the device
  bool wrong_address_ = false;
  std::uint8_t exception_ = 0;
  bool checksum_ = false;
  // the answer
  bool silence_ = false;
  unsigned flip_ = 0;
  int truncate_ = 0;
  unsigned lose_ = 0;
  unsigned noise_before_ = 0;
  unsigned noise_inside_ = 0;
  unsigned noise_after_ = 0;
  ByteVector prefix_;
  ByteVector suffix_;
  bool stale_ = false;
  bool previous_ = false;
  Duration delay_{};
  Duration gap_{};
  unsigned chunk_ = 1;

  std::mt19937 random_;
  std::uint64_t requests_ = 0;
  bool struck_ = false;
  bool limited_ = false;  // count was set and still counts
  Answer last_;           // the answer before, undamaged
};

}  // namespace serialbattery::simulator
