// What clients may write, and what it does.
#include "support/battery_service_fixture.hpp"

namespace serialbattery::venus {
namespace {

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

TEST_F(BatteryServiceTest, SwitchesStayWhenTheServiceIsPublishedAnew) {
  controls.charge_switch = true;
  handlers.switch_control = [](Command) -> asio::awaitable<WriteResult> { co_return WriteResult::accepted; };
  start();
  EXPECT_EQ(await(client->set("/Settings/ForceChargingOff", integer(1))), 0);
  service->publish(example_snapshot(15));
  ASSERT_TRUE(until([&] { return client->owners().size() == 2; }));
  EXPECT_EQ(await(client->get("/Settings/ForceChargingOff")).value, integer(1));
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

}  // namespace
}  // namespace serialbattery::venus
