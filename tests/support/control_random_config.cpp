// Random configurations that the loader accepts.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <map>
#include <stdexcept>
#include <vector>

#include "support/config_text.hpp"
#include "support/control_walk.hpp"

namespace serialbattery::test {
namespace {

namespace json = boost::json;

std::string volts(double value) {
  return fmt::format("{:.3f}", value);
}

// A curve: support points from `low` to `high` and fractions; `dangerous_end` gets the smallest fraction.
enum class End { low, high, both };

struct CurveText {
  std::string points, fractions;
};

CurveText random_curve(Dice& dice, double low, double high, End dangerous_end) {
  const int count = dice.whole(2, 6);
  std::vector<double> points;
  std::vector<double> fractions;
  for (int i = 0; i < count; ++i) {
    points.push_back(low + (high - low) * i / (count - 1));
    fractions.push_back(std::round(100.0 * i / (count - 1)) / 100);
  }
  if (dice.chance(0.2)) points[1] = points[0];  // a step
  if (dice.chance(0.2)) fractions[0] = std::min(0.05, fractions[1]);
  if (dangerous_end == End::high) std::reverse(fractions.begin(), fractions.end());
  if (dangerous_end == End::both) {
    for (int i = 0; i < count; ++i) fractions[static_cast<std::size_t>(i)] = i == 0 || i == count - 1 ? 0.0 : 1.0;
    if (count == 2) fractions = {1.0, 0.2};
  }
  if (dice.chance(0.5)) {
    std::reverse(points.begin(), points.end());
    std::reverse(fractions.begin(), fractions.end());
  }
  CurveText text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    text.points += fmt::format("{}{:.3f}", i == 0 ? "" : ", ", points[i]);
    text.fractions += fmt::format("{}{:.2f}", i == 0 ? "" : ", ", fractions[i]);
  }
  return text;
}

void put_curve(json::object& keys, Dice& dice, std::string_view points, std::string_view fractions, double low, double high, End end) {
  if (dice.chance(0.4)) return;  // the default
  const auto curve = random_curve(dice, low, high, end);
  keys[points] = curve.points;
  keys[fractions] = curve.fractions;
}

void put_voltages(json::object& keys, Dice& dice) {
  if (dice.chance(0.4)) return;
  const double highest = dice.range(3.3, 3.6);
  const double lowest = dice.range(2.5, 3.0);
  keys["MAX_CELL_VOLTAGE"] = volts(highest);
  keys["MIN_CELL_VOLTAGE"] = volts(lowest);
  keys["FLOAT_CELL_VOLTAGE"] = volts(dice.range(highest - 0.2, highest));
  keys["BLOCK_ON_DISCONNECT_VOLTAGE_MIN"] = volts(lowest + 0.2);
  keys["BLOCK_ON_DISCONNECT_VOLTAGE_MAX"] = volts(highest - 0.02);
  keys["SOC_RESET_CELL_VOLTAGE"] = volts(highest + dice.range(0, 0.1));
  keys["CELL_VOLTAGES_WHILE_CHARGING"] = fmt::format("{:.3f}, {:.3f}, {:.3f}", highest + 0.15, highest - 0.05, highest - 0.1);
  keys["MAX_CHARGE_CURRENT_CV_FRACTION"] = "0, 0.3, 1";
  keys["CELL_VOLTAGES_WHILE_DISCHARGING"] = fmt::format("{:.3f}, {:.3f}, {:.3f}", lowest - 0.1, lowest + 0.05, lowest + 0.2);
  keys["MAX_DISCHARGE_CURRENT_CV_FRACTION"] = "0, 0.3, 1";
}

void put_switches(json::object& keys, Dice& dice) {
  const auto sometimes = [&](std::string_view key, double probability, std::string_view value) {
    if (dice.chance(probability)) keys[key] = value;
  };
  for (const char* key : {"CCCM_CV_ENABLE", "DCCM_CV_ENABLE", "CCCM_T_ENABLE", "DCCM_T_ENABLE", "CCCM_T_MOSFET_ENABLE",
                          "DCCM_T_MOSFET_ENABLE", "HISTORY_ENABLE", "BMS_CABLE_ALARM", "TIME_TO_GO_ENABLE"}) {
    sometimes(key, 0.15, "False");
  }
  for (const char* key : {"CCCM_SOC_ENABLE", "DCCM_SOC_ENABLE", "BLOCK_ON_DISCONNECT", "USE_BMS_DVCC_VALUES", "MIDPOINT_ENABLE",
                          "TIME_TO_SOC_INC_FROM", "SOC_CALCULATION"}) {
    sometimes(key, 0.35, "True");
  }
  sometimes("GUI_PARAMETERS_SHOW_ADDITIONAL_INFO", 0.05, "True");
  sometimes("CVCM_ENABLE", 0.08, "False");
  sometimes("CHARGE_MODE", 0.3, "2");
  sometimes("SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF", 0.3, "");
  sometimes("SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF", 0.3, "0.05");
  sometimes("SWITCH_TO_BULK_CELL_VOLTAGE_DIFF", 0.3, "0.2");
  sometimes("CURRENT_MEASURED_BY_USER", 0.2, "-290, 310");
  sometimes("TIME_TO_SOC_POINTS", 0.3, "100, 50, 10");
  sometimes("TEMPERATURE_1_ADJUST", 0.2, "-1.5, 1.1");
  sometimes("TEMPERATURE_SOURCE_BATTERY", 0.3, "2, 1");
  sometimes("VOLTAGE_DROP", 0.2, "0.13");
  if (dice.chance(0.3)) {
    keys["EXTERNAL_SENSOR_DBUS_DEVICE"] = "com.victronenergy.battery.ttyS2";
    if (dice.chance(0.7)) keys["EXTERNAL_SENSOR_DBUS_PATH_CURRENT"] = "/Dc/0/Current";
    if (!keys.contains("SOC_CALCULATION")) keys["EXTERNAL_SENSOR_DBUS_PATH_SOC"] = "/Soc";
  }
}

void put_numbers(json::object& keys, Dice& dice) {
  keys["CVL_CONTROLLER_MODE"] = std::to_string(dice.whole(0, 4));
  keys["SWITCH_TO_FLOAT_WAIT_FOR_SEC"] = dice.of<const char*>({"0", "2", "5", "20", "60", "900"});
  keys["CVL_RECOVERY_HOLD_SEC"] = dice.of<const char*>({"0", "2", "5", "60"});
  keys["CVL_RECOVERY_RATE_V_PER_SEC"] = dice.of<const char*>({"0", "0.001", "0.01", "0.1", "1"});
  keys["CVL_ICONTROLLER_FACTOR"] = dice.of<const char*>({"0.2", "1", "10"});
  keys["CVL_RECALCULATION_EVERY"] = dice.of<const char*>({"0", "5", "60"});
  for (const char* key : {"CCL_RECOVERY_HOLD_SEC", "DCL_RECOVERY_HOLD_SEC"}) keys[key] = dice.of<const char*>({"0", "2", "5", "30"});
  for (const char* key : {"CCL_RECOVERY_RATE_A_PER_SEC", "DCL_RECOVERY_RATE_A_PER_SEC"}) {
    keys[key] = dice.of<const char*>({"0", "0.7", "5", "100"});
  }
  keys["MAX_BATTERY_CHARGE_CURRENT"] = dice.of<const char*>({"50", "0", "5", "200", "333.333"});
  keys["MAX_BATTERY_DISCHARGE_CURRENT"] = dice.of<const char*>({"60", "0", "7.5", "400"});
  keys["BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES"] = dice.of<const char*>({"0", "1", "30"});
  keys["TIME_TO_SOC_VALUE_TYPE"] = dice.of<const char*>({"1", "2", "3"});
  keys["SWITCH_TO_BULK_SOC_THRESHOLD"] = dice.of<const char*>({"80", "0", "50"});
}

json::object random_keys(Dice& dice, Chemistry chemistry) {
  json::object keys;
  put_voltages(keys, dice);
  put_switches(keys, dice);
  put_numbers(keys, dice);
  put_curve(keys, dice, "TEMPERATURES_WHILE_CHARGING", "MAX_CHARGE_CURRENT_T_FRACTION", -5, 55, End::both);
  put_curve(keys, dice, "TEMPERATURES_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_T_FRACTION", -20, 60, End::both);
  put_curve(keys, dice, "MOSFET_TEMPERATURES_WHILE_CHARGING", "MAX_CHARGE_CURRENT_T_MOSFET_FRACTION", 60, 95, End::high);
  put_curve(keys, dice, "MOSFET_TEMPERATURES_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_T_MOSFET_FRACTION", 60, 95, End::high);
  put_curve(keys, dice, "SOC_WHILE_CHARGING", "MAX_CHARGE_CURRENT_SOC_FRACTION", 80, 100, End::high);
  put_curve(keys, dice, "SOC_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_SOC_FRACTION", 0, 30, End::low);
  if (chemistry != Chemistry::no_soc_reset && dice.chance(0.4) && !keys.contains("CVCM_ENABLE")) {
    keys["SOC_RESET_AFTER_DAYS"] = dice.of<const char*>({"1", "10"});
    if (!keys.contains("SOC_RESET_CELL_VOLTAGE")) keys["SOC_RESET_CELL_VOLTAGE"] = "3.500";
  }
  if (chemistry == Chemistry::coulomb_counting) {
    keys["SOC_CALCULATION"] = "True";
    keys.erase("EXTERNAL_SENSOR_DBUS_PATH_SOC");
  }
  return keys;
}

std::vector<Config> make_pool(Chemistry chemistry) {
  constexpr std::size_t kPool = 1500;
  constexpr int kTries = 20000;
  std::vector<Config> pool;
  Dice dice(4711 + static_cast<std::uint64_t>(chemistry));
  for (int i = 0; i < kTries && pool.size() < kPool; ++i) {
    Config config = config_from(random_keys(dice, chemistry));
    if (config.has_errors) continue;
    if (chemistry == Chemistry::blocked) {  // as the loader leaves it after an unreadable maximum
      config.blocked = {.charge = dice.chance(0.7), .discharge = dice.chance(0.5)};
      config.blocked.charge = config.blocked.charge || !config.blocked.discharge;
      config.has_errors = true;
      config.issue_lines = {"Config: MAX_CELL_VOLTAGE bad-number"};
    }
    pool.push_back(std::move(config));
  }
  if (pool.size() < kPool / 2) throw std::logic_error("the loader refuses most of the random configurations");
  return pool;
}

}  // namespace

const Config& random_config(std::uint64_t seed, Chemistry chemistry) {
  static std::map<Chemistry, std::vector<Config>> pools;
  auto& pool = pools[chemistry];
  if (pool.empty()) pool = make_pool(chemistry);
  return pool[Dice(seed).next() % pool.size()];
}

}  // namespace serialbattery::test
