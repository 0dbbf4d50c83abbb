// Where values come from besides the BMS: an external sensor that comes and goes, the user, and what was stored before.
#include <gmock/gmock.h>

#include <csignal>

#include "e2e/rig.hpp"
#include "venus/battery_service.hpp"

namespace serialbattery::test {

namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

/// A shunt with a service of its own on the same bus.
class Shunt {
 public:
  static constexpr const char* name = "com.victronenergy.battery.ttyS2";

  explicit Shunt(Rig& rig) : rig_(rig) {}
  void appear() {
    venus::ServiceInfo info;
    info.service_name = name;
    service_.emplace(rig_.io(), info, config_, Controls{}, venus::Handlers{});
    service_->publish(snapshot_);
    rig_.get(service_->announce());
  }
  void vanish() { service_.reset(); }
  void measure(std::optional<double> current, std::optional<double> soc) {
    snapshot_.current = current;
    snapshot_.soc = soc;
    if (service_) service_->publish(snapshot_);
  }

 private:
  Rig& rig_;
  Config config_;
  control::Snapshot snapshot_;
  std::optional<venus::BatteryService> service_;
};

class ExternalSensor : public Served {
 protected:
  bool shows(double current, double soc) {
    return rig_.until([&] { return number(*client_, "/Dc/0/Current") == current && number(*client_, "/Soc") == soc; });
  }
  std::size_t lines_with(const std::string& part) {
    const std::string log = program_->output();
    std::size_t count = 0;
    for (std::size_t at = log.find(part); at != std::string::npos; at = log.find(part, at + 1)) ++count;
    return count;
  }
};

class StateOfCharge : public Served {
 protected:
  /// As the GUI page does it. The two answers.
  std::pair<int, int> set_soc(std::int64_t percent) {
    const int target = rig_.get(client_->set("/Settings/ResetSocTo", percent));
    return {target, rig_.get(client_->set("/Settings/ResetSocToApply", std::int64_t{1}))};
  }
  static constexpr std::pair<int, int> accepted{0, 0};
  [[nodiscard]] std::string stored(const std::string& name) {
    for (const auto& [path, setting] : rig_.settings().data.all()) {
      if (path.ends_with("/" + name)) return venus::text_of(setting.value, venus::plain_text);
    }
    return "missing";
  }
};

class Histories : public StateOfCharge {};

}  // namespace

TEST_F(ExternalSensor, AppearsTurnsInvalidAndVanishes) {
  rig_.configure(std::string("EXTERNAL_SENSOR_DBUS_DEVICE = ") + Shunt::name +
                 "\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\nEXTERNAL_SENSOR_DBUS_PATH_SOC = /Soc\nPOLL_INTERVAL = 0.5\n");
  rig_.connect("LltJbd");
  rig_.set("current", "10");
  start();
  EXPECT_TRUE(shows(10, 60)) << "the BMS's own values while there is no sensor";

  Shunt shunt(rig_);
  shunt.measure(7.25, 55.5);
  shunt.appear();
  EXPECT_TRUE(shows(7.25, 55.5)) << program_->output();
  EXPECT_EQ(number(*client_, "/SocBms"), 60);
  EXPECT_NEAR(number(*client_, "/Dc/0/Power").value_or(0), 52.8 * 7.25, 0.005);
  shunt.measure(-4.5, 55);
  EXPECT_TRUE(shows(-4.5, 55));

  shunt.measure(std::nullopt, 54);
  EXPECT_TRUE(shows(10, 54)) << "each quantity for itself";
  shunt.measure(3, std::nullopt);
  EXPECT_TRUE(shows(3, 60));
  shunt.measure(3, 1234);
  shunt.measure(3.5, 1234);
  EXPECT_TRUE(shows(3.5, 60)) << "no SoC";
  shunt.measure(3.5, 53);
  EXPECT_TRUE(shows(3.5, 53));

  shunt.vanish();
  EXPECT_TRUE(shows(10, 60));
  shunt.appear();
  EXPECT_TRUE(shows(3.5, 53));
  EXPECT_EQ(lines_with("Current is that of the external sensor"), 3U) << program_->output();
  EXPECT_EQ(lines_with("SoC is that of the BMS"), 3U) << program_->output();
}

