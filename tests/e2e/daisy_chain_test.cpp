// Full RS485 cables, end to end: one program for each, a service for each pack. When a pack is pulled from its cable its service goes
// offline and the others go on; when it is back, so is its service.
#include <gmock/gmock.h>

#include <set>

#include "e2e/rig.hpp"

namespace serialbattery::test {

namespace {

using namespace std::chrono_literals;

struct Chain {
  const char* type;
  std::uint8_t first, last;  // addresses; a JK board at 0 would be a master, so they are fifteen
  friend void PrintTo(const Chain& s, std::ostream* out) { *out << s.type; }
};

// Bytes and answering times take a quarter of what they would, or the slowest round would last 9 s. The silence that the program keeps
// between messages is the real one.
constexpr double pace = 0.25;
constexpr std::chrono::minutes whole_chain{2};  // a round takes up to 5 s then, and the machine may be busy
constexpr std::size_t pulled = 6;

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

// A cable with its packs, its program, and a client of each service. It lives through its story on the loop of the rig, so that many
// cables can be in use at once: most of the time is spent waiting for a pulled pack to be given up.
class Cable {
 public:
  Cable(Rig& rig, const Chain& chain) : rig_(rig), name_(std::string("tty") + chain.type) {
    const std::filesystem::path folder = rig.folder() / chain.type, port = folder / name_;
    std::vector<std::uint8_t> addresses;
    std::vector<std::string> texts;
    for (unsigned address = chain.first; address <= chain.last; ++address) {
      addresses.push_back(static_cast<std::uint8_t>(address));
      texts.push_back(fmt::format("0x{:02X}", address));
      packs_.push_back({std::to_string(address) + "/", rig.client("__" + texts.back(), name_)});
    }
    host_ =
        std::make_unique<simulator::PtyHost>(rig.io(), simulator::Bus::of(chain.type, addresses),
                                             simulator::PtyOptions{.link = port, .latency = std::chrono::milliseconds(1), .pace = pace});
    std::ofstream(folder / "config.ini") << fmt::format("[DEFAULT]\nBMS_TYPE = {}\nBATTERY_ADDRESSES = {}\n", chain.type,
                                                        fmt::join(texts, ", "));
    program_ = std::make_unique<Spawned>(std::vector<std::string>{SB_BINARY_DIR "/dbus-serialbattery", "--folder", folder.string(),
                                                                  "--lock-folder", rig.folder().string(), port.string()},
                                         std::map<std::string, std::string>{{"DBUS_SYSTEM_BUS_ADDRESS", rig.message_bus().address()}});
    boost::asio::co_spawn(rig.io(), live(), [this](std::exception_ptr error) { end(error); });
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] std::string log() const { return program_->output(); }

 private:
  struct Pack {
    std::string name;  // in the simulator
    std::unique_ptr<BusClient> client;
  };
  [[nodiscard]] double value(std::size_t pack, const char* path) const { return number(*packs_[pack].client, path).value_or(-999); }
  [[nodiscard]] std::string words(std::size_t pack, const char* path) const { return text(*packs_[pack].client, path); }
  [[nodiscard]] bool serves(const Pack& pack) const { return !pack.client->owners().empty() && !pack.client->owners().back().empty(); }

  boost::asio::awaitable<void> live() {
    co_await until("a service for each pack", [this] { return std::ranges::all_of(packs_, [this](const Pack& p) { return serves(p); }); });
    for (const Pack& pack : packs_) co_await pack.client->get_items();
    expect_own("connection", [](const Pack& pack) { return pack.client->owners().back(); });
    expect_own("serial", [](const Pack& pack) { return text(*pack.client, "/Serial"); });
    expect_own("instance", [](const Pack& pack) { return std::to_string(number(*pack.client, "/DeviceInstance").value_or(-1)); });
    co_await round(1);
    const Duration healthy = co_await round(100);

    set_fault("silence", "on");
    const TimePoint start = Clock::now();
    int rounds = 0;
    while (number(*packs_[pulled].client, "/Dc/0/Voltage")) co_await round(-20.0 * ++rounds, pulled);
    const Duration outage = Clock::now() - start;
    expect(outage >= 10s, "the pulled pack is given up after 10 s, not earlier");
    expect(outage <= rounds * (2 * healthy + 3s), "the others keep their cadence");
    expect_offline();
    for (std::size_t i = 0; i < packs_.size(); ++i) {
      if (i == pulled) continue;
      expect(words(i, "/ConnectionInformation") == "Connected", "the others have lost nothing");
      expect(number(*packs_[i].client, "/Dc/0/Voltage").has_value(), "the others have their voltage");
    }

    set_fault("silence", "off");
    co_await round(200);
    expect(words(pulled, "/ConnectionInformation").starts_with("Connected"), "the pulled pack is back");
    for (const Pack& pack : packs_) expect(pack.client->owners().size() == 1, "no service left the bus");
    fmt::print("{}: a round takes {:.1f} s, {:.1f} s with a pack pulled, which is given up after {:.1f} s\n", name_, seconds(healthy),
               seconds(outage) / rounds, seconds(outage));
  }

