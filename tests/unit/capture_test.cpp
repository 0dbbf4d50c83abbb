// Captures: what stands in them, and that they never take more room than they were given.
#include "link/capture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "support/spawned.hpp"

namespace serialbattery::link {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

class Captures : public testing::Test {
 protected:
  CaptureFile open(const CaptureLimits& limits) {
    return CaptureFile(file_, limits, [this] { return time_++; });
  }
  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "capture" / "ttyUSB0.jsonl";
  double time_ = 1000;
};

}  // namespace

TEST_F(Captures, HoldBothDirectionsAndReadings) {
  {
    CaptureFile capture = open({});
    capture.sent(ByteVector{0xDD, 0xA5});
    capture.received(ByteVector{0x77});
    capture.decoded(187, true, {{"voltage", 52.8}});
    capture.decoded(5, false, {});
  }
  EXPECT_EQ(content(file_),
            "{\"t\":1E3,\"dir\":\"tx\",\"raw\":\"dda5\"}\n"
            "{\"t\":1.001E3,\"dir\":\"rx\",\"raw\":\"77\"}\n"
            "{\"t\":1.002E3,\"dir\":\"decoded\",\"dt_since_last\":null,\"duration_ms\":1.87E2,\"success\":true,\"decoded\":{\"voltage\":5."
            "28E1}}\n"
            "{\"t\":1.003E3,\"dir\":\"decoded\",\"dt_since_last\":1E0,\"duration_ms\":5E0,\"success\":false,\"decoded\":{}}\n");
}

TEST_F(Captures, AreRotatedWithinTheirLimits) {
  constexpr std::uintmax_t most = 200;
  CaptureFile capture = open({.max_bytes = most, .backups = 2});
  for (std::uint8_t i = 0; i < 100; ++i) capture.sent(ByteVector{i});
  EXPECT_THAT(names_in(file_.parent_path()), testing::ElementsAre("ttyUSB0.jsonl", "ttyUSB0.jsonl.1", "ttyUSB0.jsonl.2"));
  for (const char* suffix : {"", ".1", ".2"}) EXPECT_LE(std::filesystem::file_size(file_.string() + suffix), most);
  EXPECT_THAT(content(file_), testing::HasSubstr("\"63\"")) << "the latest line";
  const std::string older = content(file_.string() + ".2"), newer = content(file_.string() + ".1");
  EXPECT_LT(older, newer) << "in the order of their times";
}

TEST_F(Captures, EndBeforeTheDiskIsFull) {
  CaptureFile capture = open({.least_free = std::numeric_limits<std::uintmax_t>::max()});
  capture.sent(ByteVector{1});
  EXPECT_TRUE(names_in(file_.parent_path()).empty());
}

TEST_F(Captures, DoNoHarmWhereTheyCanNotBeWritten) {
  CaptureFile capture("/proc/no/such/folder/x.jsonl", {}, [] { return 0.0; });
  capture.sent(ByteVector{1});
  capture.decoded(1, true, {});
}

}  // namespace serialbattery::link
