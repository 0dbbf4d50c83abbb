// How much longer a poll takes than its requests and answers on the line, the device and the gaps of the protocol: the real serial code on
// a pseudo-terminal with a simulated device at the line's pace, against the same poll in virtual time. The time shown is the difference.
#include <benchmark/benchmark.h>

#include "config/loader.hpp"
#include "link/serial_stream.hpp"
#include "serialbattery/registry.hpp"
#include "simulator/pty_host.hpp"
#include "support/device_stream.hpp"
#include "support/loop.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

constexpr auto poll_interval = 200ms;

std::unique_ptr<Driver> driver_of(const DriverEntry& entry, ByteLink& link, const Config& config) {
  return entry.make({.link = link, .config = config, .address = entry.probes.front().address, .type_configured = true});
}

// Polls in virtual time take nothing but what they have to.
std::vector<Duration> needed_times(const DriverEntry& entry, const Config& config, int polls) {
  DeviceStream stream(simulator::Bus::of(entry.type));
  stream.configure(entry.probes.front().line);
  ByteLink link(stream);
  const auto driver = driver_of(entry, link, config);
  run(driver->identify(Effort::thorough));
  std::vector<Duration> times;
  for (int i = 0; i < polls; ++i) {
    run(stream.sleep_until(stream.now() + poll_interval));
    const TimePoint start = stream.now();
    run(driver->refresh());
    times.push_back(stream.now() - start);
  }
  return times;
}

void PollOverhead(benchmark::State& state, const std::string& type) {
  spdlog::set_level(spdlog::level::off);
  const DriverEntry& entry = *find_driver(type);
  const Config config = default_config();
  constexpr int polls = 20;
  const std::vector<Duration> needed = needed_times(entry, config, polls);
  asio::io_context io;
  // The adapter delivers each byte at once.
  const simulator::PtyHost host(io, simulator::Bus::of(type), {.chunk = 1, .latency = Duration::zero()});
  link::SerialStream stream(io, host.slave());
  stream.configure(entry.probes.front().line);
  ByteLink link(stream);
  const auto driver = driver_of(entry, link, config);
  await(io, driver->identify(Effort::thorough));
  double poll_ms = 0;
  std::size_t i = 0;
  for (auto _ : state) {
    run_for(io, std::chrono::duration_cast<std::chrono::milliseconds>(poll_interval));
    const TimePoint start = Clock::now();
    await(io, driver->refresh());
    const Duration taken = Clock::now() - start;
    poll_ms += std::chrono::duration<double, std::milli>(taken).count();
    state.SetIterationTime(std::max(0.0, std::chrono::duration<double>(taken - needed.at(i++ % polls)).count()));
  }
  state.counters["poll_ms"] = benchmark::Counter(poll_ms, benchmark::Counter::kAvgIterations);
}
BENCHMARK_CAPTURE(PollOverhead, LltJbd, "LltJbd")->UseManualTime()->Iterations(20)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(PollOverhead, Jkbms, "Jkbms")->UseManualTime()->Iterations(20)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(PollOverhead, Jkbms_pb, "Jkbms_pb")->UseManualTime()->Iterations(20)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(PollOverhead, Daly, "Daly")->UseManualTime()->Iterations(20)->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace serialbattery::test

BENCHMARK_MAIN();
