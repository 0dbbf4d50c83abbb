// Lines that people and programs type into run-control --stream: every one gets one line back, limits or an error, and the next goes on.
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <boost/json.hpp>

#include "support/config_text.hpp"
#include "support/control_stream.hpp"
#include "support/control_walk.hpp"

namespace serialbattery::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* good_line =
    R"({"t": 0, "cells": [3.41, 3.40, 3.40, 3.40], "voltage": 13.61, "current": 20, "soc": 90, "capacity": 280,)"
    R"( "charge_fet": true, "discharge_fet": true})";

class Stream : public testing::Test {
 protected:
  // Lines without a usable voltage are logged; here they are the subject.
  Stream() { spdlog::set_level(spdlog::level::off); }
  ~Stream() override { spdlog::set_level(level_); }
  std::string answer(const std::string& line) { return stream_.answer(line); }

  ControlStream stream_{config_from({})};

 private:
  spdlog::level::level_enum level_ = spdlog::get_level();
};

class Refused : public Stream, public testing::WithParamInterface<const char*> {};
class Taken : public Stream, public testing::WithParamInterface<const char*> {};

}  // namespace

TEST_F(Stream, AReadingIsAnsweredWithLimits) {
  const auto limits = boost::json::parse(answer(good_line)).as_object();
  EXPECT_EQ(limits.at("cvl").to_number<double>(), 13.8);
  EXPECT_EQ(limits.at("ccl").to_number<double>(), 8.5);
  EXPECT_EQ(limits.at("ccl_text").as_string(), "Cell Voltage");
  EXPECT_EQ(limits.at("soc").to_number<double>(), 90);
}

// Whatever may be missing or null in a line that is a reading.
TEST_P(Taken, GetsLimits) {
  const std::string text = answer(GetParam());
  EXPECT_THAT(text, HasSubstr("\"cvl\"")) << text;
  EXPECT_THAT(text, Not(HasSubstr("\"error\""))) << text;
  EXPECT_TRUE(boost::json::parse(text).is_object()) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, Taken,
    testing::Values(R"({"t": 0})", R"({"t": 0, "cells": []})", R"({"t": 0, "cells": null, "voltage": 13.2})",
                    R"({"t": 0, "cells": [3.3, null, 3.3, 3.3]})", R"({"t": 0, "cells": [null, null]})", R"({"t": 0, "cell_count": 4})",
                    R"({"t": 0, "cells": [3.3, 3.3], "balance": [true, null]})", R"({"t": 0, "cells": [65.535, 3.3]})",
                    R"({"t": 0, "voltage": -5})", R"({"t": 0, "cells": [3.3], "voltage": 1e300})", R"({"t": 0, "ok": false})",
                    R"({"t": -100.5, "cells": [3.3, 3.3], "soc": null, "charge_fet": null, "heating": 1})",
                    R"({"t": 0, "cells": [3.3, 3.3], "protection": {"low_voltage": 2, "high_voltage": null}})",
                    R"({"t": 0, "cells": [3.3, 3.3], "ess": {"Hub4Mode": 1, "State": 10, "SocLimit": "15.0", "MinimumSocLimit": null}})",
                    R"({"t": 0, "cells": [3.3, 3.3], "something_else": "is of no interest"})"));

TEST_P(Refused, GetsAClearErrorAndTheNextLineGoesOn) {
  const std::string before = answer(good_line);
  const std::string text = answer(GetParam());
  EXPECT_THAT(text, HasSubstr("\"error\"")) << text;
  EXPECT_THAT(text, Not(HasSubstr("boost"))) << "words for people: " << text;
  EXPECT_THAT(text, Not(HasSubstr("\"cvl\"")));
  EXPECT_EQ(answer(good_line), before) << "nothing of the line was taken";
}

INSTANTIATE_TEST_SUITE_P(All, Refused,
                         testing::Values("", "{", "[]", "42", "null", "t=0", R"({"t": NaN})", R"({})", R"({"t": null})", R"({"t": "0"})",
                                         R"({"t": 1e300})", R"({"t": 0, "cells": [NaN, 3.3]})", R"({"t": 0, "cells": ["NaN", 3.3]})",
                                         R"({"t": 0, "cells": [3.3, Infinity]})", R"({"t": 0, "cells": 3.3})",
                                         R"({"t": 0, "cells": {"1": 3.3}})", R"({"t": 0, "soc": "NaN"})", R"({"t": 0, "soc": "90"})",
                                         R"({"t": 0, "voltage": [13.2]})", R"({"t": 0, "charge_fet": "on"})",
                                         R"({"t": 0, "cells": [3.3], "balance": ["yes"]})", R"({"t": 0, "cells": [3.3], "balance": true})",
                                         R"({"t": 0, "cell_count": -1})", R"({"t": 0, "cell_count": 1e9})",
                                         R"({"t": 0, "protection": {"low_voltage": 7}})", R"({"t": 0, "protection": {"no_such_alarm": 1}})",
                                         R"({"t": 0, "protection": 1})", R"({"t": 0, "bms_history": {"no_such_value": 1}})",
                                         R"({"t": 0, "ess": 1})", R"({"t": 0, "ess": {"Hub4Mode": "one"}})",
                                         R"({"t": 0, "ess": {"Hub4Mode": 1e300}})", R"({"t": 0} {"t": 1})"));

// A line that lost or gained some letters on its way.
TEST_F(Stream, SurvivesAnyDamage) {
  Dice dice(7);
  for (int i = 0; i < 20000; ++i) {
    std::string line = good_line;
    for (int damage = dice.whole(1, 4); damage > 0; --damage) {
      const std::size_t at = dice.next() % line.size();
      switch (dice.whole(0, 3)) {
        case 0: line.erase(at, static_cast<std::size_t>(dice.whole(1, 9))); break;
        case 1: line[at] = static_cast<char>(dice.whole(0, 255)); break;
        case 2: line.insert(at, dice.of<std::string>({"null", "-", "1e9", "[", "}", "\"", "NaN", ",", "\\u0000", "9999999999"})); break;
        default: std::swap(line[at], line[dice.next() % line.size()]);
      }
      if (line.empty()) line = "{}";
    }
    const std::string text = answer(line);
    ASSERT_TRUE(boost::json::parse(text).is_object()) << line << "\n" << text;
  }
}

}  // namespace serialbattery::test
