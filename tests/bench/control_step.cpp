// Benchmark: one poll of control for a pack of 32 cells. Also counts allocations; the steady state has none.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>

#include "support/config_text.hpp"
#include "support/control_packs.hpp"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace serialbattery;

constexpr unsigned kCells = 32;
constexpr int kWarmUp = 700;  // s: the average current has its 300 s of samples, every timer has run

class Bench {
 public:
  explicit Bench(const boost::json::object& changes)
      : controller_(test::config_from(changes), {.poll_interval = std::chrono::seconds(1)}, {}), pack_(test::healthy_pack(kCells, 3.33)) {
    for (int i = 0; i < kWarmUp; ++i) poll();
  }

  const control::Snapshot& poll() {
    seconds_ += 1;
    // Cells and current move a little, so that no value stays the same; one cell is over its maximum now and then.
    const double wave = static_cast<int>(seconds_) % 7 * 0.001;
    for (auto& cell : pack_.cells) cell.voltage = 3.33 + wave;
    pack_.cells[5].voltage = static_cast<int>(seconds_) % 100 < 5 ? 3.47 : 3.34 + wave;
    pack_.voltage = 3.33 * kCells + wave;
    pack_.current = -20 + 1000 * wave;
    return controller_.good_poll(pack_, {}, test::at_second(seconds_));
  }

  const control::Snapshot& fail() {
    seconds_ += 0.001;  // stays below the threshold of an outage for 10 000 polls
    return controller_.failed_poll({}, test::at_second(seconds_));
  }

 private:
  control::Controller controller_;
  Battery pack_;
  double seconds_ = 0;
};

void measure(benchmark::State& state, Bench& bench, auto&& step) {
  const std::size_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(step(bench));
  state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
}

void good_poll(benchmark::State& state) {
  Bench bench({{"SOC_CALCULATION", "True"}, {"MIDPOINT_ENABLE", "True"}, {"TIME_TO_SOC_POINTS", "100, 50, 10"}});
  measure(state, bench, [](Bench& b) { return b.poll().cvl; });
}

void good_poll_all_options(benchmark::State& state) {
  Bench bench({{"SOC_CALCULATION", "True"},
               {"MIDPOINT_ENABLE", "True"},
               {"TIME_TO_SOC_POINTS", "100, 50, 10"},
               {"CCCM_SOC_ENABLE", "True"},
               {"DCCM_SOC_ENABLE", "True"},
               {"CURRENT_MEASURED_BY_USER", "-290, 310"},
               {"GUI_PARAMETERS_SHOW_ADDITIONAL_INFO", "True"}});
  measure(state, bench, [](Bench& b) { return b.poll().cvl; });
}

void failed_poll(benchmark::State& state) {
  Bench bench({});
  bench.fail();
  measure(state, bench, [](Bench& b) { return b.fail().cvl; });
}

BENCHMARK(good_poll)->Unit(benchmark::kMicrosecond);
BENCHMARK(good_poll_all_options)->Unit(benchmark::kMicrosecond);
BENCHMARK(failed_poll)->Unit(benchmark::kMicrosecond)->Iterations(5000);

}  // namespace

BENCHMARK_MAIN();
