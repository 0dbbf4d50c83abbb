// Which services the installation creates from the configuration.
#include "daemon/wanted_services.hpp"

#include <gmock/gmock.h>

namespace serialbattery::test {

namespace {

using daemon::wanted_services;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr DriverEntry entry(std::string_view type, Transport transport) {
  DriverEntry result;
  result.type = type;
  result.transport = transport;
  return result;
}

const DriverEntry serial_only[] = {entry("LltJbd", Transport::serial)};
const DriverEntry every_transport[] = {entry("LltJbd", Transport::serial), entry("Jkbms_Can", Transport::can),
                                       entry("Jkbms_Ble", Transport::ble), entry("generic_mqtt", Transport::mqtt),
                                       entry("MNB", Transport::spi)};

Config all_of_them() {
  Config config;
  config.serial_starter_enabled = true;
  config.bluetooth_bms = "Jkbms_Ble C8:47:8C:00:00:01, Unknown_Ble C8:47:8C:00:00:02,Jkbms_Ble C8:47:8C:00:00:03";
  config.can_port = {"can0", "vecan1"};
  config.mqtt_topic = {"house/battery", "boat/my battery"};
  return config;
}

TEST(WantedServices, EveryTransportWithItsArguments) {
  EXPECT_THAT(
      wanted_services(all_of_them(), every_transport),
      ElementsAre("serial-starter", "dbus-blebattery.0 Jkbms_Ble C8:47:8C:00:00:01", "dbus-blebattery.2 Jkbms_Ble C8:47:8C:00:00:03",
                  "dbus-canbattery.can0 can0", "dbus-canbattery.vecan1 vecan1", "dbus-mqttbattery mqtt house/battery,boat/my battery"));
}

TEST(WantedServices, NoServiceThatCouldNotWork) {
  EXPECT_THAT(wanted_services(all_of_them(), serial_only), ElementsAre("serial-starter"));
}

TEST(WantedServices, TheSpiBusOnlyWhenATypeForItIsNamed) {
  Config config;
  config.bms_type = {"LltJbd", "MNB"};
  EXPECT_THAT(wanted_services(config, every_transport), ElementsAre("dbus-spibattery.spidev0.0 /dev/spidev0.0"));
  EXPECT_THAT(wanted_services(config, serial_only), IsEmpty());
}

TEST(WantedServices, SerialPortsOnlyWhenEnabled) {
  Config config = all_of_them();
  config.serial_starter_enabled = false;
  config.bluetooth_bms.clear();
  config.can_port.clear();
  config.mqtt_topic.clear();
  EXPECT_THAT(wanted_services(config, every_transport), IsEmpty());
}

}  // namespace

}  // namespace serialbattery::test
