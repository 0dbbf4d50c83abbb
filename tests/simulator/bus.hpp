// One serial line with one device, or several units at different addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/device.hpp"

namespace serialbattery::simulator {

/// Everything by name: "soc" reaches all units (and reads the first), "2/soc" only the unit at address 2.
class Bus {
 public:
  /// `devices` must not be empty.
  Bus(Line line, std::vector<std::unique_ptr<Device>> devices);
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// Throws PropertyError for an unknown type. No addresses: one unit at the model's own. No baud rate: the model's.
  static std::unique_ptr<Bus> of(std::string_view type, const std::vector<std::uint8_t>& addresses = {},
                                 std::optional<unsigned> baud = std::nullopt);

  [[nodiscard]] const Line& line() const { return line_; }
  [[nodiscard]] std::size_t size() const { return units_.size(); }
  /// By position, not address.
  [[nodiscard]] Device& unit(std::size_t index = 0) { return *units_.at(index); }

  /// Bytes from the host, complete at `now`. Answers are in the order in which they go onto the line.
  std::vector<Answer> receive(Bytes data, TimePoint now);
  /// What units say unasked at `now`.
  std::vector<Answer> talk(TimePoint now);
  [[nodiscard]] bool talks() const;
  void advance(TimePoint now);

  /// Throw PropertyError.
  void set(std::string_view name, std::string_view value);
  [[nodiscard]] std::string get(std::string_view name) const;
  void set_fault(std::string_view name, std::string_view value);
  [[nodiscard]] std::string get_fault(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const { return units_.front()->properties().names(); }
  [[nodiscard]] std::vector<std::string> fault_names() const;

  void seed(std::uint32_t value);
  /// Sums over the units; the newest request.
  [[nodiscard]] Statistics statistics() const;

 private:
  struct Target {
    std::vector<Device*> units;
    std::string_view name;
  };
  [[nodiscard]] Target target(std::string_view name) const;

  Line line_;
  std::vector<std::unique_ptr<Device>> units_;
  // An adapter's echo belongs to the line: it comes even when no unit answers.
  bool echo_ = false;
  unsigned echo_skip_ = 0;
  Properties line_faults_;
};

}  // namespace serialbattery::simulator
