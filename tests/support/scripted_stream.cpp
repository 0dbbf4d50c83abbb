#include "support/scripted_stream.hpp"

namespace serialbattery::test {

asio::awaitable<void> ScriptedStream::write(Bytes data) {
  check_plugged();
  written_.emplace_back(data.begin(), data.end());
  if (responder_) {
    for (Chunk& chunk : responder_(data)) pending_.push_back(std::move(chunk));
  }
  co_return;
}

asio::awaitable<std::size_t> ScriptedStream::read_some(std::span<std::uint8_t> buffer, TimePoint deadline) {
  check_plugged();
  while (!pending_.empty() && pending_.front().bytes.empty()) pending_.pop_front();
  if (pending_.empty() || now_ + pending_.front().delay > deadline) {
    if (!pending_.empty()) pending_.front().delay -= std::max(Duration::zero(), deadline - now_);
    now_ = std::max(now_, deadline);
    co_return 0;
  }
  Chunk& chunk = pending_.front();
  now_ += std::exchange(chunk.delay, Duration::zero());
  std::size_t count = std::min(buffer.size(), chunk.bytes.size());
  if (read_limit_ > 0) count = std::min(count, read_limit_);
  std::copy_n(chunk.bytes.begin(), count, buffer.begin());
  chunk.bytes.erase(chunk.bytes.begin(), chunk.bytes.begin() + static_cast<std::ptrdiff_t>(count));
  co_return count;
}

void ScriptedStream::discard_input() {
  check_plugged();
  while (!pending_.empty() && pending_.front().delay == Duration::zero()) pending_.pop_front();
}

asio::awaitable<void> ScriptedStream::sleep_until(TimePoint moment) {
  now_ = std::max(now_, moment);
  co_return;
}

void ScriptedStream::check_plugged() const {
  if (gone_) throw LinkError(Fault::closed, "test: the device has gone");
}

}  // namespace serialbattery::test