TEST_F(StateOfCharge, CalculatedOneIsSetAndOutlivesAKill) {
  rig_.configure("SOC_CALCULATION = True\n");
  serve();
  EXPECT_EQ(number(*client_, "/Soc"), 60) << "begins with the BMS's value";
  for (const std::int64_t percent : {0, 55, 100, 55}) {
    EXPECT_EQ(set_soc(percent), accepted) << percent;
    EXPECT_TRUE(becomes("/Soc", static_cast<double>(percent)));
  }
  EXPECT_EQ(number(*client_, "/Settings/ResetSocToApply"), 0);
  EXPECT_EQ(number(*client_, "/SocBms"), 60) << "the BMS is not touched";
  EXPECT_TRUE(becomes("/Capacity", 55)) << "of 100 Ah";
  EXPECT_EQ(rig_.get(client_->set("/Soc", 20.0)), 1) << "measurements are read-only";
  EXPECT_EQ(set_soc(20), accepted);
  EXPECT_EQ(set_soc(20), accepted) << "again the same: the two paths exist for that";
  ASSERT_TRUE(rig_.until([this] { return stored("SocCalc") == "20.0"; })) << stored("SocCalc");

  program_->signal(SIGKILL);
  ended();
  start();
  EXPECT_EQ(number(*client_, "/Soc"), 20);
}

TEST_F(StateOfCharge, WithoutCalculationItGoesToTheBms) {
  rig_.configure("BMS_TYPE = Daly\n");
  serve("Daly");
  EXPECT_EQ(set_soc(42), accepted);
  EXPECT_TRUE(becomes("/Soc", 42));
  EXPECT_NEAR(std::stod(rig_.host().bus().get("soc")), 42, 0.1);
  rig_.fault("silence", "on");
  EXPECT_EQ(rig_.get(client_->set("/Settings/ResetSocToApply", std::int64_t{1})), 2) << "the BMS does not answer";
}

TEST_F(Histories, AreClearedAtOnceAndForGood) {
  serve();
  EXPECT_TRUE(becomes("/History/DeepestDischarge", -40));
  rig_.set("soc", "90");
  ASSERT_TRUE(becomes("/Soc", 90));
  EXPECT_EQ(number(*client_, "/History/DeepestDischarge"), -40);
  EXPECT_EQ(rig_.get(client_->set("/History/Clear", std::int64_t{1})), 0);
  EXPECT_TRUE(becomes("/History/DeepestDischarge", -10));
  EXPECT_EQ(number(*client_, "/History/Clear"), 0);
  EXPECT_TRUE(rig_.until([this] { return stored("HistoryValues").find(R"("deepest_discharge": 10.0)") != std::string::npos; }))
      << stored("HistoryValues");
}

// What driver line 2.1, written in Python, leaves behind: real numbers in places of whole ones, an empty text for no absorption.
TEST(PythonDriver, StateIsTakenOver) {
  Rig rig(Rig::Settings::elsewhere);
  const auto preset = [&](const std::string& name, venus::Value value) {
    rig.settings().data.preset("/Settings/Devices/serialbattery_21_100_0AH/" + name, std::move(value));
  };
  preset("UniqueIdentifier", std::string("21_100_0Ah"));
  preset("ClassAndVrmInstance", std::string("battery:7"));
  preset("CustomName", std::string("Boat"));
  preset("LastSeen", std::int64_t{1'780'000'000});
  preset("AllowMaxVoltage", std::int64_t{0});
  preset("MaxVoltageStartTime", std::string());
  preset("SocCalc", 87.5);
  preset("SocResetLastReached", std::int64_t{0});
  preset("HistoryValues", std::string(R"({"deepest_discharge": -61.5, "total_ah_drawn": 1234.5, "full_discharges": 2.0,)"
                                      R"( "timestamp_last_full_charge": 1700000000, "automatic_syncs": 9.0, "minimum_voltage": NaN,)"
                                      R"( "clear": 0})"));
  rig.settings().start();
  rig.configure("SOC_CALCULATION = True\n");
  rig.connect("LltJbd");
  const auto client = rig.client();
  const auto program = rig.start();
  ASSERT_TRUE(rig.until([&] { return !client->owners().empty(); })) << program->output();
  rig.get(client->get_items());
  EXPECT_EQ(number(*client, "/DeviceInstance"), 7);
  EXPECT_EQ(text(*client, "/CustomName"), "Boat");
  EXPECT_EQ(number(*client, "/Soc"), 87.5);
  EXPECT_THAT(text(*client, "/Info/ChargeMode"), HasSubstr("Float"));
  EXPECT_EQ(number(*client, "/History/DeepestDischarge"), -61.5);
  EXPECT_EQ(number(*client, "/History/TotalAhDrawn"), -1234.5);
  EXPECT_EQ(number(*client, "/History/FullDischarges"), 2);
  EXPECT_EQ(number(*client, "/History/AutomaticSyncs"), 9);
  EXPECT_EQ(number(*client, "/History/MinimumVoltage"), 52.8) << "what was no number begins anew";
}

}  // namespace serialbattery::test
