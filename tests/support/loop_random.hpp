// Random numbers of the closed-loop simulation: functions of (seed, what for, index), so that a number never depends on how often
// or in which order others were drawn, nor on the step size of the simulation.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace serialbattery::loop {

/// One stream per use; members are the independent purposes inside one simulated case.
enum class Stream : std::uint64_t {
  resistance = 1,
  polarisation,
  capacity,
  shuffle,
  cloud,
  load,
  spike_start,
  spike_length,
  cell_noise,
  lost_poll,
  lost_cell,
  outage
};

/// SplitMix64's finaliser: every bit of the input changes every bit of the output.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : seed_(mix(seed)) {}

  /// Uniform in [0, 1).
  [[nodiscard]] constexpr double uniform(Stream stream, std::uint64_t index) const {
    return static_cast<double>(mix(seed_ ^ mix(static_cast<std::uint64_t>(stream) ^ mix(index))) >> 11) * 0x1p-53;
  }
  [[nodiscard]] constexpr double uniform(Stream stream, std::uint64_t index, double low, double high) const {
    return low + (high - low) * uniform(stream, index);
  }
  /// Standard normal (Box and Muller).
  [[nodiscard]] double normal(Stream stream, std::uint64_t index) const {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(stream, 2 * index)));
    return radius * std::cos(2 * std::numbers::pi * uniform(stream, 2 * index + 1));
  }

 private:
  std::uint64_t seed_;
};

}  // namespace serialbattery::loop
