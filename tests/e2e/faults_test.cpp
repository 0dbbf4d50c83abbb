// Faults on request: what the bus shows, and that nothing crashes and no limit rises.
#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

struct Fault {
  const char* name;
  const char* value;
  const char* off;
  friend void PrintTo(const Fault& s, std::ostream* out) { *out << s.name; }
};

class Faulty : public Served, public testing::WithParamInterface<Fault> {};
class Silent : public Served {};
class Unplugged : public Served {};
class Talker : public Served, public testing::WithParamInterface<const char*> {};

}  // namespace

// Damage to some answers is asked away: the readings go on.
TEST_P(Faulty, ReadingsGoOn) {
  serve();
  rig_.fault("every", "3");
  rig_.fault(GetParam().name, GetParam().value);
  for (const double current : {-11.0, -12.0, -13.0}) {
    rig_.set("current", std::to_string(current));
    EXPECT_TRUE(becomes("/Dc/0/Current", current));
  }
  EXPECT_TRUE(program_->running());
  EXPECT_LE(number(*client_, "/Info/MaxChargeCurrent").value_or(999), 50.0);
}

INSTANTIATE_TEST_SUITE_P(All, Faulty,
                         testing::Values(Fault{"silence", "on", "off"}, Fault{"checksum", "on", "off"}, Fault{"flip", "3", "0"},
                                         Fault{"truncate", "12", "0"}, Fault{"noise_before", "9", "0"}, Fault{"noise_inside", "2", "0"},
                                         Fault{"noise_after", "9", "0"}, Fault{"stale", "on", "off"}, Fault{"gap", "12", "0"},
                                         Fault{"delay", "600", "0"}, Fault{"lose", "5", "0"}),
                         [](const auto& fault) { return fault.param.name; });

TEST_F(Silent, ValuesAgeAndTheBatteryComesBack) {
  serve();
  rig_.set("cell3", "3.46");
  ASSERT_TRUE(rig_.until([this] { return number(*client_, "/Info/MaxChargeCurrent").value_or(99) < 1; }));
  const double limit = *number(*client_, "/Info/MaxChargeCurrent");
  rig_.fault("silence", "on");
  EXPECT_TRUE(becomes_invalid("/Dc/0/Voltage")) << "10 s after the first failure";
  EXPECT_EQ(number(*client_, "/System/NrOfModulesOnline"), 0);
  EXPECT_LE(*number(*client_, "/Info/MaxChargeCurrent"), limit);
  EXPECT_LE(*number(*client_, "/Info/MaxChargeVoltage"), 54.0) << "not above float";
  EXPECT_THAT(text(*client_, "/ConnectionInformation"), HasSubstr("Lost for"));
  rig_.fault("silence", "off");
  EXPECT_TRUE(rig_.until([this] { return number(*client_, "/Dc/0/Voltage").has_value(); }));
  EXPECT_EQ(number(*client_, "/System/NrOfModulesOnline"), 1);
}

TEST_F(Unplugged, BackWithinTheGraceTheServiceGoesOn) {
  serve();
  rig_.host().unplug(600ms);
  rig_.pass(700ms);
  rig_.set("current", "9");
  EXPECT_TRUE(becomes("/Dc/0/Current", 9.0)) << program_->output();
  EXPECT_EQ(client_->owners().size(), 1U) << "the name was never given up";
}

TEST_F(Unplugged, BackWithinTheGraceAnAnswerMayBeLost) {
  serve("Seplos");
  rig_.host().unplug();
  rig_.fault("silence", "on");
  rig_.fault("count", "1");
  rig_.host().plug();
  rig_.set("current", "9");
  EXPECT_TRUE(becomes("/Dc/0/Current", 9.0)) << program_->output();
  EXPECT_EQ(client_->owners().size(), 1U) << "the name was never given up";
}

TEST_F(Unplugged, LongerThanTheGraceTheProgramLeaves) {
  serve();
  rig_.host().unplug();
  EXPECT_EQ(ended(), 1);
  EXPECT_TRUE(gone());
  EXPECT_THAT(program_->output(), HasSubstr("has gone"));
}

TEST_F(Unplugged, AnotherBatteryOnThePortIsNotTakenForTheFirst) {
  serve();
  rig_.host().unplug();
  rig_.host().bus().set("capacity", "200");
  rig_.host().plug();
  EXPECT_EQ(ended(), 1);
}

TEST_P(Talker, IsLeftToOthers) {
  rig_.connect(GetParam());
  program_ = rig_.start();
  EXPECT_EQ(ended(), 1);
  EXPECT_THAT(program_->output(), HasSubstr(">>> No battery connection at ttyUSB0"));
}

INSTANTIATE_TEST_SUITE_P(All, Talker, testing::Values("NmeaGps", "VeDirect", "SmlMeter", "ModbusMeter", "Echo"),
                         [](const auto& type) { return std::string(type.param); });

}  // namespace serialbattery::test
