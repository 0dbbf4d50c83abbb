// The settings client against the stand-in on a real bus. Acceptance list of spec settings.md B.11.
#include "venus/settings_client.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/loop.hpp"
#include "support/private_bus.hpp"
#include "support/settings_service.hpp"
#include "venus/battery_service.hpp"
#include "venus/instance_lock.hpp"

namespace serialbattery::venus {
namespace {

using namespace std::chrono_literals;
using test::SettingsService;

Value integer(std::int64_t n) {
  return n;
}
Value text(const char* s) {
  return std::string(s);
}
std::string path(const std::string& group, const char* name) {
  return "/Settings/Devices/" + group + "/" + name;
}

class SettingsClientTest : public ::testing::Test {
 protected:
  SettingsClientTest() {
    options.lock_folder = bus.folder();
    options.wait = 10s;
    options.retry = 20ms;
    options.late_retry = 50ms;
    options.wall = [this] { return wall; };
    service.data.preset("/Settings/SystemSetup/SystemName", text("Boat"));
  }

  // Calls that are never answered keep their coroutine, and that keeps everything: closing the connections ends them.
  ~SettingsClientTest() override {
    for (const auto& connection : connections) connection->close();
  }

  std::shared_ptr<Bus> connect() { return connections.emplace_back(Bus::connect(io, nullptr)); }

  template <typename T>
  T await(asio::awaitable<T> task) {
    return test::await(io, std::move(task));
  }
  bool until(const std::function<bool()>& done) { return test::run_until(io, done); }

  BatteryIdentity identity(const char* id = "AB12") const {
    return {{id, std::nullopt, {}}, "", "ttyUSB0", "", "com.victronenergy.battery.ttyUSB0"};
  }

  SettingsClient& start_client() {
    client.emplace(connect(), options);
    return *client;
  }

  /// What line 2.1 of the Python driver leaves.
  void preset_python_data(const std::string& group, std::int64_t last_seen) {
    service.data.preset(path(group, "UniqueIdentifier"), text("aB12"));
    service.data.preset(path(group, "ClassAndVrmInstance"), text("battery:3"));
    service.data.preset(path(group, "CustomName"), text("Garage"));
    service.data.preset(path(group, "LastSeen"), integer(last_seen));
    service.data.preset(path(group, "AllowMaxVoltage"), integer(0));
    service.data.preset(path(group, "MaxVoltageStartTime"), text("1789999000"));
    service.data.preset(path(group, "SocCalc"), 63.25);
    service.data.preset(path(group, "SocResetLastReached"), integer(1789000000));
    service.data.preset(path(group, "HistoryValues"), text(R"({"total_ah_drawn": 12.5, "full_discharges": 1})"));
  }

  int groups() const {
    std::set<std::string> names;
    for (const auto& [where, setting] : service.data.all()) {
      const std::string prefix = "/Settings/Devices/serialbattery";
      if (where.starts_with(prefix)) names.insert(where.substr(0, where.rfind('/')));
    }
    return static_cast<int>(names.size());
  }

