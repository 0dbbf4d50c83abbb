// RapidCheck with our parameters: at least 10 000 cases.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "support/control_walk.hpp"
#include "support/sanitizer.hpp"

namespace serialbattery::test {
namespace {

constexpr int kCases = kSanitized ? 500 : 10000;
constexpr int kLongestWalk = 50;  // polls

void check(const std::function<void()>& property) {
  auto params = rc::detail::configuration().testParams;
  params.maxSuccess = std::max(params.maxSuccess, kCases);
  rc::detail::TestMetadata metadata;
  metadata.id = metadata.description = testing::UnitTest::GetInstance()->current_test_info()->name();
  const auto level = spdlog::get_level();
  spdlog::set_level(spdlog::level::off);
  const auto result = rc::detail::checkTestable(property, metadata, params);
  spdlog::set_level(level);
  if (result.is<rc::detail::SuccessResult>()) return;
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  FAIL() << text.str();
}

// The seed does not shrink, the length does: the shortest beginning of the same life that goes wrong.
rc::Gen<std::uint64_t> any_seed() {
  return rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
}

Walk any_walk() {
  const auto seed = *any_seed().as("seed");
  return {seed, *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(1, kLongestWalk)).as("polls")};
}

}  // namespace

void check_walks(Chemistry chemistry, const std::function<Observer(const Config&)>& make) {
  check([&] {
    const Walk walk = any_walk();
    run_walk(walk, chemistry, make(random_config(walk.seed, chemistry)));
  });
}

void check_walks_freely(const std::function<void(const Walk&)>& property) {
  check([&] { property(any_walk()); });
}

void check_seeds(const std::function<void(std::uint64_t)>& property) {
  check([&] { property(*any_seed().as("seed")); });
}

}  // namespace serialbattery::test
