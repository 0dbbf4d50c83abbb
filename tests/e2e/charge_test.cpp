// A whole charge as a GX device sees it: bulk, absorption, the way down to float, float, and bulk again after a discharge. And a program
// that is killed in the middle of it.
#include <gmock/gmock.h>

#include <csignal>

#include "e2e/lapsed_pack.hpp"

namespace serialbattery::test {

namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* mode_path = "/Info/ChargeMode";
constexpr const char* cvl_path = "/Info/MaxChargeVoltage";

// Float lies 10 mV below the maximum, so the way down at 1 mV/s takes ten seconds.
constexpr const char* short_waits =
    "MAX_CELL_VOLTAGE = 3.45\n"
    "FLOAT_CELL_VOLTAGE = 3.4475\n"
    "SWITCH_TO_FLOAT_WAIT_FOR_SEC = 3\n"
    "SWITCH_TO_BULK_SOC_THRESHOLD = 95\n"
    "POLL_INTERVAL = 0.5\n";

std::string phase_of(const std::string& mode) {
  return mode.substr(0, mode.find(" \u2502 "));
}

class Charge : public Served {
 protected:
  void charge(std::string_view type, const std::string& configuration, double soc, double counting_error = 0) {
    rig_.configure(configuration);
    rig_.connect(type);
    pack_ = std::make_unique<LapsedPack>(rig_, soc, counting_error);
    start_following();
  }
  void start_following() {
    pack_->follow(nullptr);  // start() makes a new client
    start();
    pack_->follow(client_.get());
  }
  [[nodiscard]] std::string phase() const { return phase_of(text(*client_, mode_path)); }
  bool reaches(const std::string& wanted) {
    return rig_.until([&] { return phase() == wanted; });
  }
  /// The phases in the order in which a client saw them, `first` in front.
  [[nodiscard]] std::vector<std::string> phases_seen(std::string first) const {
    std::vector<std::string> seen = {std::move(first)};
    for (const SeenSignal& signal : client_->signals()) {
      const auto item = signal.items.find(mode_path);
      if (item == signal.items.end()) continue;
      const std::string next = phase_of(std::get<std::string>(item->second.value));
      if (next != seen.back()) seen.push_back(next);
    }
    return seen;
  }
  /// A stored value of the only battery.
  [[nodiscard]] std::string stored(const std::string& name) {
    for (const auto& [path, setting] : rig_.settings().data.all()) {
      if (path.ends_with("/" + name)) return venus::text_of(setting.value, venus::plain_text);
    }
    return "missing";
  }

  std::unique_ptr<LapsedPack> pack_;
};

}  // namespace

TEST_F(Charge, RunsThroughAllPhasesAndBack) {
  charge("LltJbd", short_waits, 98.9);
  const std::string first = phase();
  EXPECT_EQ(first, "Bulk");
  EXPECT_EQ(number(*client_, cvl_path), 13.80);
  EXPECT_LT(*number(*client_, "/Info/MaxChargeCurrent"), 50) << "the cells are near their maximum";

  ASSERT_TRUE(reaches("Absorption")) << text(*client_, mode_path);
  EXPECT_TRUE(rig_.until([this] { return stored("MaxVoltageStartTime") != ""; }));
  EXPECT_EQ(stored("AllowMaxVoltage"), "1");

  ASSERT_TRUE(reaches("Float Transition"));
  EXPECT_EQ(number(*client_, cvl_path), 13.80) << "begins where it was";
  EXPECT_EQ(number(*client_, "/History/AutomaticSyncs"), 1) << "the full-charge event";
  EXPECT_LE(number(*client_, "/History/TimeSinceLastFullCharge").value_or(1e9), 60);
  EXPECT_TRUE(rig_.until([this] { return stored("AllowMaxVoltage") == "0" && stored("MaxVoltageStartTime") == ""; }));

  ASSERT_TRUE(reaches("Float"));
  EXPECT_TRUE(becomes(cvl_path, 13.79));

  pack_->draw(60);
  ASSERT_TRUE(reaches("Bulk")) << "SoC " << *number(*client_, "/Soc");
  EXPECT_LT(*number(*client_, "/Soc"), 95);
  EXPECT_TRUE(becomes(cvl_path, 13.80));
  EXPECT_TRUE(rig_.until([this] { return stored("AllowMaxVoltage") == "1"; }));
  EXPECT_THAT(phases_seen(first), ElementsAre("Bulk", "Absorption", "Float Transition", "Float", "Bulk"));
  EXPECT_EQ(number(*client_, "/History/AutomaticSyncs"), 1);
}

TEST_F(Charge, TellsTheBmsThatItIsFull) {
  charge("Daly", std::string("BMS_TYPE = Daly\n") + short_waits, 99.375, 2.5);
  EXPECT_LT(*number(*client_, "/Soc"), 98) << "the BMS has miscounted";
  ASSERT_TRUE(reaches("Float Transition")) << text(*client_, mode_path);
  EXPECT_TRUE(becomes("/Soc", 100)) << program_->output();
}

TEST_F(Charge, GoesOnWhereItWasAfterTheProgramWasKilled) {
  charge("LltJbd", "SWITCH_TO_FLOAT_WAIT_FOR_SEC = 900\nGUI_PARAMETERS_SHOW_ADDITIONAL_INFO = True\n", 99.375);
  ASSERT_TRUE(reaches("Absorption")) << text(*client_, mode_path);
  ASSERT_TRUE(rig_.until([this] { return stored("MaxVoltageStartTime") != ""; }));
  const std::string began = stored("MaxVoltageStartTime");
  rig_.pass(2500ms);  // so that a wait that began anew could not be taken for the old one
  program_->signal(SIGKILL);
  EXPECT_EQ(ended(), 128 + SIGKILL);
  EXPECT_TRUE(gone()) << "chargers see at once that there is no battery";

  start_following();
  EXPECT_EQ(phase(), "Absorption") << "from the first publication on";
  EXPECT_EQ(stored("MaxVoltageStartTime"), began);
  const std::string debug = text(*client_, "/Info/ChargeModeDebugFloat");
  const std::string elapsed = "elapsed: ";
  ASSERT_THAT(debug, HasSubstr(elapsed));
  EXPECT_THAT(std::stod(debug.substr(debug.find(elapsed) + elapsed.size())), Ge(2)) << debug;
}

}  // namespace serialbattery::test