  std::int64_t wall = 1790000000;
  test::PrivateBus bus;
  asio::io_context io;
  SettingsService service{io, {20ms, {}}};
  SettingsOptions options;
  std::vector<std::shared_ptr<Bus>> connections;
  std::optional<SettingsClient> client;
};

TEST_F(SettingsClientTest, NewBatteryOnAFreshDevice) {
  service.start();
  const auto entry = await(start_client().open(identity("aB12")));
  EXPECT_TRUE(entry->persistent());
  EXPECT_EQ(entry->instance(), 1);
  EXPECT_EQ(entry->custom_name(), "");
  const std::string group = "serialbattery_AB12";
  EXPECT_EQ(service.value(path(group, "UniqueIdentifier")), text("aB12"));
  EXPECT_EQ(service.value(path(group, "ClassAndVrmInstance")), text("battery:1"));
  EXPECT_EQ(service.value(path(group, "LastSeen")), integer(wall));
  EXPECT_EQ(service.value(path(group, "MaxVoltageStartTime")), text(""));
  EXPECT_EQ(service.value(path(group, "SocCalc")), text(""));
  EXPECT_EQ(service.value(path(group, "HistoryValues")), text(""));
  EXPECT_EQ(service.value(path(group, "AllowMaxVoltage")), integer(1));
  EXPECT_TRUE(service.data.find(path(group, "HistoryValues"))->silent);
  EXPECT_FALSE(service.data.find(path(group, "CustomName"))->silent);
}

TEST_F(SettingsClientTest, TakesOverPythonData) {
  preset_python_data("serialbattery_AB12", wall - 100);
  service.start();
  const auto entry = await(start_client().open(identity("aB12")));
  EXPECT_EQ(entry->instance(), 3);
  EXPECT_EQ(entry->custom_name(), "Garage");
  EXPECT_FALSE(entry->restored().allow_max_voltage);
  EXPECT_EQ(entry->restored().max_voltage_start_time, 1789999000);
  EXPECT_EQ(entry->restored().soc_calc, 63.25);
  EXPECT_EQ(entry->restored().soc_reset_last_reached, 1789000000);
  EXPECT_EQ(entry->restored().history[HistoryValue::total_ah_drawn], 12.5);
  EXPECT_EQ(service.value(path("serialbattery_AB12", "LastSeen")), integer(wall));
  EXPECT_EQ(groups(), 1);
}

TEST_F(SettingsClientTest, KeepsAMixedCaseGroup) {
  preset_python_data("serialbattery_aB12", wall - 100);
  service.start();
  const auto entry = await(start_client().open(identity("aB12")));
  EXPECT_EQ(entry->instance(), 3);
  EXPECT_EQ(groups(), 1);
  control::Persisted state = entry->restored();
  state.allow_max_voltage = true;
  entry->save(state, Occasion::poll, Clock::now());
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_aB12", "AllowMaxVoltage")) == integer(1); }));
}

TEST_F(SettingsClientTest, NewestOfSeveralMatches) {
  preset_python_data("serialbattery_aB12", wall - 100);
  preset_python_data("serialbattery_AB12", wall - 50);
  service.data.preset(path("serialbattery_AB12", "ClassAndVrmInstance"), text("battery:7"));
  service.start();
  EXPECT_EQ(await(start_client().open(identity("aB12")))->instance(), 7);
}

TEST_F(SettingsClientTest, InstanceTakenByAnotherDevice) {
  service.data.preset("/Settings/Devices/bmv_1/ClassAndVrmInstance", text("battery:1"));
  service.start();
  EXPECT_EQ(await(start_client().open(identity()))->instance(), 2);
}

TEST_F(SettingsClientTest, NumericEntriesStayNumeric) {
  preset_python_data("serialbattery_AB12", wall - 100);
  service.data.preset(path("serialbattery_AB12", "MaxVoltageStartTime"), integer(1789999000));
  service.start();
  const auto entry = await(start_client().open(identity("aB12")));
  control::Persisted state = entry->restored();
  EXPECT_EQ(state.max_voltage_start_time, 1789999000);
  state.max_voltage_start_time.reset();
  state.soc_calc = 50;
  entry->save(state, Occasion::poll, Clock::now());
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "MaxVoltageStartTime")) == integer(0); }));
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "SocCalc")) == Value(50.0); }));
}

TEST_F(SettingsClientTest, TextEntriesStayTexts) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  control::Persisted state;
  state.soc_calc = 63.1257;
  state.max_voltage_start_time = 1790000001;
  entry->save(state, Occasion::poll, Clock::now());
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "SocCalc")) == text("63.126"); }));
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "MaxVoltageStartTime")) == text("1790000001"); }));
  state.max_voltage_start_time.reset();
  entry->save(state, Occasion::poll, Clock::now());
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "MaxVoltageStartTime")) == text(""); }));
}

TEST_F(SettingsClientTest, ChangesOfOneCycleShareAFileWrite) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  ASSERT_TRUE(until([&] { return service.file_writes() == 1; }));
  control::Persisted state;
  state.allow_max_voltage = false;
  state.max_voltage_start_time = 1790000001;
  state.soc_reset_last_reached = 1790000002;
  state.soc_calc = 10;
  entry->save(state, Occasion::poll, Clock::now());
  ASSERT_TRUE(until([&] { return service.changes().size() == 4; }));
  test::run_for(io, 100ms);
  EXPECT_EQ(service.file_writes(), 2);
}

