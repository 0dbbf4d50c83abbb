#include "model/dbus_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace serialbattery {

TEST(DbusNames, OfServices) {
  for (const char* good : {"com.victronenergy.battery.ttyS2", "com.victronenergy.battery.ttyUSB0__0x01", "a.b-c", "_a._1"}) {
    EXPECT_TRUE(is_bus_name(good)) << good;
  }
  for (const char* bad : {"", "battery", "com.victronenergy.battery.", ".com.x", "com..x", "com.2x", "2com.x", "com.x y", "com.x/y"}) {
    EXPECT_FALSE(is_bus_name(bad)) << bad;
  }
  EXPECT_TRUE(is_bus_name("a." + std::string(253, 'b')));
  EXPECT_FALSE(is_bus_name("a." + std::string(254, 'b'))) << "256 characters";
}

TEST(DbusNames, OfItems) {
  for (const char* good : {"/Dc/0/Current", "/Soc"}) EXPECT_TRUE(is_item_path(good)) << good;
  for (const char* bad : {"", "Dc/0/Current", "/", "/Dc/", "//Dc", "/Dc//0", "/Dc/0.5", "/Dc 0"}) EXPECT_FALSE(is_item_path(bad)) << bad;
}

}  // namespace serialbattery
