// What one poll costs in CPU time: conversation and decoding (the line's waiting left out), control, publishing on a real bus.
#include <benchmark/benchmark.h>

#include <map>

#include "control/controller.hpp"
#include "serialbattery/registry.hpp"
#include "support/private_bus.hpp"
#include "support/scripted_stream.hpp"
#include "venus/battery_service.hpp"

namespace serialbattery::test {

namespace {

// A 16-cell JBD pack at rest.
const std::map<ByteVector, ByteVector> conversation = {
    {*wire::from_hex("dda50300fffd77"), *wire::from_hex("dd03001d14bb00001f402710001130cf0000000000002a500310030b870ba50baffae277")},
    {*wire::from_hex("dda50400fffc77"), *wire::from_hex("dd0400200cf00cf70cf30cfa0cf60cf20cf90cf50cf10cf80cf40cf00cf70cf30cfa0cf6efcf77")},
};

struct Board {
  Board() {
    spdlog::set_level(spdlog::level::err);
    stream.set_responder([](Bytes request) -> ScriptedStream::Answer {
      const auto known = conversation.find(ByteVector(request.begin(), request.end()));
      if (known == conversation.end()) return {};
      return {{known->second, 40ms}};
    });
    run(driver->identify(Effort::quick));
  }
  Config config = default_config();
  ScriptedStream stream;
  ByteLink link{stream};
  std::unique_ptr<Driver> driver = find_driver("LltJbd")->make({.link = link, .config = config});
};

void ConversationAndDecoding(benchmark::State& state) {
  Board board;
  for (auto _ : state) run(board.driver->refresh());
  state.SetLabel("LltJbd, 16 cells");
}
BENCHMARK(ConversationAndDecoding);

void Publish(benchmark::State& state) {
  Board board;
  const PrivateBus bus;
  asio::io_context io;
  control::Controller controller(board.config, {.poll_interval = 1s}, {});
  venus::ServiceInfo info;
  info.service_name = "com.victronenergy.battery.ttyUSB0";
  info.product_name = "SerialBattery";
  venus::BatteryService service(io, info, board.config, {}, {});
  Now now{Clock::now(), 1'700'000'000};
  Battery battery = board.driver->battery();
  service.publish(controller.good_poll(battery, {}, now));
  bool announced = false;
  asio::co_spawn(io, service.announce(), [&](std::exception_ptr) { announced = true; });
  while (!announced) io.run_one();
  const bool moving = state.range(0) != 0;
  for (auto _ : state) {
    now.mono += 1s;
    ++now.wall;
    if (moving) {
      // Everything that moves on a battery in use.
      battery.current = battery.current == 10.0 ? 11 : 10;
      *battery.voltage += *battery.current == 10 ? 0.01 : -0.01;
      for (Cell& cell : battery.cells) *cell.voltage += *battery.current == 10 ? 0.001 : -0.001;
    }
    service.publish(controller.good_poll(battery, {}, now));
    io.poll();
  }
  state.SetLabel(moving ? "current, voltage and all cells change" : "nothing changes");
}
BENCHMARK(Publish)->Arg(0)->Arg(1);

}  // namespace

}  // namespace serialbattery::test

BENCHMARK_MAIN();
