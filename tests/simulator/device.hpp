// What a simulated device is: bytes in, answers out, time passed in.
//
// A model derives from Bms (a device with a battery behind it) or Device (anything else on a serial port), says in recognise()
// what a request looks like and in answer() what it replies. Buffering, faults, statistics and the control channel come for free.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "serialbattery/clock.hpp"
#include "serialbattery/wire.hpp"
#include "simulator/faults.hpp"
#include "simulator/pack.hpp"
#include "simulator/properties.hpp"
#include "simulator/uart.hpp"

namespace serialbattery::simulator {

using namespace std::chrono_literals;

/// What the bytes in front of the input buffer are to the device.
struct Input {
  enum class Kind : std::uint8_t { incomplete, request, foreign, noise };
  Kind kind;
  std::size_t size;  // length of the request; noise: how many bytes to drop

  static Input incomplete() { return {Kind::incomplete, 0}; }
  static Input request(std::size_t size) { return {Kind::request, size}; }
  /// A good request for another unit on the line.
  static Input foreign(std::size_t size) { return {Kind::foreign, size}; }
  static Input noise(std::size_t size = 1) { return {Kind::noise, size}; }
};

struct Statistics {
  std::uint64_t requests = 0;  // well-formed and meant for this device
  std::uint64_t answers = 0;   // answered with at least one byte
  std::uint64_t dropped = 0;   // bytes that were no request
  std::optional<TimePoint> last_request;
};

class Device {
 public:
  explicit Device(std::uint8_t address = 0);
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Bytes from the line, complete at `now`. One answer per request that was answered.
  std::vector<Answer> receive(Bytes data, TimePoint now);

  /// What the device says unasked at `now`; empty if nothing is due.
  Answer talk(TimePoint now);
  /// How often it talks unasked; zero: never.
  [[nodiscard]] virtual Duration talk_interval() const { return Duration::zero(); }

  /// Brings slow state (a battery that runs) to `now`.
  virtual void advance(TimePoint /*now*/) {}

  [[nodiscard]] Properties& properties() { return properties_; }
  [[nodiscard]] Properties& fault_properties() { return fault_properties_; }
  [[nodiscard]] Faults& faults() { return faults_; }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  [[nodiscard]] std::uint8_t address() const { return address_; }

  /// The line it is connected to; told by the bus.
  void connect(const Line& line) { line_ = line; }
  [[nodiscard]] const Line& line() const { return line_; }

 protected:
  /// Looks at the front of the buffer, which holds at least one byte.
  [[nodiscard]] virtual Input recognise(Bytes input) const = 0;
  /// The answer to a recognised request; empty for silence.
  virtual Answer answer(Bytes request, TimePoint now) = 0;
  /// The device's own form of "no" (Modbus exception, status byte); empty for protocols without one.
  virtual Answer refuse(Bytes /*request*/, std::uint8_t /*code*/) { return {}; }
  /// Makes the checksum of a frame wrong. The default suits frames that end with it.
  virtual void spoil_checksum(ByteVector& frame) const;
  /// Content of an unasked message.
  virtual Answer announce(TimePoint /*now*/) { return {}; }
  /// A request for another unit went by.
  virtual void overhear(Bytes /*request*/, TimePoint /*now*/) {}
  /// A request whose bytes stop coming is forgotten after this silence.
  [[nodiscard]] virtual Duration patience() const { return 100ms; }

  /// The address to put into answers: the device's own, unless the wrong_address fault strikes.
  [[nodiscard]] std::uint8_t reply_address() const;

  /// Silence on the line between the end of this device's last answer and the beginning of `request`, complete at `now`.
  [[nodiscard]] Duration gap_before(Bytes request, TimePoint now) const;

 private:
  const std::uint8_t address_;
  Line line_;
  TimePoint answered_{};  // end of the last answer on the line
  Properties properties_;
  Properties fault_properties_;
  Faults faults_;
  Statistics statistics_;
  ByteVector input_;
  TimePoint last_input_{};
  std::optional<TimePoint> next_talk_;
};

/// A device with a battery behind it.
class Bms : public Device {
 public:
  explicit Bms(std::uint8_t address = 0);
  void advance(TimePoint now) override { battery_.advance(pack_, now); }
  [[nodiscard]] Pack& pack() { return pack_; }

 protected:
  [[nodiscard]] const Pack& pack() const { return pack_; }

 private:
  Pack pack_;
  RunningBattery battery_;
};

/// One line of --list, and all that the rest of the program knows about a model.
struct Model {
  std::string_view type;  // BMS_TYPE, or the name of another kind of device
  std::string_view text;  // what it is
  Line line;
  std::uint8_t address = 0;  // when none is given
  std::unique_ptr<Device> (*make)(std::uint8_t address) = nullptr;
};

template <typename T>
std::unique_ptr<Device> make_model(std::uint8_t address) {
  return std::make_unique<T>(address);
}

/// A model's file holds one of these: `const ModelRegistration registration{{"LltJbd", "...", {9600}, 0, make_model<LltJbd>}};`
class ModelRegistration {
 public:
  explicit ModelRegistration(const Model& model);
};

/// All models, by name.
const std::vector<Model>& all_models();
/// nullptr when there is no such model.
const Model* find_model(std::string_view type);

}  // namespace serialbattery::simulator