TEST_F(SettingsClientTest, OldLayoutByPortIsAdopted) {
  service.data.preset(path("serialbattery_ttyUSB0", "ClassAndVrmInstance"), text("battery:6"));
  service.start();
  EXPECT_EQ(await(start_client().open(identity()))->instance(), 6);
  EXPECT_EQ(groups(), 1);
}

TEST_F(SettingsClientTest, StaleGroupsAreRemovedOthersNot) {
  constexpr std::int64_t day = 86400;
  const auto other = [&](const char* group, std::int64_t age) {
    service.data.preset(path(group, "UniqueIdentifier"), text(group));
    service.data.preset(path(group, "ClassAndVrmInstance"), text("battery:9"));
    service.data.preset(path(group, "LastSeen"), integer(wall - age));
  };
  other("serialbattery_OLD", 31 * day);
  other("serialbattery_NEW", 29 * day);
  service.data.preset("/Settings/Devices/ruuvi_1/ClassAndVrmInstance", text("temperature:20"));
  service.start();
  const auto entry = await(start_client().open(identity()));
  EXPECT_EQ(service.data.find(path("serialbattery_OLD", "LastSeen")), nullptr);
  EXPECT_NE(service.data.find(path("serialbattery_NEW", "LastSeen")), nullptr);
  EXPECT_NE(service.data.find("/Settings/Devices/ruuvi_1/ClassAndVrmInstance"), nullptr);
}

TEST_F(SettingsClientTest, ASecondBatteryWithTheSameIdentifierIsRefused) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  SettingsClient other(connect(), options);
  try {
    await(other.open(identity()));
    FAIL() << "two batteries with one instance";
  } catch (const InstanceTaken& taken) {
    EXPECT_NE(std::string(taken.what()).find("com.victronenergy.battery.ttyUSB0"), std::string::npos);
    EXPECT_NE(std::string(taken.what()).find("USE_PORT_AS_UNIQUE_ID"), std::string::npos);
  }
}

TEST_F(SettingsClientTest, AMomentaryLookAtTheLockIsNoConflict) {
  service.start();
  auto look = InstanceLock::acquire(bus.folder(), 1, "com.victronenergy.battery.ttyUSB9");
  asio::steady_timer soon(io, 50ms);
  soon.async_wait([&](auto) { look.lock.reset(); });
  EXPECT_EQ(await(start_client().open(identity()))->instance(), 1);
}

TEST_F(SettingsClientTest, LockFileContentAndRelease) {
  service.start();
  auto entry = await(start_client().open(identity()));
  std::string line;
  std::getline(std::ifstream(bus.folder() / "dbus-serialbattery_1.pid"), line);
  EXPECT_EQ(line, fmt::format("com.victronenergy.battery.ttyUSB0:{}", ::getpid()));
  EXPECT_TRUE(InstanceLock::is_held(bus.folder(), 1));
  entry.reset();
  EXPECT_FALSE(InstanceLock::is_held(bus.folder(), 1));
  EXPECT_EQ(await(client->open(identity()))->instance(), 1);
}

TEST_F(SettingsClientTest, MissingLockFolderIsNoObstacle) {
  options.lock_folder = bus.folder() / "missing";
  service.start();
  EXPECT_EQ(await(start_client().open(identity()))->instance(), 1);
}

TEST_F(SettingsClientTest, WaitsForTheService) {
  start_client();
  asio::steady_timer later(io, 100ms);
  later.async_wait([&](auto) { service.start(SettingsService::Objects::missing); });
  asio::steady_timer objects(io, 300ms);
  objects.async_wait([&](auto) { service.show_objects(); });
  const auto entry = await(client->open(identity()));
  EXPECT_TRUE(entry->persistent());
}

