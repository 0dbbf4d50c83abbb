// Every simulated device against every driver's probe, at every line setting that a driver uses: exactly the right driver accepts.
// docs/recognition.md shows the matrix.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/loader.hpp"
#include "daemon/detection.hpp"
#include "serialbattery/registry.hpp"
#include "support/device_stream.hpp"
#include "support/recognition.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

using simulator::Model;

}  // namespace

class Recognition : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }
};

class RecognitionDocument : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }
};

TEST_P(Recognition, OnlyTheRightDriverAccepts) {
  const Model& model = *simulator::find_model(GetParam());
  for (const DriverEntry* entry : serial_drivers()) {
    EXPECT_EQ(recognition(*entry, model) == Verdict::accepted, entry->type == model.type)
        << "driver " << entry->type << ", device " << model.type;
  }
}

static std::vector<std::string> models() {
  std::vector<std::string> names;
  for (const Model& model : simulator::all_models()) names.emplace_back(model.type);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Matrix, Recognition, testing::ValuesIn(models()), [](const auto& type) {
  std::string name = type.param;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

TEST_F(RecognitionDocument, ShowsTheMatrix) {
  std::ifstream file(SB_SOURCE_DIR "/docs/recognition.md");
  std::stringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(committed.str(), recognition_document()) << "run: generate-docs recognition > docs/recognition.md";
}

TEST(RecognitionMatrix, HasADeviceForEveryDriver) {
  for (const DriverEntry* entry : serial_drivers()) EXPECT_NE(simulator::find_model(entry->type), nullptr) << entry->type;
}

// Devices that talk by themselves, meters and echoes are left after the quick round.
TEST(RecognitionMatrix, TalkersAreLeftQuickly) {
  for (const Model& model : simulator::all_models()) {
    if (find_driver(model.type)) continue;
    DeviceStream stream(simulator::Bus::of(model.type));
    ByteLink link(stream);
    const Config config = default_config();
    daemon::Detection detection(link, config, nullptr);
    const TimePoint start = stream.now();
    EXPECT_TRUE(run(detection.run()).empty()) << model.type;
    // A quiet meter that answers politely costs as much as a dead line.
    EXPECT_LT(stream.now() - start, model.type == "ModbusMeter" ? 40s : 15s) << model.type << ": " << detection.reason();
  }
}

// What a dead line costs with all types on, in the protocols' own times.
TEST(RecognitionMatrix, ASilentPortIsGivenUpInTime) {
  DeviceStream stream(nullptr);
  ByteLink link(stream);
  const Config config = default_config();
  daemon::Detection detection(link, config, nullptr);
  const TimePoint start = stream.now();
  EXPECT_TRUE(run(detection.run()).empty());
  EXPECT_LT(stream.now() - start, 40s);
}

TEST(RecognitionMatrix, ASilentPortIsGivenUpWithin15SecondsWithTheFourCommonTypes) {
  DeviceStream stream(nullptr);
  ByteLink link(stream);
  Config config = default_config();
  config.bms_type = {"LltJbd", "Jkbms", "Jkbms_pb", "Daly"};
  daemon::Detection detection(link, config, nullptr);
  const TimePoint start = stream.now();
  EXPECT_TRUE(run(detection.run()).empty());
  EXPECT_LT(stream.now() - start, 15s);
}

TEST(RecognitionMatrix, EveryBmsIsFoundInTime) {
  for (const DriverEntry* entry : serial_drivers()) {
    const Config automatic = default_config();
    Config named = automatic;
    named.bms_type = {std::string(entry->type)};
    for (const auto& [config, limit] :
         {std::pair<const Config&, Duration>(automatic, 25s), std::pair<const Config&, Duration>(named, 2s)}) {
      if (&config == &automatic && !entry->on_by_default) continue;
      DeviceStream stream(simulator::Bus::of(entry->type));
      ByteLink link(stream);
      daemon::Detection detection(link, config, nullptr);
      const TimePoint start = stream.now();
      const auto found = run(detection.run());
      ASSERT_EQ(found.size(), 1U) << entry->type;
      EXPECT_EQ(found[0].where.entry->type, entry->type);
      EXPECT_LT(stream.now() - start, limit) << entry->type;
      RecordProperty(std::string(entry->type) + (&config == &automatic ? "_automatic_ms" : "_named_ms"),
                     static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(stream.now() - start).count()));
    }
  }
}

}  // namespace serialbattery::test
