// Every file in tests/vectors, every vector, through the real drivers.
#include <gtest/gtest.h>

#include "serialbattery/registry.hpp"
#include "support/vector_runner.hpp"

namespace serialbattery::test {

class VectorFile : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(VectorFile, AllPass) {
  const VectorFileResult file = run_vector_file(GetParam());
  EXPECT_NE(find_driver(file.bms), nullptr) << file.bms;
  EXPECT_GT(file.count(VectorResult::Outcome::passed), 0U);
  for (const VectorResult& result : file.results) {
    for (const std::string& line : result.differences) ADD_FAILURE() << file.bms << " " << result.name << ": " << line;
  }
}

static std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> list;
  for (const auto& entry : std::filesystem::directory_iterator(SB_TEST_VECTORS)) {
    if (entry.path().extension() == ".json") list.push_back(entry.path());
  }
  std::ranges::sort(list);
  return list;
}

INSTANTIATE_TEST_SUITE_P(All, VectorFile, testing::ValuesIn(files()), [](const auto& file) { return file.param.stem().string(); });

}  // namespace serialbattery::test
