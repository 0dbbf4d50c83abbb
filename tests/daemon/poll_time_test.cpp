// A poll takes the time of its requests and answers on the wire, the device's own time and the gaps that its protocol document asks
// for: no driver waits for a deadline when all is well.
#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "support/device_stream.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

constexpr auto longest_gap = 120ms;  // the longest of the protocol documents (JK PB, Daly)

std::vector<const DriverEntry*> serial_drivers() {
  std::vector<const DriverEntry*> list;
  for (const DriverEntry& entry : all_drivers()) {
    if (entry.transport == Transport::serial && entry.type != "Example") list.push_back(&entry);
  }
  return list;
}

}  // namespace

class PollTime : public testing::TestWithParam<const DriverEntry*> {};

TEST_P(PollTime, IsWireTimeDeviceTimeAndGaps) {
  const DriverEntry& entry = *GetParam();
  DeviceStream stream(simulator::Bus::of(entry.type));
  ByteLink link(stream);
  const Config config = default_config();
  std::unique_ptr<Driver> driver;
  for (const Probe& probe : entry.probes) {
    stream.configure(probe.line);
    driver = entry.make({.link = link, .config = config, .address = probe.address, .type_configured = true});
    if (run(driver->identify(Effort::thorough))) break;
    driver.reset();
  }
  ASSERT_TRUE(driver);
  for (int poll = 0; poll < 20; ++poll) {
    run(stream.sleep_until(stream.now() + 1s));
    const TimePoint start = stream.now();
    const Duration conversation = stream.conversation();
    const Duration pauses = stream.pauses();
    const std::size_t requests = stream.written().size();
    run(driver->refresh());
    const auto count = static_cast<int>(stream.written().size() - requests);
    const Duration own = stream.now() - start - (stream.conversation() - conversation) - (stream.pauses() - pauses);
    ASSERT_GT(count, 0);
    EXPECT_LE(own, 5ms) << "poll " << poll;
    EXPECT_LE(stream.pauses() - pauses, count * longest_gap) << "poll " << poll;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PollTime, testing::ValuesIn(serial_drivers()),
                         [](const auto& driver) { return std::string(driver.param->type); });

}  // namespace serialbattery::test
