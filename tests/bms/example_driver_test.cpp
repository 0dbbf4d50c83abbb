// The worked example of docs/adding-a-bms.md works, and the document shows it as it is.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "serialbattery/registry.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

std::string content(const std::string& file) {
  std::ifstream stream(std::string(SB_SOURCE_DIR) + "/" + file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

// 2 cells of 3.300 V, 6.60 V, -5.0 A, 80 %, cell too low, 100 Ah.
const ByteVector good = *wire::from_hex("55 01 0c 0294 ffce 50 02 0064 0ce4 0ce4 5b");

class ExampleDriver : public testing::Test {
 protected:
  void answer(ByteVector bytes) {
    stream_.set_responder([bytes](Bytes) { return ScriptedStream::Answer{{bytes, 10ms}}; });
  }

  Config config_ = default_config();
  ScriptedStream stream_;
  ByteLink link_{stream_};
  std::unique_ptr<Driver> driver_ = find_driver("Example")->make({.link = link_, .config = config_});
};

}  // namespace

TEST_F(ExampleDriver, ReadsTheBattery) {
  answer(good);
  ASSERT_TRUE(run(driver_->identify(Effort::quick)));
  EXPECT_EQ(driver_->battery().voltage, 6.6);
  EXPECT_EQ(driver_->battery().current, -5.0);
  EXPECT_EQ(driver_->battery().soc, 80.0);
  EXPECT_EQ(driver_->battery().cells.size(), 2U);
  EXPECT_EQ(driver_->battery().alarms[Alarm::low_cell_voltage], AlarmLevel::alarm);
  EXPECT_EQ(driver_->battery().alarms[Alarm::cell_imbalance], std::nullopt);
}

TEST_F(ExampleDriver, RefusesADamagedAnswerAndKeepsTheReading) {
  answer(good);
  ASSERT_TRUE(run(driver_->identify(Effort::quick)));
  const Battery before = driver_->battery();
  ByteVector damaged = good;
  damaged[4] ^= 1;
  answer(damaged);
  EXPECT_THROW(run(driver_->refresh()), FrameError);
  EXPECT_EQ(driver_->battery(), before);
}

TEST(ExampleDocument, ShowsTheDriverAsItIs) {
  EXPECT_NE(content("docs/adding-a-bms.md").find("```cpp\n" + content("tests/bms/example_driver.cpp") + "```"), std::string::npos)
      << "docs/adding-a-bms.md differs from tests/bms/example_driver.cpp";
}

}  // namespace serialbattery::test
