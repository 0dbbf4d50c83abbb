// Readings of well-behaved packs.
#include "support/control_packs.hpp"

#include <cmath>

namespace serialbattery::test {
namespace {

constexpr auto kOrigin = TimePoint{} + std::chrono::hours(5000);
constexpr std::int64_t kEpoch = 1700000000;

}  // namespace

Battery healthy_pack(unsigned cells, double cell_voltage) {
  Battery pack;
  pack.identity.hardware_version = "a text that does not fit into a short string";
  pack.cell_count = cells;
  pack.cells.assign(cells, Cell{cell_voltage, false});
  pack.voltage = cell_voltage * cells;
  pack.current = 5;
  pack.soc = 50;
  pack.soh = 99;
  pack.capacity = 100;
  pack.temperatures = {21.0, 22.0, 23.0, 24.0};
  pack.mos_temperature = 30;
  pack.charge_fet = true;
  pack.discharge_fet = true;
  pack.limits = {.charge_current = 100, .discharge_current = 100, .charge_voltage = {}, .low_voltage = {}};
  for (auto& alarm : pack.alarms) alarm = AlarmLevel::ok;
  return pack;
}

Now at_second(double seconds) {
  return {kOrigin + std::chrono::round<Duration>(std::chrono::duration<double>(seconds)),
          kEpoch + static_cast<std::int64_t>(std::floor(seconds))};
}

Now with_steady_wall(const Now& now) {
  return at_second(std::chrono::duration<double>(now.mono - kOrigin).count());
}

}  // namespace serialbattery::test
