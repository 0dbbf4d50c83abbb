// A driver in front of its simulated device, in virtual time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "support/device_stream.hpp"
#include "support/log_text.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

class DriverTest : public testing::Test {
 protected:
  /// `addresses`: units on the line; empty: one at the model's own address.
  explicit DriverTest(std::string type, const std::vector<std::uint8_t>& addresses = {})
      : type_(std::move(type)), stream_(simulator::Bus::of(type_, addresses)), link_(stream_) {
    stream_.configure(find_driver(type_)->probes.front().line);
    context_.address = find_driver(type_)->probes.front().address;
  }

  /// Another driver on the same line. With `configured` the address stands in BATTERY_ADDRESSES.
  std::unique_ptr<Driver> make(std::uint8_t address, bool configured = false, bool shared = false) {
    return find_driver(type_)->make(
        {.link = link_, .config = config_, .address = address, .address_configured = configured, .shared_line = shared});
  }
  std::unique_ptr<Driver> make(const DriverContext& context) { return find_driver(type_)->make(context); }
  /// The driver under test, made with `context_` when it is first used.
  Driver& driver() {
    if (!driver_) driver_ = make(context_);
    return *driver_;
  }
  bool identify(Effort effort = Effort::thorough) { return run(driver().identify(effort)); }
  void refresh() { run(driver().refresh()); }
  void command(Command::Kind kind, double value) { run(driver().execute({kind, value})); }
  const Battery& battery() { return driver().battery(); }
  simulator::Bus& device() { return stream_.bus(); }
  void set(std::string_view name, std::string_view value) { device().set(name, value); }
  void wait(Duration time) { run(stream_.sleep_until(stream_.now() + time)); }

  /// How the action fails; nullopt: it doesn't.
  static std::optional<Fault> fault_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const BmsError& error) {
      return error.fault();
    }
    return std::nullopt;
  }
  /// How the next poll fails, which must leave the battery as it was; nullopt: it doesn't.
  std::optional<Fault> failing_refresh() {
    const Battery before = battery();
    const auto fault = fault_of([this] { refresh(); });
    if (fault) {
      EXPECT_EQ(battery(), before);
    }
    return fault;
  }
  /// As above, while the line has a fault ("on", or a number).
  std::optional<Fault> failing_refresh(std::string_view fault, std::string_view setting) {
    device().set_fault(fault, setting);
    const auto failure = failing_refresh();
    device().set_fault(fault, setting == "on" ? "off" : "0");
    return failure;
  }
  /// Requests sent so far that begin like this.
  std::size_t sent(std::string_view hex) {
    const ByteVector start = *wire::from_hex(hex);
    return static_cast<std::size_t>(std::ranges::count_if(stream_.written(), [&](const ByteVector& request) {
      return request.size() >= start.size() && std::equal(start.begin(), start.end(), request.begin());
    }));
  }

  /// Requests that were sent since `before`, and fit.
  [[nodiscard]] std::size_t sent(std::size_t before, const std::function<bool(Bytes)>& fits) const {
    return static_cast<std::size_t>(std::ranges::count_if(std::span(stream_.written()).subspan(before), fits));
  }
  [[nodiscard]] std::size_t sent_so_far() const { return stream_.written().size(); }

  std::string type_;
  Config config_ = default_config();
  DeviceStream stream_;
  ByteLink link_;
  DriverContext context_{.link = link_, .config = config_};
  std::unique_ptr<Driver> driver_;
};

}  // namespace serialbattery::test
