// The battery service as clients see it, on a real bus. Acceptance list of spec dbus-interface.md 16.
#include "venus/battery_service.hpp"

#include <gtest/gtest.h>

#include "support/bus_client.hpp"
#include "support/loop.hpp"
#include "support/private_bus.hpp"

namespace serialbattery::venus {
namespace {

using namespace std::chrono_literals;
using test::SeenItem;
using test::SeenItems;

constexpr const char* name = "com.victronenergy.battery.ttyUSB0";
const Value invalid = std::monostate{};
Value integer(std::int64_t n) {
  return n;
}

ServiceInfo example_info() {
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

Config example_config() {
  Config config;
  config.battery_cell_data_format = 1;
  config.temperature_1_name = "Temp 1";
  config.temperature_2_name = "Temp 2";
  config.temperature_3_name = "Temp 3";
  config.temperature_4_name = "Temp 4";
  return config;
}

control::Snapshot example_snapshot(unsigned cells = 16) {
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

TEST_F(BatteryServiceTest, GetItemsHasEveryItemWithValueAndText) {
  start();
  const auto& items = client->state();
  EXPECT_EQ(items.at("/Dc/0/Voltage"), (SeenItem{53.12, "53.12V"}));
  EXPECT_EQ(items.at("/Dc/0/Current"), (SeenItem{-12.34, "-12.34A"}));
  EXPECT_EQ(items.at("/Dc/0/Power"), (SeenItem{-655.68, "-656W"}));
  EXPECT_EQ(items.at("/Soc"), (SeenItem{63.0, "63.0"}));
  EXPECT_EQ(items.at("/ProductId"), (SeenItem{integer(0xBA77), "0xBA77"}));
  EXPECT_EQ(items.at("/DeviceInstance"), (SeenItem{integer(3), "3"}));
  EXPECT_EQ(items.at("/CustomName"), (SeenItem{std::string(), ""}));
  EXPECT_EQ(items.at("/Voltages/Cell16"), (SeenItem{3.315, "3.315V"}));
  EXPECT_EQ(items.at("/Alarms/LowVoltage"), (SeenItem{integer(0), "0"}));
  EXPECT_EQ(items.at("/Info/MaxChargeCurrent"), (SeenItem{50.0, "50.00A"}));
  EXPECT_FALSE(items.contains("/Voltages/Cell17"));
  EXPECT_FALSE(items.contains("/Settings/HasSettings"));
  EXPECT_FALSE(items.contains("/SocBms"));
}

TEST_F(BatteryServiceTest, EveryPathAnswersAndIsListedByItsParent) {
  start();
  std::map<std::string, std::string> listings;
  for (const auto& [path, item] : client->state()) {
    EXPECT_EQ(await(client->get(path)), item) << path;
    const auto slash = path.rfind('/');
    const auto parent = slash == 0 ? "/" : path.substr(0, slash);
    if (!listings.contains(parent)) {
      listings[parent] = await(client->text_call(parent, "org.freedesktop.DBus.Introspectable", "Introspect"));
    }
    EXPECT_NE(listings[parent].find("<node name=\"" + path.substr(slash + 1) + "\"/>"), std::string::npos) << path;
  }
  EXPECT_GT(listings.size(), 10U);
}

TEST_F(BatteryServiceTest, UnknownIsAnEmptyArrayInAllRepresentations) {
  start();
  const SeenItem unknown{invalid, "---"};
  EXPECT_EQ(client->state().at("/Soh"), unknown);
  EXPECT_EQ(await(client->get("/Soh")), unknown);
  EXPECT_EQ(await(client->get_values("/")).at("Soh"), invalid);
  EXPECT_EQ(await(client->get_texts("/")).at("Soh"), "---");
  auto raw = await(client->bus().call({name, "/Soh", bus_item_interface, "GetValue"}, call_timeout));
  std::string type;
  std::string contents;
  raw.message.peekType(type, contents);
  EXPECT_EQ(contents, "ai");

  snapshot.soc.reset();
  service->publish(snapshot);
  settle();
  ASSERT_EQ(client->signals().size(), 1U);
  EXPECT_EQ(client->signals()[0].items.at("/Soc"), unknown);
}

TEST_F(BatteryServiceTest, NodesAnswerFlatRelativeDictionaries) {
  start();
  const auto dc = await(client->get_values("/Dc"));
  EXPECT_EQ(dc.at("0/Voltage"), Value(53.12));
  const auto dc0 = await(client->get_values("/Dc/0"));
  EXPECT_EQ(dc0.at("Voltage"), Value(53.12));
  EXPECT_EQ(dc0.size(), 6U);
  EXPECT_EQ(await(client->get_texts("/Dc/0")).at("Voltage"), "53.12V");
  EXPECT_EQ(await(client->get_values("/Alarms")).size(), 17U);
  EXPECT_EQ(await(client->get_values("/")).size(), client->state().size());
  EXPECT_EQ(await(client->get_values("/")).at("Dc/0/Voltage"), Value(53.12));
  EXPECT_THROW(await(client->set("/Dc", 1.0)), sdbus::Error);
  EXPECT_THROW(await(client->get("/DoesNotExist")), sdbus::Error);
}

TEST_F(BatteryServiceTest, LegacyMembersExist) {
  controls.charge_switch = true;
  start();
  auto description =
      await(client->bus().call({name, "/Soc", bus_item_interface, "GetDescription"}, call_timeout, std::string("en"), std::int32_t{20}));
  std::string text;
  description.message >> text;
  EXPECT_EQ(text, "No description given");
  const auto ask = [&](const char* path, const char* member) {
    auto reply = await(client->bus().call({name, path, bus_item_interface, member}, call_timeout));
    return read_variant(reply.message);
  };
  EXPECT_EQ(ask("/Soc", "GetMin"), invalid);
  EXPECT_EQ(ask("/Settings/ForceChargingOff", "GetMax"), integer(1));
  EXPECT_EQ(ask("/Settings/ForceChargingOff", "GetDefault"), integer(0));
}

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

TEST_F(BatteryServiceTest, SameReadingSendsNothing) {
  start();
  for (int i = 0; i < 10; ++i) service->publish(snapshot);
  snapshot.voltage = 53.1171;  // the same after rounding
  service->publish(snapshot);
  settle();
  EXPECT_TRUE(client->signals().empty());
}

TEST_F(BatteryServiceTest, NothingWakesTheLoopWhileNothingHappens) {
  start();
  settle();
  test::run_for(io, 100ms);
  io.restart();
  EXPECT_EQ(io.run_for(500ms), 0U);
}

TEST_F(BatteryServiceTest, ChangedReadingSendsOneSignalWithTheChanges) {
  start();
  snapshot.voltage = 53.2;
  snapshot.cells[2].voltage = 3.31;
  snapshot.ccl = 0;
  snapshot.allow_charge = false;
  service->publish(snapshot);
  settle();
  ASSERT_EQ(client->signals().size(), 1U);
  const auto& signal = client->signals()[0];
  EXPECT_EQ(signal.path, "/");
  EXPECT_EQ(signal.member, "ItemsChanged");
  EXPECT_EQ(signal.sender, service->unique_name());
  EXPECT_EQ(signal.items.size(), 5U);
  EXPECT_EQ(signal.items.at("/Dc/0/Voltage"), (SeenItem{53.2, "53.20V"}));
  EXPECT_EQ(signal.items.at("/Voltages/Cell3"), (SeenItem{3.31, "3.310V"}));
  EXPECT_EQ(signal.items.at("/Info/MaxChargeCurrent"), (SeenItem{0.0, "0.00A"}));
  EXPECT_EQ(signal.items.at("/Io/AllowToCharge").value, integer(0));
  EXPECT_EQ(signal.items.at("/System/NrOfModulesBlockingCharge").value, integer(1));
}

TEST_F(BatteryServiceTest, AlarmThereAndBackAreTwoChanges) {
  start();
  snapshot.alarms[Alarm::low_voltage] = AlarmLevel::alarm;
  service->publish(snapshot);
  snapshot.alarms[Alarm::low_voltage] = AlarmLevel::ok;
  service->publish(snapshot);
  settle();
  ASSERT_EQ(client->signals().size(), 2U);
  EXPECT_EQ(client->signals()[0].items.at("/Alarms/LowVoltage").value, integer(2));
  EXPECT_EQ(client->signals()[1].items.at("/Alarms/LowVoltage").value, integer(0));
}

TEST_F(BatteryServiceTest, ReadOnlyPathsRefuseWith1) {
  start();
  for (const auto& [path, item] : SeenItems(client->state())) {
    if (path == "/CustomName" || path == "/History/Clear") continue;
    EXPECT_EQ(await(client->set(path, item.value)), 1) << path;
    EXPECT_EQ(await(client->set(path, integer(4711))), 1) << path;
    EXPECT_EQ(await(client->get(path)), item) << path;
  }
  EXPECT_TRUE(client->signals().empty());
}

TEST_F(BatteryServiceTest, CustomNameCodes) {
  int calls = 0;
  auto answer = WriteResult::accepted;
  handlers.custom_name = [&](std::string) -> asio::awaitable<WriteResult> {
    ++calls;
    co_await asio::post(io, asio::use_awaitable);
    co_return answer;
  };
  start();
  EXPECT_EQ(await(client->set("/CustomName", integer(5))), 1) << "not a text";
  EXPECT_EQ(await(client->set("/CustomName", invalid)), 1);
  EXPECT_EQ(await(client->set("/CustomName", std::string())), 0) << "equal";
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(client->signals().empty());

  EXPECT_EQ(await(client->set("/CustomName", std::string("Garage"))), 0);
  settle();
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(client->signals().size(), 1U);
  EXPECT_EQ(client->signals()[0].items.size(), 1U);
  EXPECT_EQ(client->state().at("/CustomName").text, "Garage");

  answer = WriteResult::refused;
  EXPECT_EQ(await(client->set("/CustomName", std::string("Attic"))), 2);
  settle();
  EXPECT_EQ(client->signals().size(), 1U);
  EXPECT_EQ(await(client->get("/CustomName")).text, "Garage");

  service->publish(snapshot);
  settle();
  EXPECT_EQ(client->signals().size(), 1U) << "the next poll must not put the old name back";
}

TEST_F(BatteryServiceTest, ThrowingHandlerIsARefusal) {
  handlers.custom_name = [](std::string) -> asio::awaitable<WriteResult> { throw std::runtime_error("broken"); };
  start();
  EXPECT_EQ(await(client->set("/CustomName", std::string("x"))), 2);
  EXPECT_EQ(await(client->get("/CustomName")).text, "");
}

TEST_F(BatteryServiceTest, HistoryClearStaysZero) {
  std::vector<int> groups;
  handlers.clear_history = [&](int group) -> asio::awaitable<WriteResult> {
    groups.push_back(group);
    co_return WriteResult::accepted;
  };
  start();
  EXPECT_EQ(await(client->set("/History/Clear", integer(1))), 0);
  EXPECT_EQ(await(client->set("/History/Clear", integer(1))), 0);
  EXPECT_EQ(await(client->set("/History/Clear", std::string("3"))), 0);
  EXPECT_EQ(await(client->set("/History/Clear", 4.0)), 0);
  EXPECT_EQ(await(client->set("/History/Clear", std::string("all"))), 1);
  EXPECT_EQ(groups, (std::vector<int>{1, 1, 3, 4}));
  settle();
  EXPECT_TRUE(client->signals().empty());
  EXPECT_EQ(await(client->get("/History/Clear")).value, integer(0));
}

TEST_F(BatteryServiceTest, SwitchesKeepTheAcceptedValue) {
  std::vector<std::pair<Command::Kind, double>> commands;
  controls.charge_switch = controls.balancer_switch = true;
  handlers.switch_control = [&](Command command) -> asio::awaitable<WriteResult> {
    commands.emplace_back(command.kind, command.value);
    co_return command.kind == Command::Kind::charge ? WriteResult::accepted : WriteResult::refused;
  };
  start();
  EXPECT_EQ(client->state().at("/Settings/HasSettings").value, integer(1));
  EXPECT_FALSE(client->state().contains("/Settings/ForceDischargingOff"));
  EXPECT_FALSE(client->state().contains("/Settings/ResetSocTo"));
  EXPECT_EQ(await(client->set("/Settings/ForceChargingOff", integer(1))), 0);
  EXPECT_EQ(await(client->set("/Settings/ForceChargingOff", integer(2))), 2);
  EXPECT_EQ(await(client->set("/Settings/TurnBalancingOff", integer(1))), 2);
  EXPECT_EQ(commands, (std::vector<std::pair<Command::Kind, double>>{{Command::Kind::charge, 0.0}, {Command::Kind::balance, 0.0}}));
  service->publish(snapshot);
  settle();
  EXPECT_EQ(await(client->get("/Settings/ForceChargingOff")).value, integer(1));
  EXPECT_EQ(await(client->get("/Settings/TurnBalancingOff")).value, integer(0));
  EXPECT_EQ(await(client->set("/Settings/ForceChargingOff", integer(0))), 0);
  EXPECT_EQ(commands.back(), std::make_pair(Command::Kind::charge, 1.0));
}

TEST_F(BatteryServiceTest, ResetSocWorksRepeatedly) {
  std::vector<double> targets;
  config.soc_calculation = true;
  handlers.set_soc = [&](double percent) -> asio::awaitable<WriteResult> {
    targets.push_back(percent);
    co_return WriteResult::accepted;
  };
  start();
  EXPECT_TRUE(client->state().contains("/SocBms"));
  EXPECT_EQ(client->state().at("/Settings/ResetSocTo").value, integer(100));
  for (const auto target : {0, 55, 100, 55, 55}) {
    EXPECT_EQ(await(client->set("/Settings/ResetSocTo", integer(target))), 0);
    EXPECT_EQ(await(client->set("/Settings/ResetSocToApply", integer(1))), 0);
    EXPECT_EQ(await(client->get("/Settings/ResetSocToApply")).value, integer(0));
  }
  EXPECT_EQ(targets, (std::vector<double>{0, 55, 100, 55, 55}));
  EXPECT_EQ(await(client->set("/Settings/ResetSocTo", integer(250))), 0);
  EXPECT_EQ(await(client->get("/Settings/ResetSocTo")).value, integer(100));
}

TEST_F(BatteryServiceTest, CellPathsByFormat) {
  config.battery_cell_data_format = 0;
  start();
  EXPECT_FALSE(client->state().contains("/Voltages/Sum"));
  EXPECT_FALSE(client->state().contains("/Balances/Cell1"));
  service.reset();
  config.battery_cell_data_format = 2;
  start();
  EXPECT_EQ(client->state().at("/Cell/16/Volts"), (SeenItem{3.315, "3.315V"}));
  EXPECT_TRUE(client->state().contains("/Cell/Sum"));
  EXPECT_FALSE(client->state().contains("/Balances/Cell1"));
  service.reset();
  config.battery_cell_data_format = 3;
  start();
  EXPECT_TRUE(client->state().contains("/Cell/1/Volts"));
  EXPECT_TRUE(client->state().contains("/Balances/Cell16"));
}

TEST_F(BatteryServiceTest, NewCellCountPublishesAnew) {
  start();
  service->publish(example_snapshot(15));
  ASSERT_TRUE(until([&] { return client->owners().size() == 2; }));
  EXPECT_EQ(client->owners()[0], "");
  EXPECT_EQ(client->owners()[1], service->unique_name());
  const auto items = await(client->get_items());
  EXPECT_TRUE(items.contains("/Voltages/Cell15"));
  EXPECT_FALSE(items.contains("/Voltages/Cell16"));
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

TEST_F(BatteryServiceTest, BadBytesFromTheBmsDoNotBreakTheConnection) {
  start();
  snapshot.device_name = std::string("a\xFF\xC0z\0b", 6);
  service->publish(snapshot);
  service->publish(snapshot);
  settle();
  ASSERT_EQ(client->signals().size(), 1U);
  EXPECT_EQ(client->state().at("/DeviceName").text, "a\uFFFD\uFFFDz\uFFFDb");
}

TEST_F(BatteryServiceTest, NumbersThatAreNoneAreInvalid) {
  start();
  snapshot.soc = std::numeric_limits<double>::quiet_NaN();
  snapshot.voltage = std::numeric_limits<double>::infinity();
  snapshot.current = -0.001;
  service->publish(snapshot);
  settle();
  EXPECT_EQ(client->state().at("/Soc").value, invalid);
  EXPECT_EQ(client->state().at("/Dc/0/Voltage").value, invalid);
  const auto current = client->state().at("/Dc/0/Current");
  EXPECT_EQ(current.text, "0.00A");
  EXPECT_FALSE(std::signbit(std::get<double>(current.value)));
}

TEST_F(BatteryServiceTest, HistorySigns) {
  snapshot.history[HistoryValue::deepest_discharge] = 20.456;
  snapshot.history[HistoryValue::total_ah_drawn] = 0.0;
  snapshot.history[HistoryValue::full_discharges] = 2.0;
  snapshot.history[HistoryValue::charge_cycles] = 7.0;
  start();
  EXPECT_EQ(client->state().at("/History/DeepestDischarge").value, Value(-20.46));
  EXPECT_EQ(client->state().at("/History/TotalAhDrawn").value, Value(0.0));
  EXPECT_EQ(client->state().at("/History/FullDischarges").value, integer(2));
  EXPECT_EQ(client->state().at("/History/ChargeCycles").value, Value(7.0));
}

TEST_F(BatteryServiceTest, JsonDump) {
  config.publish_battery_data_as_json = true;
  start();
  const auto text = client->state().at("/JsonData").text;
  const auto json = boost::json::parse(text);
  EXPECT_EQ(json.at("Dc").at("0").at("Voltage").as_double(), 53.12);
  EXPECT_EQ(json.at("DeviceInstance").as_int64(), 3);
  EXPECT_TRUE(json.at("CustomName").is_null());
  EXPECT_TRUE(json.at("Soh").is_null());
  EXPECT_EQ(json.at("Voltages").at("Cell16").as_double(), 3.315);
  EXPECT_FALSE(json.as_object().contains("Settings"));
  EXPECT_FALSE(json.as_object().contains("JsonData"));
  EXPECT_NE(text.find("\"Voltage\":53.12,"), std::string::npos);
}

TEST_F(BatteryServiceTest, ConfigValuesOnRequest) {
  info.config_values = {
      {"MAX_CELL_VOLTAGE", Type::real, 3.45}, {"LOGGING", Type::text, std::string("INFO")}, {"CHARGE_MODE", Type::integer, integer(1)}};
  config.time_to_soc_points = {100, 50, 50};
  start();
  EXPECT_EQ(client->state().at("/Info/Config/MAX_CELL_VOLTAGE"), (SeenItem{3.45, "3.45"}));
  EXPECT_EQ(client->state().at("/Info/Config/CHARGE_MODE").value, integer(1));
  EXPECT_TRUE(client->state().contains("/TimeToSoC/100"));
  EXPECT_TRUE(client->state().contains("/TimeToSoC/50"));
}

}  // namespace
}  // namespace serialbattery::venus
