// Detection: order of the places, what a dead line costs, talkers, addresses, the cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "daemon/detection.hpp"
#include "support/device_stream.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

using daemon::Candidate;
using daemon::Detection;
using daemon::DetectionCache;
using daemon::Found;
using daemon::Remembered;

std::unique_ptr<Driver> no_driver(const DriverContext&) {
  return nullptr;
}

constexpr Probe at_9600[] = {{.line = {9600}, .address = 0x01}};
constexpr Probe at_115200[] = {{.line = {115200}, .address = 0x01}};
constexpr Probe at_spi[] = {{.line = {500'000}}};
constexpr Probe at_both[] = {{.line = {9600}, .address = 0x01}, {.line = {19200}, .address = 0x01}};

const DriverEntry table[] = {
    {.type = "A", .text = "A", .probes = at_115200, .addressable = false, .rank = 1, .make = no_driver},
    {.type = "B", .text = "B", .probes = at_9600, .addressable = true, .rank = 2, .make = no_driver},
    {.type = "C", .text = "C", .probes = at_115200, .addressable = true, .rank = 3, .make = no_driver},
    {.type = "D", .text = "D", .probes = at_both, .addressable = false, .on_by_default = false, .rank = 4, .make = no_driver},
    {.type = "E_Can", .text = "E", .transport = Transport::can, .probes = {}, .rank = 5, .make = no_driver},
    {.type = "F", .text = "F", .transport = Transport::spi, .probes = at_spi, .on_by_default = false, .rank = 6, .make = no_driver},
    {.type = "G", .text = "G", .transport = Transport::spi, .probes = at_spi, .on_by_default = false, .rank = 7, .make = no_driver},
};

std::string places(const Config& config, Transport transport = Transport::serial) {
  std::string text;
  for (const Candidate& c : daemon::candidates(config, table, transport)) {
    text += std::string(c.entry->type) + "@" + std::to_string(c.line.baud) + (c.address_text.empty() ? "" : "#" + c.address_text) + " ";
  }
  return text;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sb-cache-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::vector<Found> detect(DeviceStream& stream, const Config& config, const DetectionCache* cache = nullptr) {
  ByteLink link(stream);
  Detection detection(link, config, cache);
  auto found = run(detection.run());
  for (Found& f : found) f.driver = nullptr;  // the link ends here
  return found;
}

}  // namespace

TEST(Candidates, FollowEachOtherByLineSettingThenRank) {
  EXPECT_EQ(places(default_config()), "A@115200 C@115200 B@9600 ");
}

TEST(Candidates, BmsTypeRestrictsAndEnables) {
  Config config = default_config();
  config.bms_type = {"D", "B"};
  EXPECT_EQ(places(config), "B@9600 D@9600 D@19200 ");
}

TEST(Candidates, TypesOfOtherTransportsDoNotRestrictASerialPort) {
  Config config = default_config();
  config.bms_type = {"E_Can"};
  EXPECT_EQ(places(config), "A@115200 C@115200 B@9600 ");
}

TEST(Candidates, APortMeetsOnlyTypesOfItsTransport) {
  Config config = default_config();
  EXPECT_EQ(places(config, Transport::spi), "") << "never unasked";
  config.bms_type = {"G"};
  EXPECT_EQ(places(config, Transport::spi), "G@500000 ");
  EXPECT_EQ(places(config), "A@115200 C@115200 B@9600 ");
  config.bms_type = {"A"};
  EXPECT_EQ(places(config, Transport::spi), "");
}

TEST(Candidates, ATypeWithoutADriverFindsNothingRatherThanEverything) {
  Config config = default_config();
  config.bms_type = {"NoDriverYet"};
  EXPECT_EQ(places(config), "");
}

TEST(Candidates, ConfiguredAddressesConcernTypesWithAddresses) {
  Config config = default_config();
  config.battery_addresses = {"0x01", "0x0A"};
  EXPECT_EQ(places(config), "A@115200 C@115200#0x01 C@115200#0x0A B@9600#0x01 B@9600#0x0A ");
}

TEST(Detect, FindsAJbdBoard) {
  DeviceStream stream(simulator::Bus::of("LltJbd"));
  const auto before = stream.now();
  const auto found = detect(stream, default_config());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where.entry->type, "LltJbd");
  EXPECT_LT(stream.now() - before, 4s);
}

TEST(Detect, GivesADeadLineUp) {
  DeviceStream stream(nullptr);
  Config config = default_config();
  config.bms_type = {"LltJbd"};
  const auto before = stream.now();
  EXPECT_TRUE(detect(stream, config).empty());
  EXPECT_LT(stream.now() - before, 5s);
}

TEST(Detect, LeavesALineThatIsNeverSilent) {
  ScriptedStream stream;
  for (int i = 0; i < 1000; ++i) stream.push(ByteVector(10, 'x'), 20ms);
  ByteLink link(stream);
  const Config config = default_config();
  Detection detection(link, config, nullptr);
  const auto before = stream.now();
  EXPECT_TRUE(run(detection.run()).empty());
  EXPECT_LT(stream.now() - before, 3s);
  EXPECT_TRUE(stream.written().empty()) << "nothing may be sent to a device that talks by itself";
}

TEST(Detect, OverhearsAStackWhoseMasterNeverStopsAsking) {
  DeviceStream stream(simulator::Bus::of("Seplosv3"));
  stream.bus().set("stack", "3");
  Config config = default_config();
  EXPECT_EQ(detect(stream, config).size(), 1U);
  config.battery_addresses = {"0x01", "0x02"};
  EXPECT_EQ(detect(stream, config).size(), 2U);
  EXPECT_TRUE(stream.written().empty());
}

TEST(Detect, LeavesADeviceThatAnswersEverythingWithGarbage) {
  ScriptedStream stream([](Bytes) { return ScriptedStream::Answer{{ByteVector{'$', 'G', 'P'}, 5ms}}; });
  ByteLink link(stream);
  Config config = default_config();
  Detection detection(link, config, nullptr);
  EXPECT_TRUE(run(detection.run()).empty());
  EXPECT_THAT(detection.reason(), testing::HasSubstr("another kind of device"));
}

TEST(Detect, AsksTheRememberedTypeFirst) {
  const Folder folder;
  const DetectionCache cache(folder.path(), "ttyUSB0");
  DeviceStream first(simulator::Bus::of("LltJbd"));
  ASSERT_EQ(detect(first, default_config(), &cache).size(), 1U);
  EXPECT_EQ(cache.load()->type, "LltJbd");
  DeviceStream second(simulator::Bus::of("LltJbd"));
  const auto before = second.now();
  ASSERT_EQ(detect(second, default_config(), &cache).size(), 1U);
  EXPECT_LT(second.now() - before, 1500ms);
  EXPECT_EQ(second.written().front(), (ByteVector{0xDD, 0xA5, 0x03, 0x00, 0xFF, 0xFD, 0x77}));
}

TEST(Cache, RemembersAndToleratesGarbage) {
  const Folder folder;
  const DetectionCache cache(folder.path() / "deeper", "ttyUSB0");
  EXPECT_EQ(cache.load(), std::nullopt);
  const Remembered found{"Seplos", 3, {19200, Parity::even}};
  cache.store(found);
  EXPECT_EQ(cache.load(), found);
  for (const char* garbage : {"", "{", "[]", "{\"type\": 1}", "{\"type\":\"X\",\"address\":999,\"baud\":1,\"parity\":0}", "\xff\xfe"}) {
    std::ofstream(folder.path() / "deeper" / "ttyUSB0.json") << garbage;
    EXPECT_EQ(cache.load(), std::nullopt) << garbage;
  }
  cache.store(found);
  EXPECT_EQ(cache.load(), found);
}

TEST(Cache, WhatIsKnownIsNotWrittenAgain) {
  const Folder folder;
  const DetectionCache cache(folder.path(), "ttyUSB0");
  cache.store({"LltJbd", 0, {9600}});
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::filesystem::last_write_time(folder.path() / "ttyUSB0.json", long_ago);
  const auto before = std::filesystem::last_write_time(folder.path() / "ttyUSB0.json");
  cache.store({"LltJbd", 0, {9600}});
  EXPECT_EQ(std::filesystem::last_write_time(folder.path() / "ttyUSB0.json"), before);
  cache.store({"Daly", 0, {9600}});
  EXPECT_NE(std::filesystem::last_write_time(folder.path() / "ttyUSB0.json"), before);
}

TEST(Cache, AFolderThatCannotBeWrittenDoesNoHarm) {
  const DetectionCache cache("/proc/no/such/folder", "ttyUSB0");
  cache.store({"LltJbd", 0, {9600}});
  EXPECT_EQ(cache.load(), std::nullopt);
}

}  // namespace serialbattery::test
