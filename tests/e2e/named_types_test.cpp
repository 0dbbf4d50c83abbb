// Types that are tried only when BMS_TYPE names them: found, served, and reading on through every fault of the line.
#include <gmock/gmock.h>

#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

struct NamedType {
  const char* type;
  unsigned strike_every;  // of the requests: each poll meets the fault, no question meets it twice
  friend void PrintTo(const NamedType& s, std::ostream* out) { *out << s.type; }
};

class Named : public Served, public testing::WithParamInterface<NamedType> {
 protected:
  void SetUp() override {
    rig_.configure(std::string("POLL_INTERVAL = 0.2\nBMS_TYPE = ") + GetParam().type + "\n");
    serve(GetParam().type);
  }
};

struct LineFault {
  const char* name;
  const char* value;
  const char* off;
};
constexpr LineFault line_faults[] = {
    {"silence", "on", "off"},  {"checksum", "on", "off"},  {"flip", "3", "0"},         {"truncate", "2", "0"},    {"truncate", "12", "0"},
    {"lose", "2", "0"},        {"noise_before", "9", "0"}, {"noise_inside", "2", "0"}, {"noise_after", "9", "0"}, {"stale", "on", "off"},
    {"previous", "on", "off"}, {"gap", "12", "0"},         {"delay", "270", "0"},
};

}  // namespace

TEST_P(Named, ReadingsGoOnThroughEveryFault) {
  rig_.fault("every", std::to_string(GetParam().strike_every));
  double current = 10;
  for (const LineFault& fault : line_faults) {
    rig_.fault(fault.name, fault.value);
    current += 1;
    rig_.set("current", std::to_string(current));
    EXPECT_TRUE(becomes("/Dc/0/Current", current)) << fault.name;
    rig_.fault(fault.name, fault.off);
  }
  EXPECT_TRUE(program_->running());
  EXPECT_LE(number(*client_, "/Info/MaxChargeCurrent").value_or(999), 50.0);
  EXPECT_EQ(client_->owners().size(), 1U) << "never left the bus";
}

TEST_P(Named, ComesBackAfterAShortUnplug) {
  rig_.host().unplug(std::chrono::milliseconds(600));
  rig_.pass(std::chrono::milliseconds(700));
  rig_.set("current", "9");
  EXPECT_TRUE(becomes("/Dc/0/Current", 9.0)) << program_->output();
  EXPECT_EQ(client_->owners().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, Named, testing::Values(NamedType{"ANT", 2}, NamedType{"Sinowealth", 11}),
                         [](const auto& type) { return std::string(type.param.type); });

}  // namespace serialbattery::test
