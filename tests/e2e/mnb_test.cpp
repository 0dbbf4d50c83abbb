// The real program with a board on the SPI bus: its system calls, its contactors, and what a GX device sees.
#include <gmock/gmock.h>

#include <csignal>

#include "e2e/fake_board.hpp"
#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr unsigned charge_pin = 2, load_pin = 3;

class SpiBoard : public Served {
 protected:
  void serve_board(const std::string& config = "BMS_TYPE = MNB\n") {
    rig_.configure(config);
    begin({"/dev/spidev0.0"}, board_.environment());
  }
  void begin(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
    client_ = rig_.client({}, "spidev0_0");
    program_ = rig_.start(arguments, environment);
    ASSERT_TRUE(rig_.until([this] { return !client_->owners().empty() && !client_->owners().back().empty(); })) << program_->output();
    rig_.get(client_->get_items());
  }
  void stop() {
    program_->signal(SIGTERM);
    EXPECT_EQ(ended(), 0) << program_->output();
  }

  FakeBoard board_{rig_.io(), rig_.folder() / "board"};
};

}  // namespace

TEST_F(SpiBoard, IsABatteryOnTheBus) {
  board_.chip().set("current", "12");
  serve_board();
  EXPECT_EQ(text(*client_, "/Mgmt/Connection"), "SPI /dev/spidev0.0");
  EXPECT_THAT(text(*client_, "/ProductName"), HasSubstr("MNB-Li SPI"));
  EXPECT_EQ(text(*client_, "/HardwareVersion"), "MNB_BMS 8S");
  EXPECT_EQ(text(*client_, "/Serial"), "MNBBMS8S_129_6Ah");
  EXPECT_NEAR(number(*client_, "/Dc/0/Voltage").value_or(0), 26.4, 0.01);
  EXPECT_NEAR(number(*client_, "/Dc/0/Current").value_or(0), 12, 0.02);
  EXPECT_NEAR(number(*client_, "/Soc").value_or(0), 50, 0.1);
  EXPECT_EQ(number(*client_, "/System/NrOfCellsPerBattery"), 8);
  EXPECT_EQ(number(*client_, "/InstalledCapacity"), 129.6);
  EXPECT_EQ(number(*client_, "/Io/AllowToCharge"), 1);
  EXPECT_EQ(board_.outputs, (std::set<unsigned>{2, 3, 4, 17}));
  EXPECT_TRUE(board_.pins[charge_pin] && board_.pins[load_pin]);
}

TEST_F(SpiBoard, SwitchesItsContactors) {
  serve_board();
  board_.chip().set("cell5", "3.41");
  EXPECT_TRUE(becomes("/Io/AllowToCharge", 0));
  EXPECT_FALSE(board_.pins[charge_pin]);
  EXPECT_TRUE(board_.pins[load_pin]);
  board_.chip().set("cell5", "3.28");
  EXPECT_TRUE(rig_.until([this] { return board_.pins[charge_pin]; }));
}

TEST_F(SpiBoard, BlindForTenSecondsItSwitchesOff) {
  serve_board();
  board_.chip().set("stuck", "2");
  EXPECT_TRUE(rig_.until([this] { return !board_.pins[charge_pin] && !board_.pins[load_pin]; }));
  EXPECT_TRUE(program_->running());
  EXPECT_TRUE(rig_.until([this] { return program_->output().find("charging and discharging are switched off") != std::string::npos; }));
  board_.chip().set("stuck", "0");
  EXPECT_TRUE(rig_.until([this] { return board_.pins[charge_pin] && board_.pins[load_pin]; }));
}

TEST_F(SpiBoard, ARestartKeepsContactorsAndCharge) {
  serve_board();
  board_.chip().set("cell", "3.41");
  EXPECT_TRUE(becomes("/Soc", 100));
  EXPECT_FALSE(board_.pins[charge_pin]);
  stop();
  board_.chip().set("cell", "3.35");  // neither full nor empty
  serve_board();
  EXPECT_NEAR(number(*client_, "/Soc").value_or(0), 100, 0.1);
  EXPECT_FALSE(board_.pins[charge_pin]);
  EXPECT_TRUE(board_.pins[load_pin]);
}

TEST_F(SpiBoard, IsLeftAloneUnlessNamed) {
  program_ = rig_.start({"/dev/spidev0.0"}, board_.environment());
  EXPECT_EQ(ended(), 1);
  EXPECT_EQ(board_.transfers, 0U);
  EXPECT_THAT(program_->output(), HasSubstr("BMS_TYPE"));
}

TEST_F(SpiBoard, ALookTouchesNoPin) {
  rig_.configure("BMS_TYPE = MNB\n");
  for (const char* mode : {"--once", "--scan"}) {
    program_ = rig_.start({mode, "/dev/spidev0.0"}, board_.environment());
    EXPECT_EQ(ended(), 0) << program_->output();
    EXPECT_THAT(program_->output(), HasSubstr("26.40 V"));
    EXPECT_THAT(program_->output(), HasSubstr("SPI 500 kHz"));
  }
  EXPECT_TRUE(board_.outputs.empty());
}

TEST_F(SpiBoard, ARecordingServesWithoutTheBoard) {
  board_.chip().set("current", "-7");
  serve_board("BMS_TYPE = MNB\nBMS_CAPTURE_RAW_DATA = True\n");
  stop();
  const auto recording = rig_.folder() / "recorded" / "spidev0.0.jsonl";
  std::filesystem::create_directory(recording.parent_path());
  std::filesystem::copy_file(rig_.folder() / "capture" / "spidev0.0.jsonl", recording);
  rig_.configure("BMS_TYPE = MNB\n");
  board_.outputs.clear();
  begin({"--replay", recording.string()}, {});
  EXPECT_NEAR(number(*client_, "/Dc/0/Current").value_or(0), -7, 0.02);
  EXPECT_TRUE(board_.outputs.empty());
}

TEST_F(SpiBoard, AMissingDeviceIsNotAskedForInATightLoop) {
  rig_.configure("BMS_TYPE = MNB\n");
  program_ = rig_.start({"/dev/spidev9.9"});
  ASSERT_TRUE(rig_.until([this] { return program_->output().find("spidev9.9") != std::string::npos; }));
  EXPECT_TRUE(program_->running());
  stop();
}

}  // namespace serialbattery::test
