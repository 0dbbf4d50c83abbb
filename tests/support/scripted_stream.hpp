// A ByteStream for tests: answers come from a script, time is virtual and jumps to whatever is waited for.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "serialbattery/link.hpp"

namespace serialbattery::test {

class ScriptedStream final : public ByteStream {
 public:
  /// What the other side says to a request: chunks of bytes with the delay before each.
  struct Chunk {
    ByteVector bytes;
    Duration delay{};
  };
  using Answer = std::vector<Chunk>;
  /// Called for every write with all its bytes.
  using Responder = std::function<Answer(Bytes request)>;

  explicit ScriptedStream(Responder responder = {}) : responder_(std::move(responder)) {}

  void set_responder(Responder responder) { responder_ = std::move(responder); }
  /// Bytes that are there before anybody asks.
  void push(ByteVector bytes, Duration delay = {}) { pending_.push_back({std::move(bytes), delay}); }
  /// At most this many bytes per read; 0 = all.
  void set_read_limit(std::size_t bytes) { read_limit_ = bytes; }
  [[nodiscard]] const std::vector<ByteVector>& written() const { return written_; }
  void advance(Duration time) { now_ += time; }
  /// Every operation throws LinkError(closed) from now on.
  void unplug() { gone_ = true; }

  asio::awaitable<void> write(Bytes data) override;
  asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) override;
  void discard_input() override;
  asio::awaitable<void> sleep_until(TimePoint moment) override;
  [[nodiscard]] TimePoint now() const override { return now_; }
  void configure(const LineSettings& settings) override { settings_ = settings; }
  [[nodiscard]] LineSettings settings() const override { return settings_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void check_plugged() const;

  Responder responder_;
  std::deque<Chunk> pending_;
  std::vector<ByteVector> written_;
  std::size_t read_limit_ = 0;
  bool gone_ = false;
  TimePoint now_{std::chrono::hours(1)};
  LineSettings settings_;
  std::string name_ = "test";
};

/// Runs a coroutine to its end on an io_context of its own and returns or throws what it does.
template <typename T>
T run(asio::awaitable<T> task) {
  asio::io_context io;
  auto result = asio::co_spawn(io, std::move(task), asio::use_future);
  io.run();
  return result.get();
}

}  // namespace serialbattery::test
