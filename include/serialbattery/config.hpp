// The typed configuration: one member per key of config.ini, named like the key.
//
// Type, default, range and documentation of each key stand in the key table (src/config/key_table.cpp); a Config is made by the
// loader (src/config/loader.hpp) and holds only values inside their ranges. It is read once, at start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace serialbattery {

/// Directions that an invalid configuration blocks.
struct Blocked {
  bool charge = false;
  bool discharge = false;
  bool operator==(const Blocked&) const = default;
};

struct Config {
  std::string logging;
  double max_battery_charge_current = 0;
  double max_battery_discharge_current = 0;
  double min_cell_voltage = 0;
  double max_cell_voltage = 0;
  double float_cell_voltage = 0;
  double soc_reset_cell_voltage = 0;
  std::optional<int> soc_reset_after_days;
  bool soc_calculation = false;
  std::vector<double> current_reported_by_bms;
  std::vector<double> current_measured_by_user;
  std::string bluetooth_bms;
  bool bluetooth_use_polling = false;
  bool bluetooth_force_reset_ble_stack = false;
  bool bluetooth_use_usb = false;
  std::vector<std::string> can_port;
  bool serial_starter_enabled = false;
  std::vector<std::string> battery_addresses;
  bool block_on_disconnect = false;
  int block_on_disconnect_timeout_minutes = 0;
  double block_on_disconnect_voltage_min = 0;
  double block_on_disconnect_voltage_max = 0;
  bool bms_cable_alarm = false;
  std::string external_sensor_dbus_device;
  std::string external_sensor_dbus_path_current;
  std::string external_sensor_dbus_path_soc;
  int charge_mode = 0;
  int cvl_recalculation_every = 0;
  int cvl_recalculation_on_max_percentage_change = 0;
  int cvl_recovery_hold_sec = 0;
  double cvl_recovery_rate_v_per_sec = 0;
  bool cvcm_enable = false;
  int switch_to_float_wait_for_sec = 0;
  double switch_to_float_cell_voltage_diff = 0;
  double switch_to_float_cell_voltage_deviation = 0;
  int switch_to_bulk_soc_threshold = 0;
  double switch_to_bulk_cell_voltage_diff = 0;
  int cvl_controller_mode = 0;
  double cvl_icontroller_factor = 0;
  bool cccm_cv_enable = false;
  bool dccm_cv_enable = false;
  std::vector<double> cell_voltages_while_charging;
  std::vector<double> max_charge_current_cv_fraction;
  std::vector<double> cell_voltages_while_discharging;
  std::vector<double> max_discharge_current_cv_fraction;
  bool cccm_t_enable = false;
  bool dccm_t_enable = false;
  std::vector<double> temperatures_while_charging;
  std::vector<double> max_charge_current_t_fraction;
  std::vector<double> temperatures_while_discharging;
  std::vector<double> max_discharge_current_t_fraction;
  bool cccm_t_mosfet_enable = false;
  bool dccm_t_mosfet_enable = false;
  std::vector<double> mosfet_temperatures_while_charging;
  std::vector<double> max_charge_current_t_mosfet_fraction;
  std::vector<double> mosfet_temperatures_while_discharging;
  std::vector<double> max_discharge_current_t_mosfet_fraction;
  bool cccm_soc_enable = false;
  bool dccm_soc_enable = false;
  std::vector<double> soc_while_charging;
  std::vector<double> max_charge_current_soc_fraction;
  std::vector<double> soc_while_discharging;
  std::vector<double> max_discharge_current_soc_fraction;
  double charge_current_recovery_threshold_percent = 0;
  double discharge_current_recovery_threshold_percent = 0;
  int ccl_recovery_hold_sec = 0;
  double ccl_recovery_rate_a_per_sec = 0;
  int dcl_recovery_hold_sec = 0;
  double dcl_recovery_rate_a_per_sec = 0;
  bool time_to_go_enable = false;
  std::vector<int> time_to_soc_points;
  int time_to_soc_value_type = 0;
  int time_to_soc_recalculate_every = 0;
  bool time_to_soc_inc_from = false;
  bool history_enable = false;
  std::vector<std::string> bms_type;
  std::vector<std::string> excluded_devices;
  std::optional<double> poll_interval;
  bool publish_config_values = false;
  bool publish_battery_data_as_json = false;
  int battery_cell_data_format = 0;
  bool midpoint_enable = false;
  std::vector<int> temperature_source_battery;
  std::string temperature_1_name;
  std::string temperature_2_name;
  std::string temperature_3_name;
  std::string temperature_4_name;
  std::vector<double> temperature_1_adjust;
  std::vector<double> temperature_2_adjust;
  std::vector<double> temperature_3_adjust;
  std::vector<double> temperature_4_adjust;
  std::vector<double> temperature_mos_adjust;
  bool gui_parameters_show_additional_info = false;
  bool gui_install_customizations = false;
  bool telemetry = false;
  double voltage_drop = 0;
  bool use_port_as_unique_id = false;
  double battery_capacity = 0;
  bool auto_reset_soc = false;
  bool use_bms_dvcc_values = false;
  double soc_low_warning = 0;
  double soc_low_alarm = 0;
  bool up16s_require_direct_connection = false;
  int invert_current_measurement = 0;
  int greenmeter_address = 0;
  int lipro_start_address = 0;
  int lipro_end_address = 0;
  int lipro_cell_count = 0;
  int ubms_can_module_series = 0;
  int ubms_can_module_parallel = 0;
  std::vector<std::string> mqtt_topic;
  std::string mqtt_broker_address;
  int mqtt_broker_port = 0;
  bool mqtt_tls_enabled = false;
  std::string mqtt_tls_path_to_ca;
  bool mqtt_tls_insecure = false;
  std::string mqtt_username;
  std::string mqtt_password;
  bool bms_capture_raw_data = false;
  int bms_capture_raw_data_max_size_mb = 0;
  int bms_capture_raw_data_backup_count = 0;
  // Not keys: what the loader found out.
  bool has_errors = false;                     // an issue of class E exists: /State 10 and /ErrorCode 119 for the life of the process
  Blocked blocked;                             // implies has_errors
  bool battery_capacity_in_user_file = false;  // BATTERY_CAPACITY stands in the user's file (the MNB driver asks)
  std::vector<std::string> issue_lines;        // one short "Config: <KEY> <code>" per erroneous key, for /Info/ChargeModeDebug
  bool operator==(const Config&) const = default;
};

/// The built-in defaults, as if no file existed.
Config default_config();

}  // namespace serialbattery
