// A program started by a test: its output, its end. Never outlives the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace serialbattery::test {

class Spawned {
 public:
  /// Starts at once; `environment` is added to that of the test. Output (both streams) goes to a file.
  Spawned(std::vector<std::string> command, std::map<std::string, std::string> environment = {});
  /// Kills it if it still runs.
  ~Spawned();
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  /// The exit code (128 + signal when killed); nullopt if it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);
  /// All that it has printed so far.
  [[nodiscard]] std::string output() const;
  /// Waits until the output contains `text`.
  bool wait_for_output(const std::string& text, std::chrono::milliseconds limit);

 private:
  pid_t pid_ = -1;
  std::optional<int> code_;
  std::filesystem::path log_;
};

/// Asks `condition` every few milliseconds until it holds; false when `limit` is over.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit);

/// A folder that is deleted with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void pause_briefly();

template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return condition();
    pause_briefly();
  }
  return true;
}

}  // namespace serialbattery::test
