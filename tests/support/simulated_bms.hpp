// A driver and a simulated device on a line in virtual time.
#pragma once

#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "support/device_stream.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

class SimulatedBms : public testing::Test {
 protected:
  /// `units`: addresses on the line, empty: one unit at the model's own.
  explicit SimulatedBms(std::string_view type, const std::vector<std::uint8_t>& units = {})
      : type_(type), stream_(simulator::Bus::of(type, units)), link_(stream_) {
    stream_.configure(find_driver(type)->probes.front().line);
    context_.address = find_driver(type)->probes.front().address;
  }

  [[nodiscard]] std::unique_ptr<Driver> make(const DriverContext& context) const { return find_driver(type_)->make(context); }
  /// The driver under test, made with `context_` when it is first used.
  Driver& driver() {
    if (!driver_) driver_ = make(context_);
    return *driver_;
  }
  const Battery& battery() { return driver().battery(); }

  bool identify(Effort effort = Effort::thorough) { return run(driver().identify(effort)); }
  void refresh() { run(driver().refresh()); }
  void command(Command::Kind kind, double value) { run(driver().execute({kind, value})); }

  /// The fault of an action, nullopt when it succeeds.
  static std::optional<Fault> fault_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const BmsError& error) {
      return error.fault();
    }
    return std::nullopt;
  }
  std::optional<Fault> failed_refresh() {
    return fault_of([this] { refresh(); });
  }

  simulator::Bus& board() { return stream_.bus(); }
  void set(std::string_view name, std::string_view value) { board().set(name, value); }
  void wait(Duration time) { run(stream_.sleep_until(stream_.now() + time)); }
  /// Requests that were sent since `before`, and fit.
  [[nodiscard]] std::size_t sent(std::size_t before, const std::function<bool(Bytes)>& fits) const {
    std::size_t count = 0;
    for (std::size_t i = before; i < stream_.written().size(); ++i) count += fits(stream_.written()[i]) ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::size_t sent_so_far() const { return stream_.written().size(); }

  std::string_view type_;
  Config config_ = default_config();
  DeviceStream stream_;
  ByteLink link_;
  DriverContext context_{.link = link_, .config = config_};
  std::unique_ptr<Driver> driver_;
};

}  // namespace serialbattery::test
