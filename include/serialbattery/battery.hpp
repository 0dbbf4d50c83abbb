// The battery model: what one BMS said in its last good reading.
//
// Plain structs of optionals. std::nullopt always means "the BMS did not say"; it is never replaced by zero.
// Units: volts, amperes (positive while charging), ampere-hours, kilowatt-hours, watts, degrees Celsius, percent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace serialbattery {

/// An array indexed by a scoped enumeration whose last enumerator is `count`.
template <typename Key, typename Value>
class EnumArray {
 public:
  static constexpr std::size_t size() { return static_cast<std::size_t>(Key::count); }
  constexpr Value& operator[](Key key) { return values_[static_cast<std::size_t>(key)]; }
  constexpr const Value& operator[](Key key) const { return values_[static_cast<std::size_t>(key)]; }
  constexpr auto begin() { return values_.begin(); }
  constexpr auto end() { return values_.end(); }
  constexpr auto begin() const { return values_.begin(); }
  constexpr auto end() const { return values_.end(); }
  bool operator==(const EnumArray&) const = default;

 private:
  std::array<Value, static_cast<std::size_t>(Key::count)> values_{};
};

struct Cell {
  std::optional<double> voltage;  // V
  std::optional<bool> balancing;
  bool operator==(const Cell&) const = default;
};

/// One entry for each path below /Alarms that a BMS can raise (BmsCable is raised by the link supervision).
enum class Alarm : std::uint8_t {
  low_voltage,
  high_voltage,
  low_cell_voltage,
  high_cell_voltage,
  low_soc,
  state_of_health,
  high_charge_current,
  high_discharge_current,
  cell_imbalance,
  internal_failure,
  high_charge_temperature,
  low_charge_temperature,
  high_temperature,
  low_temperature,
  high_internal_temperature,
  fuse_blown,
  count
};

enum class AlarmLevel : std::uint8_t { ok = 0, warning = 1, alarm = 2 };

/// Name in JSON and test vectors: "low_cell_voltage".
std::string_view alarm_name(Alarm alarm);

/// nullopt: this BMS has no such alarm.
using Alarms = EnumArray<Alarm, std::optional<AlarmLevel>>;

/// The figures below /History, all stored as positive numbers. Units: Ah, V, degrees Celsius, kWh, counts, Unix seconds.
enum class HistoryValue : std::uint8_t {
  deepest_discharge,
  last_discharge,
  average_discharge,
  total_ah_drawn,
  charge_cycles,
  full_discharges,
  timestamp_last_full_charge,
  automatic_syncs,
  low_voltage_alarms,
  high_voltage_alarms,
  minimum_voltage,
  maximum_voltage,
  minimum_cell_voltage,
  maximum_cell_voltage,
  minimum_temperature,
  maximum_temperature,
  discharged_energy,
  charged_energy,
  count
};

using History = EnumArray<HistoryValue, std::optional<double>>;

/// Limits as the BMS states them.
struct BmsLimits {
  std::optional<double> charge_current;     // A, >= 0 (CCL)
  std::optional<double> discharge_current;  // A, >= 0 (DCL)
  std::optional<double> charge_voltage;     // V, whole pack (CVL)
  std::optional<double> low_voltage;        // V, whole pack: lowest allowed voltage
  bool operator==(const BmsLimits&) const = default;
};

/// Texts are UTF-8 or plain ASCII, trimmed; empty means "not given".
struct Identity {
  std::string hardware_version;  // -> /HardwareVersion
  std::string firmware_version;  // version of the BMS's software, for the log and --json
  std::string serial_number;
  std::string unique_id;      // empty: the fallback of venus::fallback_unique_id applies
  std::string legacy_id;      // an identifier under which earlier drivers may have stored the same battery; often empty
  std::string custom_field;   // user-definable text inside the BMS -> /DeviceName
  std::string proposed_name;  // default of /CustomName; empty for nearly all types
  std::string type_text;      // replaces the registry entry's text where it depends on the device; normally empty
  std::string model;
  std::string manufacturer;
  std::string production_date;
  bool operator==(const Identity&) const = default;
};

struct Heater {
  std::optional<bool> allowed;    // heater switch ("FET")
  std::optional<bool> active;     // heating now
  std::optional<double> current;  // A
  std::optional<double> power;    // W
  std::optional<double> start;    // degrees Celsius
  std::optional<double> stop;     // degrees Celsius
  bool operator==(const Heater&) const = default;
};

struct Battery {
  Identity identity;

  std::optional<double> voltage;             // V
  std::optional<double> current;             // A, positive while charging
  std::optional<double> soc;                 // %, 0..100
  std::optional<double> soh;                 // %
  std::optional<double> capacity;            // Ah, nominal
  std::optional<double> capacity_remaining;  // Ah

  std::optional<unsigned> cell_count;  // cells in series
  std::vector<Cell> cells;             // empty: the BMS gives no single cells
  std::optional<double> cell_min;      // V, lowest cell as the BMS states it (beside the cells)
  std::optional<double> cell_max;      // V, highest cell as the BMS states it
  std::optional<bool> balancing;       // the balancer works now, whole pack

  std::array<std::optional<double>, 4> temperatures;  // degrees Celsius, sensors 1..4 as read
  std::optional<double> mos_temperature;              // degrees Celsius

  std::optional<bool> charge_fet;     // on = true
  std::optional<bool> discharge_fet;  // on = true
  std::optional<bool> balance_fet;    // balancing allowed
  Heater heater;

  BmsLimits limits;
  Alarms alarms;
  History history;  // only what the BMS itself counts; control never calculates these values

  bool operator==(const Battery&) const = default;
};

}  // namespace serialbattery
