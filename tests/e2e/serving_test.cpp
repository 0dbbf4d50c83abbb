// The real program, a simulated JBD board, a real bus: what a GX device sees from start to stop.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <termios.h>

#include <csignal>

#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class Serving : public Served {};

}  // namespace

TEST_F(Serving, ShowsTheWholeBattery) {
  serve();
  EXPECT_EQ(number(*client_, "/ProductId"), 47735);
  EXPECT_THAT(text(*client_, "/ProductName"), HasSubstr("SerialBattery"));
  EXPECT_EQ(text(*client_, "/Mgmt/Connection"), "Serial " + rig_.port() + "__0x00");
  EXPECT_EQ(number(*client_, "/DeviceInstance"), 1);
  EXPECT_EQ(number(*client_, "/Dc/0/Voltage"), 52.8);
  EXPECT_EQ(number(*client_, "/Soc"), 60.0);
  EXPECT_EQ(number(*client_, "/System/NrOfCellsPerBattery"), 16);
  EXPECT_EQ(number(*client_, "/Voltages/Cell16"), 3.3);
  EXPECT_EQ(number(*client_, "/Info/MaxChargeVoltage"), 55.2);
  EXPECT_EQ(number(*client_, "/Info/MaxChargeCurrent"), 50.0);
  EXPECT_EQ(number(*client_, "/Info/MaxDischargeCurrent"), 60.0);
  EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 1);
  EXPECT_EQ(number(*client_, "/State"), 9);
}

TEST_F(Serving, FollowsTheBatteryAndRestrictsAtOnce) {
  serve();
  rig_.set("current", "-20");
  EXPECT_TRUE(becomes("/Dc/0/Current", -20.0));
  rig_.set("cell3", "3.51");
  EXPECT_TRUE(becomes("/Info/MaxChargeCurrent", 0.0));
  EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 0);
  EXPECT_EQ(text(*client_, "/System/MaxVoltageCellId"), "C3");
  rig_.set("alarms.cell_over_voltage", "on");
  EXPECT_TRUE(becomes("/Alarms/HighCellVoltage", 2));
}

TEST_F(Serving, SwitchesTheBms) {
  serve();
  EXPECT_EQ(rig_.get(client_->set("/Settings/ForceChargingOff", std::int64_t{1})), 0);
  EXPECT_EQ(rig_.host().bus().get("fet_lock"), "1");
  EXPECT_TRUE(becomes("/Info/MaxChargeCurrent", 0.0));
  EXPECT_EQ(rig_.get(client_->set("/Dc/0/Voltage", 12.0)), 1) << "measurements are read-only";
}

TEST_F(Serving, AWriteThatTheBmsDoesNotTakeIsRefused) {
  serve();
  rig_.fault("silence", "on");
  EXPECT_EQ(rig_.get(client_->set("/Settings/ForceDischargingOff", std::int64_t{1})), 2);
  EXPECT_EQ(number(*client_, "/Settings/ForceDischargingOff"), 0);
}

TEST_F(Serving, AFloodOfWritesDoesNotKeepTheReadingsAway) {
  serve();
  int sent = 0, answered = 0, taken = 0;
  auto next = Clock::now();
  const auto flood = [&] {
    for (; Clock::now() >= next; next += 10ms) {
      ++sent;
      boost::asio::co_spawn(rig_.io(), client_->set("/Settings/ForceDischargingOff", std::int64_t{sent % 2}),
                            [&](std::exception_ptr, int code) {
                              ++answered;
                              taken += code == 0 ? 1 : 0;
                            });
    }
  };
  for (const double current : {-21.0, -22.0}) {
    rig_.set("current", std::to_string(current));
    EXPECT_TRUE(rig_.until([&] {
      flood();
      return number(*client_, "/Dc/0/Current") == current;
    }));
  }
  EXPECT_TRUE(rig_.until([&] { return answered == sent; }));
  EXPECT_GT(taken, 0);
}

// multilog stops reading while the disk is full.
TEST_F(Serving, AFullLogPipeHoldsNothingUp) {
  rig_.connect("LltJbd");
  const std::string fifo = (rig_.folder() / "log").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int pipe = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(pipe, 0);
  const std::string block(4096, '\n');
  while (::write(pipe, block.data(), block.size()) > 0) {
  }
  client_ = rig_.client();
  program_ = std::make_unique<Spawned>(
      std::vector<std::string>{"/bin/sh", "-c", "exec \"$0\" \"$@\" >" + fifo, SB_BINARY_DIR "/dbus-serialbattery", "--folder",
                               rig_.folder().string(), "--lock-folder", rig_.folder().string(), rig_.port()},
      std::map<std::string, std::string>{{"DBUS_SYSTEM_BUS_ADDRESS", rig_.message_bus().address()}});
  ASSERT_TRUE(rig_.until([this] { return !client_->owners().empty() && !client_->owners().back().empty(); }));
  rig_.set("current", "-8");
  EXPECT_TRUE(becomes("/Dc/0/Current", -8.0));
  program_->signal(SIGTERM);
  EXPECT_EQ(ended(), 0);
  ::close(pipe);
}

