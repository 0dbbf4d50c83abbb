// Values from other services: the external sensor and the ESS settings.
#include "venus/external_sensor.hpp"

#include <gtest/gtest.h>

#include "support/loop.hpp"
#include "support/private_bus.hpp"
#include "support/settings_service.hpp"
#include "venus/battery_service.hpp"
#include "venus/ess_watch.hpp"

namespace serialbattery::venus {
namespace {

using namespace std::chrono_literals;

constexpr const char* shunt = "com.victronenergy.battery.ttyS2";

struct ExternalValues : ::testing::Test {
  bool until(const std::function<bool()>& done) { return test::run_until(io, done); }

  void start_sensor(double current) {
    ServiceInfo info;
    info.service_name = shunt;
    snapshot.current = current;
    snapshot.soc = 55;
    sensor.emplace(io, info, config, Controls{}, Handlers{});
    sensor->publish(snapshot);
    test::await(io, sensor->announce());
  }

  test::PrivateBus bus;
  asio::io_context io;
  Config config;
  control::Snapshot snapshot;
  std::optional<BatteryService> sensor;
};

// The bus refuses to listen for them; that must not end the program.
TEST_F(ExternalValues, NamesThatCanNotExistCostOnlyTheSensor) {
  const ExternalSensorWatch no_name(Bus::connect(io, nullptr), {"x", "/Dc/0/Current", "/Soc"});
  const ExternalSensorWatch no_path(Bus::connect(io, nullptr), {shunt, "Dc/0/Current", "/Soc"});
  start_sensor(-4.5);
  ASSERT_TRUE(until([&] { return no_path.value().soc == 55.0; }));
  EXPECT_EQ(no_path.value().current, std::nullopt);
  EXPECT_EQ(no_name.value().current, std::nullopt);
}

TEST_F(ExternalValues, SensorAppearsChangesTurnsInvalidAndVanishes) {
  ExternalSensorWatch watch(Bus::connect(io, nullptr), {shunt, "/Dc/0/Current", ""});
  test::run_for(io, 50ms);
  EXPECT_EQ(watch.value().current, std::nullopt);
  start_sensor(-4.5);
  ASSERT_TRUE(until([&] { return watch.value().current == -4.5; }));
  EXPECT_EQ(watch.value().soc, std::nullopt) << "not configured";
  snapshot.current = 7;
  sensor->publish(snapshot);
  ASSERT_TRUE(until([&] { return watch.value().current == 7.0; }));
  snapshot.current.reset();
  sensor->publish(snapshot);
  ASSERT_TRUE(until([&] { return !watch.value().current; }));
  snapshot.current = 1;
  sensor->publish(snapshot);
  ASSERT_TRUE(until([&] { return watch.value().current == 1.0; }));
  sensor.reset();
  ASSERT_TRUE(until([&] { return !watch.value().current; }));
  start_sensor(3);
  ASSERT_TRUE(until([&] { return watch.value().current == 3.0; }));
}

TEST_F(ExternalValues, SensorThatIsThereAlready) {
  start_sensor(2);
  ExternalSensorWatch watch(Bus::connect(io, nullptr), {shunt, "/Dc/0/Current", "/Soc"});
  EXPECT_TRUE(until([&] { return watch.value().current == 2.0 && watch.value().soc == 55.0; }));
}

TEST_F(ExternalValues, SensorThatSignalsPerItem) {
  // A service of the settings kind sends PropertiesChanged instead of ItemsChanged.
  test::SettingsService service(io);
  service.data.preset("/Settings/Sensor/Current", 1.5);
  service.start();
  ExternalSensorWatch watch(Bus::connect(io, nullptr), {"com.victronenergy.settings", "/Settings/Sensor/Current", ""});
  ASSERT_TRUE(until([&] { return watch.value().current == 1.5; }));
  service.change("/Settings/Sensor/Current", -2.5);
  EXPECT_TRUE(until([&] { return watch.value().current == -2.5; }));
}

TEST_F(ExternalValues, EssSettingsAreFollowed) {
  test::SettingsService service(io);
  service.data.preset("/Settings/CGwacs/Hub4Mode", std::int64_t{1});
  service.data.preset("/Settings/CGwacs/BatteryLife/State", std::int64_t{10});
  service.data.preset("/Settings/CGwacs/BatteryLife/MinimumSocLimit", std::string("15.0"));
  service.data.preset("/Settings/CGwacs/BatteryLife/SocLimit", 42.9);
  EssWatch watch(Bus::connect(io, nullptr), 50ms);
  test::run_for(io, 50ms);
  EXPECT_EQ(watch.value().hub4_mode, std::nullopt);
  service.start(test::SettingsService::Objects::missing);
  test::run_for(io, 30ms);
  service.show_objects();
  ASSERT_TRUE(until([&] { return watch.value().hub4_mode == 1; }));
  EXPECT_EQ(watch.value().battery_life_state, 10);
  EXPECT_EQ(watch.value().minimum_soc_limit, 15);
  EXPECT_EQ(watch.value().soc_limit, 42);
  service.change("/Settings/CGwacs/BatteryLife/State", std::int64_t{9});
  EXPECT_TRUE(until([&] { return watch.value().battery_life_state == 9; }));
}

}  // namespace
}  // namespace serialbattery::venus
