// A BMS of text without checksums behind the real program.
#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

class TextBms : public Served {};

}  // namespace

TEST_F(TextBms, IsFoundAndFollowed) {
  rig_.configure("BMS_TYPE = HLPdataBMS4S\nPOLL_INTERVAL = 1\nUSE_BMS_DVCC_VALUES = True\n");
  rig_.connect("HLPdataBMS4S");
  rig_.set("volt_high", "3.55");
  start();
  EXPECT_EQ(text(*client_, "/HardwareVersion"), "BMS4S sw 4.1.89");
  EXPECT_EQ(text(*client_, "/Serial"), "BMS4S_100");
  EXPECT_EQ(number(*client_, "/Dc/0/Voltage"), 13.2);
  EXPECT_EQ(number(*client_, "/Soc"), 60.0);
  EXPECT_EQ(number(*client_, "/System/NrOfCellsPerBattery"), 4);
  EXPECT_EQ(number(*client_, "/Info/MaxChargeVoltage"), 14.2);
  rig_.set("current", "-1.66");
  EXPECT_TRUE(becomes("/Dc/0/Current", -1.66));
  rig_.set("charge_fet", "off");
  EXPECT_TRUE(becomes("/Io/AllowToCharge", 0));
  EXPECT_EQ(number(*client_, "/Io/AllowToDischarge"), 1);
  rig_.set("beeper", "5");
  EXPECT_TRUE(becomes("/Alarms/HighVoltage", 2));
  rig_.fault("every", "2");
  rig_.fault("truncate", "30");
  rig_.set("current", "-5");
  EXPECT_TRUE(becomes("/Dc/0/Current", -5)) << "half an answer is asked for again";
}

}  // namespace serialbattery::test
