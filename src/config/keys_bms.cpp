// Keys: voltage drop, identity, single BMS types, MQTT, capture. config.md 4.17 to 4.19.
#include "config/key_table.hpp"

namespace serialbattery::config {

namespace {

constexpr std::string_view no_mqtt = "MQTT is not built into this version yet; the key has no effect.";
constexpr std::string_view no_ubms = "The Valence U-BMS needs CAN, which is not built into this version yet; the key has no effect.";
constexpr Range percent{0, 100};
constexpr Range modbus_address{1, 247};

constexpr Key bms_keys[] = {
    {.name = "VOLTAGE_DROP",
     .member = &Config::voltage_drop,
     .default_text = "0.00",
     .unit = "V",
     .allowed = Range{0, 2},
     .doc = "Voltage that is lost between charger and battery. Added to the published charge voltage."},
    {.name = "USE_PORT_AS_UNIQUE_ID",
     .member = &Config::use_port_as_unique_id,
     .default_text = "False",
     .doc =
         "True: the battery is recognised by its port and address instead of its serial number. For BMSs that all report the same number."},
    {.name = "BATTERY_CAPACITY",
     .member = &Config::battery_capacity,
     .default_text = "99",
     .unit = "Ah",
     .allowed = Range{0, 5000},
     .doc = "Capacity of the battery, for BMSs that do not tell it: Felicity always, Daly, ANT, MNB and some Bluetooth types where they "
            "give none. Others ignore it."},
    {.name = "AUTO_RESET_SOC",
     .member = &Config::auto_reset_soc,
     .default_text = "True",
     .doc =
         "Set the state of charge in the BMS to 100 % when the battery becomes full. Daly, LLT/JBD UP16S and JKBMS over Bluetooth. Needs "
         "CVCM_ENABLE."},
    {.name = "USE_BMS_DVCC_VALUES",
     .member = &Config::use_bms_dvcc_values,
     .default_text = "False",
     .doc = "True: charge voltage and lowest voltage stated by the BMS replace the ones set here, and its currents bound them. Felicity, "
            "Seplos V3, Renogy, LLT/JBD UP16S, HLPdata and CAN types."},
    {.name = "SOC_LOW_WARNING",
     .member = &Config::soc_low_warning,
     .default_text = "20",
     .unit = "%",
     .allowed = percent,
     .doc = "LLT/JBD: low state of charge warning below this. All types: the time to go counts down to this when no ESS limit applies."},
    {.name = "SOC_LOW_ALARM",
     .member = &Config::soc_low_alarm,
     .default_text = "10",
     .unit = "%",
     .allowed = percent,
     .doc = "LLT/JBD: low state of charge alarm below this."},
    {.name = "UP16S_REQUIRE_DIRECT_CONNECTION",
     .member = &Config::up16s_require_direct_connection,
     .default_text = "False",
     .doc = "LLT/JBD UP16S: accept a pack only on the port to which it is wired directly."},
    {.name = "INVERT_CURRENT_MEASUREMENT",
     .member = &Config::invert_current_measurement,
     .default_text = "1",
     .allowed = Either{1, -1},
     .doc = "Daly: -1 reverses the sign of the current and swaps the alarms for charge and discharge current."},
    {.name = "GREENMETER_ADDRESS",
     .member = &Config::greenmeter_address,
     .default_text = "1",
     .allowed = modbus_address,
     .doc = "ECS: Modbus address of the GreenMeter."},
    {.name = "LIPRO_START_ADDRESS",
     .member = &Config::lipro_start_address,
     .default_text = "2",
     .allowed = modbus_address,
     .doc = "ECS: address of the first LiPro."},
    {.name = "LIPRO_END_ADDRESS",
     .member = &Config::lipro_end_address,
     .default_text = "4",
     .allowed = modbus_address,
     .doc = "ECS: address of the last LiPro."},
    {.name = "LIPRO_CELL_COUNT",
     .member = &Config::lipro_cell_count,
     .default_text = "15",
     .allowed = Range{1, 32},
     .doc = "ECS: number of cells."},
    {.name = "UBMS_CAN_MODULE_SERIES",
     .member = &Config::ubms_can_module_series,
     .default_text = "4",
     .unit = "modules",
     .allowed = Range{1, 16},
     .notice = no_ubms,
     .doc = "Valence U-BMS: modules of 4 cells in series."},
    {.name = "UBMS_CAN_MODULE_PARALLEL",
     .member = &Config::ubms_can_module_parallel,
     .default_text = "2",
     .unit = "modules",
     .allowed = Range{1, 64},
     .notice = no_ubms,
     .doc = "Valence U-BMS: strings in parallel."},
};

constexpr Key mqtt_keys[] = {
    {.name = "MQTT_TOPIC",
     .member = &Config::mqtt_topic,
     .empty = {{"", "none"}},
     .notice = no_mqtt,
     .doc = "Topics on which batteries are published as JSON. Each becomes a battery of its own."},
    {.name = "MQTT_BROKER_ADDRESS",
     .member = &Config::mqtt_broker_address,
     .default_text = "127.0.0.1",
     .notice = no_mqtt,
     .doc = "Host name or address of the broker."},
    {.name = "MQTT_BROKER_PORT",
     .member = &Config::mqtt_broker_port,
     .default_text = "1883",
     .allowed = Range{1, 65535},
     .notice = no_mqtt,
     .doc = "Port of the broker. With TLS usually 8883."},
    {.name = "MQTT_TLS_ENABLED",
     .member = &Config::mqtt_tls_enabled,
     .default_text = "False",
     .notice = no_mqtt,
     .doc = "Encrypt the connection."},
    {.name = "MQTT_TLS_PATH_TO_CA",
     .member = &Config::mqtt_tls_path_to_ca,
     .empty = {{"", "the certificates of the system"}},
     .privacy = Privacy::local,
     .notice = no_mqtt,
     .doc = "File with the certificate of the authority that signed the broker's."},
    {.name = "MQTT_TLS_INSECURE",
     .member = &Config::mqtt_tls_insecure,
     .default_text = "True",
     .notice = no_mqtt,
     .doc = "True: the host name in the certificate is not compared. The signature is verified in any case."},
    {.name = "MQTT_USERNAME",
     .member = &Config::mqtt_username,
     .empty = {{"", "no login"}},
     .privacy = Privacy::secret,
     .notice = no_mqtt,
     .doc = "Login at the broker; used only together with MQTT_PASSWORD."},
    {.name = "MQTT_PASSWORD",
     .member = &Config::mqtt_password,
     .empty = {{"", "no login"}},
     .privacy = Privacy::secret,
     .notice = no_mqtt,
     .doc = "Password at the broker. Never logged and never published."},
};

constexpr Key capture_keys[] = {
    {.name = "BMS_CAPTURE_RAW_DATA",
     .member = &Config::bms_capture_raw_data,
     .default_text = "False",
     .doc = "Write every request, answer and decoded reading to a file in the folder capture. For the search of faults only: it wears "
            "the flash memory."},
    {.name = "BMS_CAPTURE_RAW_DATA_MAX_SIZE_MB",
     .member = &Config::bms_capture_raw_data_max_size_mb,
     .default_text = "5",
     .unit = "MB",
     .allowed = Range{1, 1000},
     .doc = "Size at which the file is rotated."},
    {.name = "BMS_CAPTURE_RAW_DATA_BACKUP_COUNT",
     .member = &Config::bms_capture_raw_data_backup_count,
     .default_text = "3",
     .unit = "files",
     .allowed = Range{0, 100},
     .doc = "How many rotated files are kept."},
};

constexpr Section all[] = {
    {"Voltage drop, identity, single BMS types", "", bms_keys},
    {"MQTT", "A battery whose data another program publishes as JSON.", mqtt_keys},
    {"Capture", "", capture_keys},
};

}  // namespace

std::span<const Section> bms_sections() {
  return all;
}

}  // namespace serialbattery::config
