// A failure inside one step of a poll stays there: its outputs go to the safe side and the poll goes on (DV-35).
#include <gtest/gtest.h>
#include <stdexcept>

#include "control/state.hpp"
#include "support/config_text.hpp"
#include "support/control_packs.hpp"
#include "support/log_text.hpp"

namespace serialbattery::control {
namespace {

std::optional<Step> failing;

void probe(Step step) {
  if (step == failing) throw std::runtime_error("injected");
}

class StepSafety : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { failing.reset(); }
  void TearDown() override { failing.reset(); }

  test::LogText log_;
  Controller controller_{test::config_from({{"SOC_CALCULATION", "True"}}), {.poll_interval = std::chrono::seconds(1)}, {}};
  Battery pack_ = test::healthy_pack(8, 3.40);
};

TEST_P(StepSafety, FailureRaisesNothingAndIsCountedAndLoggedOnce) {
  controller_.probe_steps(probe);
  controller_.good_poll(pack_, {}, test::at_second(0));
  const auto before = controller_.snapshot();
  ASSERT_EQ(before.ccl, 12.5);
  ASSERT_EQ(before.cvl, 27.6);

  failing = static_cast<Step>(GetParam());
  pack_ = test::healthy_pack(8, 3.30);  // would allow more
  for (int i = 1; i <= 3; ++i) ASSERT_NO_THROW(controller_.good_poll(pack_, {}, test::at_second(i)));
  const auto& during = controller_.snapshot();
  EXPECT_LE(during.ccl, before.ccl);
  EXPECT_LE(during.dcl, before.dcl);
  EXPECT_LE(during.cvl, before.cvl);
  EXPECT_EQ(controller_.state().errors.remembered(), 3U);
  EXPECT_EQ(log_.count("injected"), 1U);

  failing.reset();
  for (int i = 4; i < 60; ++i) controller_.good_poll(pack_, {}, test::at_second(i));
  EXPECT_EQ(controller_.snapshot().ccl, 50) << "works again once the failure is gone";
  EXPECT_EQ(controller_.snapshot().cvl, 27.6);
  EXPECT_EQ(controller_.snapshot().state, 9);
}

INSTANTIATE_TEST_SUITE_P(AllSteps, StepSafety, testing::Range(0, static_cast<int>(Step::count)));

TEST_F(StepSafety, ChargeVoltageFallsBackToFloat) {
  controller_.probe_steps(probe);
  controller_.good_poll(pack_, {}, test::at_second(0));
  failing = Step::charge_voltage;
  const auto& out = controller_.good_poll(pack_, {}, test::at_second(1));
  EXPECT_EQ(out.cvl, 27.0);
  EXPECT_EQ(out.charge_mode, "Error, please check the logs!");
}

TEST_F(StepSafety, LimitsAndPermissionsFallToZero) {
  controller_.probe_steps(probe);
  controller_.good_poll(pack_, {}, test::at_second(0));
  failing = Step::limits;
  const auto& out = controller_.good_poll(pack_, {}, test::at_second(1));
  EXPECT_EQ(out.ccl, 0);
  EXPECT_EQ(out.dcl, 0);
  EXPECT_FALSE(out.allow_charge);
  EXPECT_FALSE(out.allow_discharge);
}

TEST_F(StepSafety, WhatCanNotBePublishedAllowsNothing) {
  controller_.probe_steps(probe);
  controller_.good_poll(pack_, {}, test::at_second(0));
  ASSERT_TRUE(controller_.snapshot().allow_discharge);
  failing = Step::snapshot;
  const auto& out = controller_.good_poll(pack_, {}, test::at_second(1));
  EXPECT_EQ(out.ccl, 0);
  EXPECT_EQ(out.dcl, 0);
  EXPECT_FALSE(out.allow_charge);
  EXPECT_FALSE(out.allow_discharge);
}

TEST_F(StepSafety, AReadingThatCanNotBeTakenIsAFailedPoll) {
  controller_.probe_steps(probe);
  controller_.good_poll(pack_, {}, test::at_second(0));
  failing = Step::take;
  for (int i = 1; i <= 11; ++i) controller_.good_poll(pack_, {}, test::at_second(i));
  EXPECT_FALSE(controller_.snapshot().online);
  EXPECT_EQ(controller_.snapshot().ccl, 0);
}

TEST_F(StepSafety, PersistentFailuresShowAsErrorCode8) {
  controller_.probe_steps(probe);
  failing = Step::midpoint;
  for (int i = 0; i < 179; ++i) controller_.good_poll(pack_, {}, test::at_second(i));
  EXPECT_EQ(controller_.snapshot().error_code, std::nullopt);
  controller_.good_poll(pack_, {}, test::at_second(179));
  EXPECT_EQ(controller_.snapshot().error_code, 8);
}

// DV-23: the control layer refuses what the driver should have refused.
TEST_F(StepSafety, AnImplausibleReadingIsAFailedPoll) {
  controller_.good_poll(pack_, {}, test::at_second(0));
  pack_.voltage = 150.1;
  controller_.good_poll(pack_, {}, test::at_second(1));
  const auto& out = controller_.good_poll(pack_, {}, test::at_second(2));
  EXPECT_EQ(out.voltage, 8 * 3.40) << "nothing of the reading is taken over";
  EXPECT_EQ(out.connection_information, "Lost for: 1s | Disconnect in: 29m 59s | Threshold: 30m");
}

}  // namespace
}  // namespace serialbattery::control