TEST_F(Serving, StopsOnSigtermAndLeavesEverythingAsItWas) {
  serve();
  const int slave = ::open(rig_.port().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  ASSERT_GE(slave, 0);
  termios while_serving{};
  tcgetattr(slave, &while_serving);
  EXPECT_EQ(cfgetospeed(&while_serving), static_cast<speed_t>(B9600));
  program_->signal(SIGTERM);
  EXPECT_EQ(ended(), 0);
  EXPECT_TRUE(gone());
  termios afterwards{};
  tcgetattr(slave, &afterwards);
  EXPECT_NE(cfgetospeed(&afterwards), static_cast<speed_t>(B9600)) << "the port's settings are put back";
  ::close(slave);
}

TEST_F(Serving, StopsDuringDetection) {
  program_ = rig_.start({"/dev/ptmx"});
  rig_.connect("LltJbd");
  rig_.fault("silence", "on");
  program_ = rig_.start();
  rig_.until([this] { return rig_.host().statistics().bytes_in > 0; });
  program_->signal(SIGTERM);
  EXPECT_EQ(ended(), 0);
}

TEST_F(Serving, RemembersTheUsersName) {
  serve();
  EXPECT_EQ(rig_.get(client_->set("/CustomName", std::string("Garage"))), 0);
  program_->signal(SIGTERM);
  ASSERT_EQ(ended(), 0);
  start();
  EXPECT_EQ(text(*client_, "/CustomName"), "Garage");
  EXPECT_EQ(number(*client_, "/DeviceInstance"), 1);
}

TEST_F(Serving, ASecondBatteryWithTheSameIdentityIsRefusedAndTheFirstLives) {
  serve();
  simulator::PtyHost other(rig_.io(), simulator::Bus::of("LltJbd"), {.link = rig_.folder() / "ttyUSB1"});
  const auto second = rig_.start({(rig_.folder() / "ttyUSB1").string()});
  ASSERT_TRUE(rig_.until([&] { return second->output().find("ttyUSB0") != std::string::npos; })) << second->output();
  EXPECT_TRUE(second->running()) << "waits before it leaves";
  second->signal(SIGTERM);
  rig_.until([&] { return !second->running(); });
  rig_.set("current", "7");
  EXPECT_TRUE(becomes("/Dc/0/Current", 7.0));
}

TEST(SettingsService, MayBeKilledAndComeBack) {
  Rig rig(Rig::Settings::elsewhere);
  const auto start_settings = [&] {
    return std::make_unique<Spawned>(
        std::vector<std::string>{SB_BINARY_DIR "/tests/settings-service", "--file", (rig.folder() / "settings.json").string()},
        std::map<std::string, std::string>{{"DBUS_SYSTEM_BUS_ADDRESS", rig.message_bus().address()}});
  };
  auto settings = start_settings();
  rig.connect("LltJbd");
  const auto client = rig.client();
  const auto program = rig.start();
  ASSERT_TRUE(rig.until([&] { return !client->owners().empty(); })) << program->output();
  rig.get(client->get_items());
  settings->signal(SIGKILL);
  rig.until([&] { return !settings->running(); });
  EXPECT_EQ(rig.get(client->set("/CustomName", std::string("Lost"))), 2);
  settings = start_settings();
  rig.set("current", "5");
  EXPECT_TRUE(rig.until([&] { return number(*client, "/Dc/0/Current") == 5.0; }));
  EXPECT_TRUE(rig.until([&] { return rig.get(client->set("/CustomName", std::string("Found"))) == 0; }));
  EXPECT_TRUE(program->running());
}

TEST_F(Serving, EndsWhenTheBusIsGone) {
  serve();
  rig_.message_bus().kill();
  EXPECT_EQ(program_->wait(20s), 3);
}

TEST_F(Serving, AnExcludedPortIsLeftAtOnce) {
  rig_.connect("LltJbd");
  rig_.configure("EXCLUDED_DEVICES = " + rig_.port() + "\n");
  program_ = rig_.start();
  EXPECT_EQ(ended(), 0);
}

TEST_F(Serving, AMissingPortIsLeftAtOnce) {
  program_ = rig_.start({"/dev/ttyUSB99"});
  EXPECT_EQ(ended(), 1);
}

}  // namespace serialbattery::test
