// Names come and go: other instances, two batteries, the end of a service.
#include "support/battery_service_fixture.hpp"

namespace serialbattery::venus {
namespace {

TEST_F(BatteryServiceTest, NameComesLast) {
  // A client that asks at once when the name appears gets a complete set.
  client.emplace(io, name);
  std::optional<SeenItems> first;
  NameWatch watch(venus::Bus::connect(io, nullptr), name, [&](const std::string& owner) {
    if (owner.empty()) return;
    asio::co_spawn(
        io, [&]() -> asio::awaitable<void> { first = co_await client->get_items(); }, asio::detached);
  });
  service.emplace(io, info, config, controls, handlers);
  service->publish(snapshot);
  EXPECT_EQ(await(client->owner()), "");
  await(service->announce());
  ASSERT_TRUE(until([&] { return first.has_value(); }));
  EXPECT_EQ(first->at("/Info/MaxChargeVoltage").value, Value(55.2));
  EXPECT_EQ(first->at("/DeviceInstance").value, integer(3));
  EXPECT_EQ(first->at("/System/NrOfCellsPerBattery").value, integer(16));
  EXPECT_TRUE(client->signals().empty());
}

TEST_F(BatteryServiceTest, WhatComesWhileTheNameIsOnItsWayIsShown) {
  service.emplace(io, info, config, controls, handlers);
  service->publish(snapshot);
  asio::co_spawn(io, service->announce(), asio::detached);
  io.poll();  // asked for the name
  snapshot.ccl = 7;
  service->publish(snapshot);
  ASSERT_TRUE(until([&] { return service->announced(); }));
  client.emplace(io, name);
  EXPECT_EQ(await(client->get("/Info/MaxChargeCurrent")).value, Value(7.0));
}

TEST_F(BatteryServiceTest, NewInstanceWithdrawsTheName) {
  start();
  const auto begin = std::chrono::steady_clock::now();
  service->set_instance(7);
  snapshot.soc = 64;
  ASSERT_TRUE(until([&] { return !client->owners().empty(); }));
  service->publish(snapshot);
  ASSERT_TRUE(until([&] { return client->owners().size() == 2; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_TRUE(client->signals().empty());
  const auto items = await(client->get_items());
  EXPECT_EQ(items.at("/DeviceInstance").value, integer(7));
  EXPECT_EQ(items.at("/Soc").value, Value(64.0)) << "what was published during the pause";
  EXPECT_TRUE(until([&] { return service->announced(); }));
}

TEST_F(BatteryServiceTest, TwoBatteriesAreIndependent) {
  start();
  auto other_info = example_info();
  other_info.service_name = "com.victronenergy.battery.ttyUSB0__0x02";
  other_info.device_instance = 4;
  BatteryService other(io, other_info, config, controls, handlers);
  other.publish(example_snapshot(8));
  await(other.announce());
  test::BusClient second(io, other_info.service_name);
  const auto items = await(second.get_items());
  EXPECT_EQ(items.at("/DeviceInstance").value, integer(4));
  EXPECT_FALSE(items.contains("/Voltages/Cell9"));
  EXPECT_NE(other.unique_name(), service->unique_name());
  auto changed = example_snapshot(8);
  changed.soc = 12;
  other.publish(changed);
  await(second.get("/Soc"));
  settle();
  EXPECT_EQ(second.signals().size(), 1U);
  EXPECT_TRUE(client->signals().empty());
}

TEST_F(BatteryServiceTest, TakenNameIsReported) {
  start();
  BatteryService other(io, info, config, controls, handlers);
  EXPECT_THROW(await(other.announce()), NameTaken);
  EXPECT_EQ(await(client->owner()), service->unique_name());
  service.reset();
  ASSERT_TRUE(until([&] { return !client->owners().empty(); }));
  EXPECT_EQ(client->owners().back(), "") << "who was refused does not wait for the name";
}

TEST_F(BatteryServiceTest, LastSignalArrivesBeforeTheNameGoes) {
  start();
  snapshot.cable_alarm = 2;
  service->publish(snapshot);
  await(service->withdraw());
  EXPECT_EQ(await(client->owner()), "");
  ASSERT_TRUE(until([&] { return client->owners().size() == 1; }));
  ASSERT_EQ(client->signals().size(), 1U);
  EXPECT_EQ(client->signals()[0].items.at("/Alarms/BmsCable").value, integer(2));
}

TEST_F(BatteryServiceTest, DeadDaemonIsReportedOnce) {
  int lost = 0;
  handlers.disconnected = [&] { ++lost; };
  start();
  bus.kill();
  ASSERT_TRUE(until([&] { return lost > 0; }));
  snapshot.soc = 1;
  service->publish(snapshot);  // must not throw
  test::run_for(io, 100ms);
  EXPECT_EQ(lost, 1);
}

}  // namespace
}  // namespace serialbattery::venus
