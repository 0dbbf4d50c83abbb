// run-vectors FILE...: feeds recorded conversations through the drivers and compares what comes out. Needs no code for a new capture.
#include <cstdio>
#include <exception>

#include "support/vector_runner.hpp"

int main(int argc, char** argv) {
  using Outcome = serialbattery::test::VectorResult::Outcome;
  if (argc < 2) {
    std::puts("usage: run-vectors FILE...\nEach FILE holds {\"bms\": TYPE, \"vectors\": [...]} (see tests/vectors/README.md).");
    return 2;
  }
  std::size_t passed = 0, failed = 0, skipped = 0;
  for (int i = 1; i < argc; ++i) {
    try {
      const auto file = serialbattery::test::run_vector_file(argv[i]);
      for (const auto& result : file.results) {
        const char* word = result.outcome == Outcome::passed ? "ok" : result.outcome == Outcome::failed ? "FAIL" : "skipped";
        std::printf("%s %s: %s\n", word, file.bms.c_str(), result.name.c_str());
        for (const auto& line : result.differences) std::printf("     %s\n", line.c_str());
      }
      passed += file.count(Outcome::passed);
      failed += file.count(Outcome::failed);
      skipped += file.count(Outcome::skipped);
    } catch (const std::exception& error) {
      std::printf("FAIL %s\n", error.what());
      ++failed;
    }
  }
  if (skipped > 0) std::printf("%zu skipped (see above)\n", skipped);
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