TEST_F(SettingsClientTest, WithoutServiceAFreeInstanceAndLaterTheStoredOne) {
  options.wait = 50ms;
  ServiceInfo info;
  info.service_name = "com.victronenergy.battery.other";
  info.device_instance = 1;
  const Config config;
  BatteryService neighbour(io, info, config, {}, {});
  await(neighbour.announce());

  preset_python_data("serialbattery_AB12", wall - 100);
  const auto entry = await(start_client().open(identity("aB12")));
  EXPECT_FALSE(entry->persistent());
  EXPECT_EQ(entry->instance(), 2);
  EXPECT_FALSE(await(entry->store_custom_name("x")));
  control::Persisted fresh;
  fresh.history[HistoryValue::total_ah_drawn] = 0.1;
  entry->save(fresh, Occasion::all, Clock::now());  // nowhere to go

  std::vector<std::string> seen;
  entry->on_events({[&](int instance) { seen.push_back("instance " + std::to_string(instance)); },
                    [&](const std::string& name) { seen.push_back("name " + name); },
                    [&] { seen.push_back("opened " + std::to_string(*entry->restored().history[HistoryValue::total_ah_drawn])); }});
  service.start();
  ASSERT_TRUE(until([&] { return seen.size() == 3; }));
  EXPECT_EQ(seen[0], "opened 12.500000");
  EXPECT_EQ(seen[1], "instance 3");
  EXPECT_EQ(seen[2], "name Garage");
  EXPECT_TRUE(InstanceLock::is_held(bus.folder(), 3));
  EXPECT_FALSE(InstanceLock::is_held(bus.folder(), 2));
}

TEST_F(SettingsClientTest, SavesAgainAfterARestartOfTheService) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  service.stop();
  control::Persisted state;
  state.allow_max_voltage = false;
  entry->save(state, Occasion::poll, Clock::now());
  test::run_for(io, 100ms);
  EXPECT_FALSE(await(entry->store_custom_name("x"))) << "refused while nobody can store it";
  service.start();
  const auto group = path("serialbattery_AB12", "AllowMaxVoltage");
  EXPECT_TRUE(until([&] {
    entry->save(state, Occasion::poll, Clock::now());
    return service.value(group) == integer(0);
  }));
  EXPECT_TRUE(await(entry->store_custom_name("x")));
}

TEST_F(SettingsClientTest, LostSettingsAreCreatedAgain) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  control::Persisted state;
  state.soc_calc = 42;
  entry->save(state, Occasion::poll, Clock::now());
  ASSERT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "SocCalc")) == text("42.0"); }));
  service.remove(path("serialbattery_AB12", "SocCalc"));
  EXPECT_TRUE(until([&] {
    entry->save(state, Occasion::poll, Clock::now());
    return service.value(path("serialbattery_AB12", "SocCalc")) == text("42.0");
  }));
}

TEST_F(SettingsClientTest, ChangesFromOutside) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  std::vector<std::string> seen;
  entry->on_events(
      {[&](int instance) { seen.push_back(std::to_string(instance)); }, [&](const std::string& name) { seen.push_back(name); }, {}});
  service.change(path("serialbattery_AB12", "CustomName"), text("Boat"));
  service.change(path("serialbattery_AB12", "ClassAndVrmInstance"), text("battery:8"));
  ASSERT_TRUE(until([&] { return seen.size() == 2; }));
  EXPECT_EQ(seen, (std::vector<std::string>{"Boat", "8"}));
  EXPECT_TRUE(InstanceLock::is_held(bus.folder(), 8));
  EXPECT_FALSE(InstanceLock::is_held(bus.folder(), 1));
}

TEST_F(SettingsClientTest, OwnWritesAreNoNews) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  int events = 0;
  entry->on_events({[&](int) { ++events; }, [&](const std::string& name) { events += name == "Attic" ? 0 : 1; }, {}});
  EXPECT_TRUE(await(entry->store_custom_name("Attic")));
  test::run_for(io, 50ms);
  EXPECT_EQ(events, 0);
  EXPECT_EQ(entry->custom_name(), "Attic");
}

TEST_F(SettingsClientTest, RefusalsAndSilenceNeverHoldUpTheCycle) {
  options.call_limit = 100ms;
  service.start();
  const auto entry = await(start_client().open(identity()));
  service.behave(SettingsService::Behaviour::refuse);
  control::Persisted state;
  state.allow_max_voltage = false;
  entry->save(state, Occasion::poll, Clock::now());
  EXPECT_FALSE(await(entry->store_custom_name("x")));
  service.behave(SettingsService::Behaviour::mute);
  const auto before = Clock::now();
  entry->save(state, Occasion::poll, before + 61s);
  EXPECT_LT(Clock::now() - before, 1s);
  EXPECT_FALSE(await(entry->store_custom_name("x")));
  service.behave(SettingsService::Behaviour::normal);
  entry->save(state, Occasion::poll, before + 300s);
  EXPECT_TRUE(until([&] { return service.value(path("serialbattery_AB12", "AllowMaxVoltage")) == integer(0); }));
}

