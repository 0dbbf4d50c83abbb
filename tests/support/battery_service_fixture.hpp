// A battery service on a real bus, and a client in front of it.
#pragma once

#include <gtest/gtest.h>

#include "support/bus_client.hpp"
#include "support/loop.hpp"
#include "support/private_bus.hpp"
#include "venus/battery_service.hpp"

namespace serialbattery::venus {

using namespace std::chrono_literals;
using test::SeenItem;
using test::SeenItems;

inline constexpr const char* name = "com.victronenergy.battery.ttyUSB0";
inline const Value invalid = std::monostate{};
inline Value integer(std::int64_t n) {
  return n;
}

inline ServiceInfo example_info() {
  ServiceInfo info;
  info.service_name = name;
  info.process_name = "/data/dbus-serialbattery";
  info.process_version = "3.0.0";
  info.connection = "Serial /dev/ttyUSB0";
  info.device_instance = 3;
  info.product_name = "SerialBattery AB12 @ ttyUSB0 (LLT/JBD)";
  info.firmware_version = "3.0.0";
  info.serial = "AB12";
  info.manufacturer = "LLT/JBD";
  return info;
}

inline Config example_config() {
  Config config;
  config.battery_cell_data_format = 1;
  config.temperature_1_name = "Temp 1";
  config.temperature_2_name = "Temp 2";
  config.temperature_3_name = "Temp 3";
  config.temperature_4_name = "Temp 4";
  return config;
}

inline control::Snapshot example_snapshot(unsigned cells = 16) {
  control::Snapshot snapshot;
  snapshot.voltage = 53.117;
  snapshot.current = -12.344;
  snapshot.power = -655.68;
  snapshot.soc = 63.0;
  snapshot.capacity = 63.0;
  snapshot.installed_capacity = 100.0;
  snapshot.consumed_ah = -37.0;
  snapshot.cell_count = cells;
  snapshot.cells.resize(cells);
  for (unsigned i = 0; i < cells; ++i) snapshot.cells[i].voltage = 3.300 + 0.001 * i;
  snapshot.min_cell_voltage = 3.300;
  snapshot.min_cell_id = "C1";
  snapshot.max_cell_voltage = 3.315;
  snapshot.max_cell_id = "C16";
  snapshot.cvl = 55.2;
  snapshot.ccl = 50;
  snapshot.dcl = 60;
  snapshot.online = true;
  snapshot.allow_charge = snapshot.allow_discharge = true;
  snapshot.state = 9;
  snapshot.mode = 3;
  snapshot.charge_mode = "Bulk";
  snapshot.alarms[Alarm::low_voltage] = AlarmLevel::ok;
  return snapshot;
}

class BatteryServiceTest : public ::testing::Test {
 protected:
  template <typename T>
  T await(asio::awaitable<T> task) {
    return test::await(io, std::move(task));
  }
  bool until(const std::function<bool()>& done) { return test::run_until(io, done); }

  BatteryService& start() {
    service.emplace(io, info, config, controls, handlers);
    service->publish(snapshot);
    await(service->announce());
    client.emplace(io, name);
    await(client->get_items());
    return *service;
  }

  /// Everything that was sent before has arrived afterwards.
  void settle() { await(client->get("/Soc")); }

  test::PrivateBus bus;
  asio::io_context io;
  ServiceInfo info = example_info();
  Config config = example_config();
  Controls controls;
  Handlers handlers;
  control::Snapshot snapshot = example_snapshot();
  std::optional<BatteryService> service;
  std::optional<test::BusClient> client;
};

}  // namespace serialbattery::venus
