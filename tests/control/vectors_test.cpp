// Every control vector file is one test; each failing case is named.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cctype>

#include "support/control_vectors.hpp"

namespace serialbattery::test {
namespace {

constexpr std::array kFiles{"connection_scenarios", "current_limits_scenarios", "current_limits_single", "cvl_scenarios",
                            "history_scenarios",    "measurements_scenarios",   "pure_functions",        "random_scenarios",
                            "soc_scenarios",        "state_alarm_scenarios",    "time_to_scenarios"};

// The log of the controllers is not what these tests look at.
class ControlVectors : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(level_); }

 private:
  spdlog::level::level_enum level_ = spdlog::get_level();
};

TEST_P(ControlVectors, Pass) {
  const auto results =
      run_control_vectors(read_vector_file(std::filesystem::path(SB_TEST_VECTORS) / "control" / (std::string(GetParam()) + ".json")));
  EXPECT_FALSE(results.empty());
  for (const auto& result : results) {
    for (const auto& problem : result.problems) ADD_FAILURE() << result.id << ": " << problem;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ControlVectors, testing::ValuesIn(kFiles), [](const auto& file) { return std::string(file.param); });

TEST(ControlVectorsCompare, FindDifferences) {
  EXPECT_EQ(difference("x", 1.0, 1.0 + 5e-7), "");
  EXPECT_EQ(difference("x", 33600.0, 33600.0 + 0.01), "");
  EXPECT_EQ(difference("x", 1, 1.0), "");
  EXPECT_NE(difference("x", 1.0, 1.00001), "");
  EXPECT_NE(difference("x", 1.0, nullptr), "");
  EXPECT_NE(difference("x", "a", "b"), "");
}

}  // namespace
}  // namespace serialbattery::test
