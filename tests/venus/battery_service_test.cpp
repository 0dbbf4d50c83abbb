// What clients see of a battery: items, nodes, signals. Acceptance list of spec dbus-interface.md 16.
#include "support/battery_service_fixture.hpp"

namespace serialbattery::venus {
namespace {

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