TEST_F(SettingsClientTest, FlushWritesTheLastValuesAndIsBounded) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  control::Persisted state;
  state.soc_calc = 50;
  state.history[HistoryValue::total_ah_drawn] = 1;
  await(entry->flush(state, Clock::now()));
  EXPECT_EQ(service.value(path("serialbattery_AB12", "SocCalc")), text("50.0"));
  EXPECT_NE(std::get<std::string>(service.value(path("serialbattery_AB12", "HistoryValues"))).find("total_ah_drawn"), std::string::npos);
  service.behave(SettingsService::Behaviour::mute);
  state.soc_calc = 51;
  const auto before = Clock::now();
  await(entry->flush(state, Clock::now()));
  EXPECT_GE(Clock::now() - before, 400ms);
  EXPECT_LT(Clock::now() - before, 4s);
}

TEST_F(SettingsClientTest, TwoUnitsOnOneCableKeepTheirIdentifiers) {
  service.start();
  start_client();
  const auto unit = [&](std::uint8_t address) {
    auto who = identity();
    who.unit = {"AB12", address, {1, 2}};
    who.service_name += fmt::format("__0x{:02x}", address);
    return who;
  };
  {
    const auto first = await(client->open(unit(1)));
    const auto second = await(client->open(unit(2)));
    EXPECT_EQ(first->id(), "AB12");
    EXPECT_EQ(second->id(), "AB12_0x02");
    EXPECT_EQ(first->instance(), 1);
    EXPECT_EQ(second->instance(), 2);
  }
  const auto second = await(client->open(unit(2)));  // the other one is silent after the restart
  EXPECT_EQ(second->id(), "AB12_0x02");
  EXPECT_EQ(second->instance(), 2);
}

TEST_F(SettingsClientTest, UnitsThatStartedWithoutTheServiceGetTheSameIdentifiersLater) {
  options.wait = 50ms;
  options.lock_folder = bus.folder() / "missing";  // all run as instance 1 until then
  start_client();
  std::vector<std::unique_ptr<SettingsEntry>> units;
  const std::vector<std::uint8_t> line = {1, 2, 3};
  for (const std::uint8_t address : line) {
    auto who = identity();
    who.unit = {"AB12", address, line};
    units.push_back(await(client->open(who)));
  }
  service.start();
  ASSERT_TRUE(until([&] { return std::ranges::all_of(units, [](const auto& unit) { return unit->persistent(); }); }));
  EXPECT_EQ(units[0]->id(), "AB12") << "the lowest address";
  EXPECT_EQ(units[1]->id(), "AB12_0x02");
  EXPECT_EQ(units[2]->id(), "AB12_0x03");
}

TEST_F(SettingsClientTest, LastSeenFollowsTheWallClock) {
  service.start();
  const auto entry = await(start_client().open(identity()));
  const auto last_seen = [&] { return service.value(path("serialbattery_AB12", "LastSeen")); };
  const std::int64_t start = wall;
  wall += 86'399;
  entry->save(entry->restored(), Occasion::poll, Clock::now());
  test::run_for(io, 100ms);
  EXPECT_EQ(last_seen(), integer(start)) << "once a day is enough";
  for (const std::int64_t step : {1, 90 * 86'400, -91 * 86'400}) {  // a day; a clock that is set right, and back
    wall += step;
    entry->save(entry->restored(), Occasion::poll, Clock::now());
    EXPECT_TRUE(until([&] { return last_seen() == integer(wall); })) << step;
  }
}

TEST_F(SettingsClientTest, AFurtherBatteryDoesNotWaitForTheServiceAgain) {
  options.wait = 2s;
  options.lock_folder = bus.folder() / "missing";  // both take instance 1
  start_client();
  const auto first = await(client->open(identity("A")));
  const auto before = Clock::now();
  const auto second = await(client->open(identity("B")));
  EXPECT_LT(Clock::now() - before, 1s);
  EXPECT_FALSE(second->persistent());
}

TEST_F(SettingsClientTest, WithoutABusNobodyWaitsForTheService) {
  start_client();
  bus.kill();
  const auto before = Clock::now();
  EXPECT_THROW(await(client->open(identity())), sdbus::Error);
  EXPECT_LT(Clock::now() - before, 5s);
}

}  // namespace
}  // namespace serialbattery::venus
