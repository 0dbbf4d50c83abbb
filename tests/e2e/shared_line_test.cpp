// Several packs on one RS485 cable: one program, each pack its own service; a silent one does not hold up the others.
#include <gmock/gmock.h>

#include <csignal>

#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

class SharedLine : public testing::Test {
 protected:
  void SetUp() override {
    rig_.connect("Jkbms_pb", {1, 2, 3});
    rig_.configure("BATTERY_ADDRESSES = 0x01, 0x02, 0x03\n");
    for (const char* suffix : {"__0x01", "__0x02", "__0x03"}) clients_.push_back(rig_.client(suffix));
    program_ = rig_.start();
    for (const auto& client : clients_) {
      ASSERT_TRUE(rig_.until([&] { return !client->owners().empty() && !client->owners().back().empty(); })) << program_->output();
      rig_.get(client->get_items());
    }
  }
  double current(std::size_t pack) { return number(*clients_[pack], "/Dc/0/Current").value_or(-999); }

  Rig rig_;
  std::vector<std::unique_ptr<BusClient>> clients_;
  std::unique_ptr<Spawned> program_;
};

}  // namespace

TEST_F(SharedLine, EachPackIsABatteryOfItsOwn) {
  EXPECT_NE(clients_[0]->owners().back(), clients_[1]->owners().back()) << "a connection each";
  EXPECT_NE(number(*clients_[0], "/DeviceInstance"), number(*clients_[1], "/DeviceInstance"));
  EXPECT_NE(text(*clients_[0], "/Serial"), text(*clients_[1], "/Serial"));
  for (std::size_t pack = 0; pack < 3; ++pack) rig_.set(std::to_string(pack + 1) + "/current", std::to_string(pack + 1));
  EXPECT_TRUE(rig_.until([this] { return current(0) == 1 && current(1) == 2 && current(2) == 3; }));
}

TEST_F(SharedLine, ASilentPackDoesNotStopTheOthers) {
  rig_.fault("2/silence", "on");
  rig_.set("1/current", "-7");
  rig_.set("3/current", "-9");
  EXPECT_TRUE(rig_.until([this] { return current(0) == -7 && current(2) == -9; }));
  EXPECT_TRUE(rig_.until([this] { return !number(*clients_[1], "/Dc/0/Voltage"); })) << "the silent one ages";
  EXPECT_TRUE(number(*clients_[0], "/Dc/0/Voltage"));
  rig_.fault("2/silence", "off");
  EXPECT_TRUE(rig_.until([this] { return number(*clients_[1], "/Dc/0/Voltage").has_value(); }, std::chrono::minutes(1)));
}

}  // namespace serialbattery::test
