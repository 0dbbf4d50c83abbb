// Sun and load of the closed-loop simulation, second by second.
#pragma once

#include <array>
#include <cstdint>

#include "support/loop_random.hpp"

namespace serialbattery::loop {

/// Times are seconds since midnight of the first day. Powers in W for a pack of 16 cells; other packs scale them, so that each sees
/// the same current per ampere-hour.
class Weather {
 public:
  explicit Weather(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] double sun(double seconds) const;
  [[nodiscard]] double load(double seconds);

 private:
  struct Spike {
    double begin, end;  // seconds of the day
  };
  [[nodiscard]] double clouds(int day, double of_day) const;
  void roll_spikes(int day);

  Random random_;
  int spikes_of_ = -1;
  std::array<Spike, 14> spikes_{};
};

}  // namespace serialbattery::loop
