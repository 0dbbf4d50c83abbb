// A served battery on a real bus, with a driver that fails as no driver should.
#include "daemon/session.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "serialbattery/registry.hpp"
#include "support/bus_client.hpp"
#include "support/config_text.hpp"
#include "support/control_packs.hpp"
#include "support/loop.hpp"
#include "support/private_bus.hpp"
#include "support/scripted_stream.hpp"
#include "support/settings_service.hpp"

namespace serialbattery::daemon {
namespace {

using namespace std::chrono_literals;

constexpr const char* name = "com.victronenergy.battery.ttyUSB0";

class BrokenDriver final : public Driver {
 public:
  using Driver::Driver;
  bool broken = false;

 protected:
  asio::awaitable<bool> probe(Battery&, Effort) override { co_return true; }
  asio::awaitable<void> poll(Battery&) override {
    if (broken) throw std::logic_error("a mistake of ours");
    co_return;
  }
  asio::awaitable<void> replay_exchange(Bytes, Battery&) override { co_return; }
};

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    service_.start();
    venus::SettingsOptions options;
    options.lock_folder = bus_.folder();
    connection_ = venus::Bus::connect(io_, nullptr);
    settings_.emplace(connection_, options);
    auto driver = std::make_unique<BrokenDriver>(DriverContext{.link = link_, .config = config_});
    driver->assume(test::healthy_pack(8, 3.3));
    driver_ = driver.get();
    session_.emplace(io_, config_, Found{{.entry = find_driver("Jkbms"), .line = {}, .address = 0, .address_text = {}}, std::move(driver)});
  }
  ~SessionTest() override { connection_->close(); }

  template <typename T>
  T await(asio::awaitable<T> task) {
    return test::await(io_, std::move(task));
  }

  void start() {
    Serving serving;
    serving.info.service_name = name;
    serving.entry = await(settings_->open({{"AB12", std::nullopt, {}}, "", "ttyUSB0", "", name}));
    serving.poll_interval = 1s;
    await(session_->start(std::move(serving), {}));
    client_.emplace(io_, name);
    await(client_->get_items());
  }

  venus::Value shown(const char* path) { return client_->state().at(path).value; }

  /// What the last change of the path said; nothing: it did not change since the client came.
  std::optional<venus::Value> last_change(const char* path) {
    std::optional<venus::Value> last;
    for (const auto& signal : client_->signals()) {
      if (const auto item = signal.items.find(path); item != signal.items.end()) last = item->second.value;
    }
    return last;
  }

  bool gone() {
    return test::run_until(io_, [this] { return !client_->owners().empty() && client_->owners().back().empty(); });
  }

  test::PrivateBus bus_;
  asio::io_context io_;
  test::SettingsService service_{io_, {0ms, {}}};
  const Config config_ = test::config_from({});
  test::ScriptedStream stream_;
  ByteLink link_{stream_};
  BrokenDriver* driver_ = nullptr;
  std::shared_ptr<venus::Bus> connection_;
  std::optional<venus::SettingsClient> settings_;
  std::optional<Session> session_;
  std::optional<test::BusClient> client_;
};

TEST_F(SessionTest, AFailureOfTheProgramIsNoFaultOfTheBmsAndAllowsNothingBeforeItLeaves) {
  start();
  EXPECT_EQ(await(session_->poll({})), Session::Poll::good);
  ASSERT_EQ(shown("/Info/MaxChargeCurrent"), venus::Value(50.0));
  ASSERT_EQ(shown("/Io/AllowToCharge"), venus::Value(std::int64_t{1}));
  driver_->broken = true;
  EXPECT_THROW(await(session_->poll({})), std::logic_error);
  await(session_->stop(Leaving::failure));
  ASSERT_TRUE(gone());
  for (const char* limit : {"/Info/MaxChargeCurrent", "/Info/MaxDischargeCurrent"}) {
    EXPECT_EQ(last_change(limit), venus::Value(0.0)) << limit;
  }
  for (const char* allowed : {"/Io/AllowToCharge", "/Io/AllowToDischarge"}) {
    EXPECT_EQ(last_change(allowed), venus::Value(std::int64_t{0})) << allowed;
  }
}

TEST_F(SessionTest, AnOrderlyEndLeavesTheLimitsAlone) {
  start();
  await(session_->stop(Leaving::orderly));
  ASSERT_TRUE(gone());
  EXPECT_EQ(last_change("/Info/MaxChargeCurrent"), std::nullopt);
}

}  // namespace
}  // namespace serialbattery::daemon
