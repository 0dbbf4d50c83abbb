// Sixteen packs on one RS485 cable, in virtual time: found by their addresses and read in turn, as the daemon does it. A round takes
// requests and answers on the wire, the devices' own time and the silence that their documents demand, and nothing else. A pack that
// falls silent costs the others its own time-out only.
#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "daemon/detection.hpp"
#include "serialbattery/registry.hpp"
#include "support/device_stream.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

struct Chain {
  const char* type;
  std::uint8_t first, last;  // addresses; JK boards at 0 would be masters, so they are fifteen
  Duration silence;          // before each request, as the protocol document demands it of a shared line
  Duration time_out;         // of one request, as the protocol document states it
  int tries;                 // until a pack counts as silent
  friend void PrintTo(const Chain& s, std::ostream* out) { *out << s.type; }
};

std::string hex(unsigned address) {
  return fmt::format("0x{:02X}", address);
}

class DaisyChain : public testing::TestWithParam<Chain> {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::off);
    const Chain& chain = GetParam();
    for (unsigned address = chain.first; address <= chain.last; ++address) config_.battery_addresses.push_back(hex(address));
    config_.bms_type = {chain.type};
    std::vector<std::uint8_t> addresses;
    for (unsigned address = chain.first; address <= chain.last; ++address) addresses.push_back(static_cast<std::uint8_t>(address));
    stream_ = std::make_unique<DeviceStream>(simulator::Bus::of(chain.type, addresses));
    link_ = std::make_unique<ByteLink>(*stream_);
    packs_ = run(daemon::Detection(*link_, config_, nullptr).run());
    ASSERT_EQ(packs_.size(), addresses.size());
  }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  struct Round {
    Duration total;         // from the first request to the last answer
    Duration conversation;  // of it wire and devices
    std::size_t requests;
    std::vector<std::size_t> lost;  // packs that could not be read
  };
  Round read_all() {
    const TimePoint start = stream_->now();
    const Duration conversation = stream_->conversation();
    const std::size_t requests = stream_->written().size();
    Round round{};
    for (std::size_t i = 0; i < packs_.size(); ++i) {
      try {
        run(packs_[i].driver->refresh());
      } catch (const BmsError&) {
        round.lost.push_back(i);
      }
    }
    round.total = stream_->now() - start;
    round.conversation = stream_->conversation() - conversation;
    round.requests = stream_->written().size() - requests;
    return round;
  }
  void set(std::size_t pack, const char* name, const std::string& value) { bus().set(unit(pack) + name, value); }
  void fault(std::size_t pack, const char* name, const char* value) { bus().set_fault(unit(pack) + name, value); }
  simulator::Bus& bus() { return stream_->bus(); }

  Config config_ = default_config();
  std::unique_ptr<DeviceStream> stream_;
  std::unique_ptr<ByteLink> link_;
  std::vector<daemon::Found> packs_;

 private:
  static std::string unit(std::size_t pack) { return std::to_string(GetParam().first + pack) + "/"; }
};

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

TEST_P(DaisyChain, ARoundTakesWireDevicesAndDemandedSilence) {
  read_all();
  for (std::size_t i = 0; i < packs_.size(); ++i) set(i, "current", std::to_string(i + 1));
  const Round round = read_all();
  EXPECT_TRUE(round.lost.empty());
  for (std::size_t i = 0; i < packs_.size(); ++i) EXPECT_EQ(packs_[i].driver->battery().current, static_cast<double>(i + 1)) << i;
  const Duration needed = round.conversation + static_cast<int>(round.requests) * GetParam().silence;
  EXPECT_LE(seconds(round.total), 1.05 * seconds(needed));
  RecordProperty("packs", static_cast<int>(packs_.size()));
  RecordProperty("round_ms", static_cast<int>(round.total / 1ms));
  RecordProperty("wire_and_device_ms", static_cast<int>(round.conversation / 1ms));
  RecordProperty("demanded_silence_ms", static_cast<int>((needed - round.conversation) / 1ms));
}

TEST_P(DaisyChain, ASilentPackCostsTheOthersItsTimeOutOnly) {
  read_all();
  const Round healthy = read_all();
  constexpr std::size_t quiet = 6;
  fault(quiet, "silence", "on");
  // Beside the time-out: its request on the wire, the silence before it, and draining what may come late.
  const Duration one_try = GetParam().time_out + GetParam().silence + 100ms;
  for (int i = 0; i < 5; ++i) {
    const Round round = read_all();
    EXPECT_EQ(round.lost, std::vector{quiet});
    const int tries = i == 0 ? GetParam().tries : 1;
    EXPECT_LE(seconds(round.total), seconds(healthy.total + tries * one_try)) << "round " << i;
  }
  fault(quiet, "silence", "off");
  Round round{};
  for (int i = 0; i < 10; ++i) round = read_all();
  EXPECT_TRUE(round.lost.empty()) << "it is read again";
}

INSTANTIATE_TEST_SUITE_P(All, DaisyChain,
                         testing::Values(Chain{"Jkbms_pb", 1, 15, 120ms, 500ms, 2}, Chain{"Seplos", 0, 15, 100ms, 800ms, 3},
                                         Chain{"Pace", 0, 15, 100ms, 800ms, 3}, Chain{"EG4_LL", 1, 16, 100ms, 1500ms, 3},
                                         Chain{"EG4_Lifepower", 1, 16, 100ms, 500ms, 3}),
                         [](const auto& chain) { return std::string(chain.param.type); });

}  // namespace serialbattery::test
