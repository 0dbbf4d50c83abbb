// Sixteen packs on one RS485 cable, end to end: one program, sixteen services on the bus.
#include <gmock/gmock.h>

#include <set>

#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

constexpr unsigned packs = 16;
constexpr std::chrono::minutes whole_chain{2};  // a round takes 3.5 s on this line, and the machine may be busy

class LongChain : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::uint8_t> addresses;
    std::string list;
    for (unsigned address = 1; address <= packs; ++address) {
      addresses.push_back(static_cast<std::uint8_t>(address));
      const std::string text = fmt::format("0x{:02X}", address);
      list += (list.empty() ? "" : ", ") + text;
      clients_.push_back(rig_.client("__" + text));
    }
    rig_.connect("EG4_LL", addresses);
    rig_.configure("BMS_TYPE = EG4_LL\nBATTERY_ADDRESSES = " + list + "\n");
    program_ = rig_.start();
    for (const auto& client : clients_) {
      ASSERT_TRUE(rig_.until([&] { return !client->owners().empty() && !client->owners().back().empty(); }, whole_chain))
          << program_->output();
      rig_.get(client->get_items());
    }
  }
  double current(unsigned pack) { return number(*clients_[pack], "/Dc/0/Current").value_or(-999); }
  /// Gives each pack a current of its own and waits until all services but `except` show theirs.
  bool all_show(double first, std::optional<unsigned> except = std::nullopt) {
    for (unsigned pack = 0; pack < packs; ++pack) rig_.set(std::to_string(pack + 1) + "/current", std::to_string(first + pack));
    const auto shown = [&] {
      for (unsigned pack = 0; pack < packs; ++pack) {
        if (pack != except && current(pack) != first + pack) return false;
      }
      return true;
    };
    return rig_.until(shown, whole_chain);
  }

  Rig rig_;
  std::vector<std::unique_ptr<BusClient>> clients_;
  std::unique_ptr<Spawned> program_;
};

}  // namespace

TEST_F(LongChain, EachOfSixteenPacksIsABatteryOfItsOwn) {
  std::set<std::string> owners, serials;
  std::set<double> instances;
  for (const auto& client : clients_) {
    owners.insert(client->owners().back());
    serials.insert(text(*client, "/Serial"));
    instances.insert(number(*client, "/DeviceInstance").value_or(-1));
  }
  EXPECT_EQ(owners.size(), packs) << "a connection each";
  EXPECT_EQ(serials.size(), packs);
  EXPECT_EQ(instances.size(), packs);
  EXPECT_TRUE(all_show(1));
  // One falls silent: the fifteen go on, and it comes back.
  rig_.fault("7/silence", "on");
  EXPECT_TRUE(all_show(20, 6));
  EXPECT_TRUE(rig_.until([this] { return !number(*clients_[6], "/Dc/0/Voltage"); }, whole_chain)) << "the silent one ages";
  EXPECT_TRUE(number(*clients_[7], "/Dc/0/Voltage"));
  rig_.fault("7/silence", "off");
  EXPECT_TRUE(all_show(40));
}

}  // namespace serialbattery::test
