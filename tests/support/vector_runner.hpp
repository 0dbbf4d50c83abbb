// Runs test vector files (tests/vectors/*.json) through the real drivers over an in-memory line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace serialbattery::test {

struct VectorResult {
  enum class Outcome { passed, failed, skipped };
  std::string name;
  Outcome outcome = Outcome::passed;
  std::vector<std::string> differences;  // "soc: expected 50, got 49" for a failed one; the reason for a skipped one
};

struct VectorFileResult {
  std::string bms;
  std::vector<VectorResult> results;
  [[nodiscard]] std::size_t count(VectorResult::Outcome outcome) const;
};

/// Each vector is run twice: answers in one piece, and byte by byte. Throws std::runtime_error when the file can't be read.
VectorFileResult run_vector_file(const std::filesystem::path& file);

}  // namespace serialbattery::test
