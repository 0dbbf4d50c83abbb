// Keys: Bluetooth, CAN, serial ports and addresses, loss of the BMS, external sensor. config.md 4.5 to 4.8.
#include "config/key_table.hpp"

namespace serialbattery::config {

namespace {

constexpr std::string_view no_bluetooth = "Bluetooth is not built into this version yet; the key has no effect.";
constexpr Range cell_voltage{0.5, 5};

constexpr Key bluetooth_keys[] = {
    {.name = "BLUETOOTH_BMS",
     .member = &Config::bluetooth_bms,
     .empty = {{"", "none"}},
     .rule = Rule::bluetooth_pairs,
     .notice = no_bluetooth,
     .doc =
         "Batteries connected by Bluetooth, as pairs of type and MAC address separated by commas, e.g. Jkbms_Ble C8:47:8C:00:00:00. Types: "
         "Jkbms_Ble, Kilovault_Ble, LiTime_Ble, LltJbd_Ble, Xdzn_Ble and aiobmsble_<module>. Each pair becomes a battery of its own."},
    {.name = "BLUETOOTH_USE_POLLING",
     .member = &Config::bluetooth_use_polling,
     .default_text = "True",
     .notice = no_bluetooth,
     .doc = "True: the driver asks the BMS at the poll interval. False: a BMS that sends by itself sets the pace, and 5 s without data "
            "count as a failed poll."},
    {.name = "BLUETOOTH_FORCE_RESET_BLE_STACK",
     .member = &Config::bluetooth_force_reset_ble_stack,
     .default_text = "False",
     .notice = no_bluetooth,
     .doc = "True: restart the Bluetooth stack of the device after a lost connection, at most once in 5 minutes. This disturbs every "
            "other Bluetooth device."},
    {.name = "BLUETOOTH_USE_USB",
     .member = &Config::bluetooth_use_usb,
     .default_text = "False",
     .notice = no_bluetooth,
     .doc = "Raspberry Pi only, read by the installer: switch the built-in Bluetooth adapter off so that a USB adapter is used. Needs a "
            "reboot."},
};

constexpr Key port_keys[] = {
    {.name = "CAN_PORT",
     .member = &Config::can_port,
     .empty = {{"", "none"}},
     .notice = "CAN is not built into this version yet; the key has no effect.",
     .doc = "CAN interfaces on which batteries are searched, e.g. can0, vecan0. The bit rate is set in the GUI (Settings, Services, CAN "
            "profile)."},
    {.name = "SERIAL_STARTER_ENABLED",
     .member = &Config::serial_starter_enabled,
     .default_text = "True",
     .doc = "Read by the installer. False: serial ports are left alone."},
    {.name = "BATTERY_ADDRESSES",
     .member = &Config::battery_addresses,
     .empty = {{"", "one battery at the usual address of its type"}},
     .rule = Rule::bus_addresses,
     .doc = "Bus addresses to search on each serial port when several BMSs share one cable, as hex bytes, e.g. 0x01, 0x02. Each becomes "
            "a battery of its own. Types without a bus address ignore the list."},
};

constexpr Key loss_keys[] = {
    {.name = "BLOCK_ON_DISCONNECT",
     .member = &Config::block_on_disconnect,
     .default_text = "False",
     .doc = "True: when the BMS is lost, charge and discharge are blocked after 10 s and the battery leaves the bus after 60 s. False: "
            "it depends on the last cell voltages, see the keys below."},
    {.name = "BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES",
     .member = &Config::block_on_disconnect_timeout_minutes,
     .default_text = "30",
     .unit = "min",
     .allowed = Range{0, 1440},
     .doc = "How long the last limits stay when the last cell voltages were inside the window of the next two keys. With 0 the battery "
            "leaves at the second failed poll."},
    {.name = "BLOCK_ON_DISCONNECT_VOLTAGE_MIN",
     .member = &Config::block_on_disconnect_voltage_min,
     .default_text = "3.225",
     .unit = "V/cell",
     .allowed = cell_voltage,
     .doc = "Lower edge of the window, itself outside of it. Not below MIN_CELL_VOLTAGE."},
    {.name = "BLOCK_ON_DISCONNECT_VOLTAGE_MAX",
     .member = &Config::block_on_disconnect_voltage_max,
     .default_text = "3.375",
     .unit = "V/cell",
     .allowed = cell_voltage,
     .doc = "Upper edge of the window, itself outside of it. Not above MAX_CELL_VOLTAGE."},
    {.name = "BMS_CABLE_ALARM",
     .member = &Config::bms_cable_alarm,
     .default_text = "True",
     .doc = "True: a lost BMS raises the BMS cable alarm, as a warning after 60 s and as an alarm when the battery leaves the bus. "
            "False: never."},
};

constexpr Key sensor_keys[] = {
    {.name = "EXTERNAL_SENSOR_DBUS_DEVICE",
     .member = &Config::external_sensor_dbus_device,
     .empty = {{"", "no external sensor"}},
     .doc = "D-Bus service that measures instead of the BMS, e.g. com.victronenergy.battery.ttyS2 for a shunt."},
    {.name = "EXTERNAL_SENSOR_DBUS_PATH_CURRENT",
     .member = &Config::external_sensor_dbus_path_current,
     .empty = {{"", "the current of the BMS is used"}},
     .doc = "Path of the current in that service, e.g. /Dc/0/Current."},
    {.name = "EXTERNAL_SENSOR_DBUS_PATH_SOC",
     .member = &Config::external_sensor_dbus_path_soc,
     .empty = {{"", "the state of charge of the BMS is used"}},
     .doc = "Path of the state of charge in that service, e.g. /Soc. Not together with SOC_CALCULATION."},
};

constexpr Section all[] = {
    {"Bluetooth", "", bluetooth_keys},
    {"CAN, serial ports, addresses", "", port_keys},
    {"Loss of the BMS", "", loss_keys},
    {"External sensor", "", sensor_keys},
};

}  // namespace

std::span<const Section> connection_sections() {
  return all;
}

}  // namespace serialbattery::config