  void expect_offline() {
    for (const char* path : {"/Dc/0/Voltage", "/Dc/0/Current", "/Dc/0/Power"})
      expect(!number(*packs_[pulled].client, path), "what was measured last is not shown any more");
    expect(words(pulled, "/ConnectionInformation").starts_with("Lost for: 1"), "the service says since when");
    expect(value(pulled, "/Info/MaxChargeVoltage") <= 54.0, "sixteen cells, the charge voltage of float");
    expect(value(pulled, "/Info/MaxChargeVoltage") < value(pulled + 1, "/Info/MaxChargeVoltage"), "only of the pulled pack");
  }

  /// Gives each pack a current of its own and waits until all services but `except` show theirs: one round, counted from its beginning.
  boost::asio::awaitable<Duration> round(double first, std::optional<std::size_t> except = std::nullopt) {
    const TimePoint start = Clock::now();
    const auto wanted = [first](std::size_t pack) { return first + static_cast<double>(pack); };
    for (std::size_t i = 0; i < packs_.size(); ++i) host_->bus().set(packs_[i].name + "current", std::to_string(wanted(i)));
    co_await until(fmt::format("currents from {} A on", first), [&] {
      for (std::size_t i = 0; i < packs_.size(); ++i) {
        if (i != except && value(i, "/Dc/0/Current") != wanted(i)) return false;
      }
      return true;
    });
    co_return Clock::now() - start;
  }

  template <typename Key>
  void expect_own(const char* what, Key key) {
    std::set<std::string> keys;
    for (const Pack& pack : packs_) keys.insert(key(pack));
    expect(keys.size() == packs_.size(), fmt::format("each pack has a {} of its own", what));
  }
  void expect(bool good, const std::string& what) {
    if (!good) problems_.push_back(what);
  }

  boost::asio::awaitable<void> until(std::string what, std::function<bool()> condition) {
    boost::asio::steady_timer timer(rig_.io());
    const TimePoint end = Clock::now() + whole_chain;
    while (!condition()) {
      if (Clock::now() > end) throw std::runtime_error("waited in vain for " + what);
      timer.expires_after(10ms);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }
  void end(const std::exception_ptr& error) {
    ended_ = true;
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      problems_.emplace_back(failure.what());
    }
  }
  void set_fault(const char* fault, const char* setting) { host_->bus().set_fault(packs_[pulled].name + fault, setting); }

  Rig& rig_;
  std::string name_;  // of the port
  std::vector<Pack> packs_;
  std::unique_ptr<simulator::PtyHost> host_;
  std::unique_ptr<Spawned> program_;
  std::vector<std::string> problems_;
  bool ended_ = false;
};

class FullCable : public testing::TestWithParam<Chain> {
 protected:
  // All cables whose test is to run are in use from the beginning.
  static void SetUpTestSuite() {
    rig_ = std::make_unique<Rig>();
    const testing::TestSuite& suite = *testing::UnitTest::GetInstance()->current_test_suite();
    for (const Chain& chain : chains) {
      for (int i = 0; i < suite.total_test_count(); ++i) {
        const testing::TestInfo& test = *suite.GetTestInfo(i);
        if (test.should_run() && std::string_view(test.name()).ends_with(chain.type))
          cables_.emplace(chain.type, std::make_unique<Cable>(*rig_, chain));
      }
    }
  }
  static void TearDownTestSuite() {
    cables_.clear();
    rig_.reset();
  }

 public:
  static constexpr Chain chains[] = {{"EG4_LL", 1, 16}, {"Jkbms_pb", 1, 15}, {"Seplos", 0, 15}, {"Pace", 0, 15}};

 protected:
  static inline std::unique_ptr<Rig> rig_;
  static inline std::map<std::string, std::unique_ptr<Cable>> cables_;
};

}  // namespace

TEST_P(FullCable, EachPackIsABatteryOfItsOwn) {
  const Cable& cable = *cables_.at(GetParam().type);
  rig_->until([&] { return cable.ended(); }, 5 * whole_chain);
  EXPECT_TRUE(cable.ended());
  EXPECT_THAT(cable.problems(), testing::IsEmpty()) << cable.log();
}

INSTANTIATE_TEST_SUITE_P(All, FullCable, testing::ValuesIn(FullCable::chains),
                         [](const auto& chain) { return std::string(chain.param.type); });

}  // namespace serialbattery::test
