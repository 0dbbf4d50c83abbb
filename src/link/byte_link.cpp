// The conversation: gaps, deadlines, framing, echo, statistics. One place for all drivers.
#include <algorithm>
#include <cstring>

#include "serialbattery/link.hpp"

namespace serialbattery {

Duration wire_time(std::size_t bytes, const LineSettings& settings) {
  constexpr std::int64_t bit_times_per_byte = 11;  // start, 8 data, parity or spare, stop: never too short
  const std::int64_t baud = std::max(1U, settings.baud);
  return std::chrono::microseconds(static_cast<std::int64_t>(bytes) * bit_times_per_byte * 1'000'000 / baud);
}

namespace {

[[noreturn]] void fail(const std::string& port, Fault fault, std::string_view detail) {
  std::string what = port + ": " + std::string(to_string(fault));
  if (!detail.empty()) what.append(" (").append(detail).append(")");
  if (fault == Fault::timeout) throw LinkError(fault, what);
  throw FrameError(fault, what);
}

bool is_whole(const Scan& scan, bool in_time) {
  return scan.status == Scan::Status::complete || (scan.status == Scan::Status::growing && !in_time);
}

}  // namespace

asio::awaitable<Bytes> ByteLink::transact(Bytes request, const Framing& framing, const Timing& timing) {
  for (int attempt = 1;; ++attempt) {
    try {
      co_return co_await exchange(request, framing, timing, attempt == 1 ? timing.gap : std::max(timing.gap, timing.retry_gap));
    } catch (const BmsError& error) {
      if (attempt >= timing.attempts || !error.worth_asking_again()) throw;
    }
  }
}

asio::awaitable<Bytes> ByteLink::exchange(Bytes request, const Framing& framing, const Timing& timing, Duration gap) {
  co_await transmit(request, gap);
  ++statistics_.exchanges;
  const LineSettings line = stream_.settings();
  const TimePoint sent = now() + wire_time(request.size(), line);
  const Duration whole =
      timing.total > Duration::zero() ? timing.total : timing.first_byte + timing.between_bytes + 2 * wire_time(timing.expected, line);
  const TimePoint answer_due = sent + std::min(timing.first_byte, whole);
  TimePoint deadline = answer_due;
  Scan scan;
  bool in_time = true;
  while (in_time) {
    in_time = co_await read_more(deadline);
    const std::optional<Bytes> answer = without_echo(request);
    if (!answer && in_time) continue;  // the echo is still coming in
    const Bytes seen = answer.value_or(Bytes{});
    const std::size_t skipped = used_ - seen.size();
    scan = framing(seen);
    if (is_whole(scan, in_time)) {
      learn_echo(request, skipped + scan.begin);
      statistics_.last_exchange = now() - sent;
      ++statistics_.answered;
      if (tap_) tap_->received(buffered());
      co_return seen.subspan(scan.begin, scan.end - scan.begin);
    }
    if (scan.status == Scan::Status::refused) {
      ++statistics_.answered;
      break;
    }
    // What looked like the answer may turn out to be an echo or noise: then the answer is waited for again.
    const bool begun = scan.status == Scan::Status::started || scan.status == Scan::Status::growing;
    deadline = begun ? std::min(quiet_since_ + timing.between_bytes, sent + whole) : answer_due;
  }
  if (tap_ && used_ > 0) tap_->received(buffered());
  ++statistics_.faults[static_cast<std::size_t>(scan.fault)];
  fail(stream_.name(), scan.fault, scan.detail);
}

asio::awaitable<Bytes> ByteLink::receive(const Framing& framing, TimePoint deadline) {
  drop_front(std::exchange(consumed_, 0));
  for (bool in_time = true;;) {
    const Scan scan = framing(buffered());
    if (is_whole(scan, in_time)) {
      consumed_ = scan.end;
      ++statistics_.answered;
      if (tap_) tap_->received(buffered().first(scan.end));
      co_return buffered().subspan(scan.begin, scan.end - scan.begin);
    }
    if (!in_time || scan.status == Scan::Status::refused) {
      ++statistics_.faults[static_cast<std::size_t>(scan.fault)];
      fail(stream_.name(), scan.fault, scan.detail);
    }
    in_time = co_await read_more(deadline);
  }
}

asio::awaitable<void> ByteLink::send(Bytes data, Duration gap) {
  co_await transmit(data, gap);
}

asio::awaitable<std::size_t> ByteLink::drain(Duration silence, Duration limit) {
  const TimePoint end = now() + limit;
  std::size_t dropped = 0;
  while (now() < end) {
    used_ = consumed_ = 0;
    const bool more = co_await read_more(std::min(now() + silence, end));
    dropped += used_;
    if (!more) break;
  }
  used_ = 0;
  co_return dropped;
}

asio::awaitable<void> ByteLink::sleep(Duration time) {
  co_await stream_.sleep_until(now() + time);
}

asio::awaitable<bool> ByteLink::read_more(TimePoint deadline) {
  if (used_ == buffer_size) drop_front(buffer_size / 2);  // a talker floods the line: the newest bytes count
  const std::size_t count = co_await stream_.read_some(std::span(buffer_).subspan(used_), deadline);
  if (count == 0) co_return false;
  used_ += count;
  statistics_.bytes_received += count;
  quiet_since_ = now();
  co_return true;
}

asio::awaitable<void> ByteLink::transmit(Bytes data, Duration gap) {
  const TimePoint earliest = quiet_since_ + gap;
  if (now() < earliest) co_await stream_.sleep_until(earliest);
  stream_.discard_input();
  used_ = consumed_ = 0;
  if (tap_) tap_->sent(data);
  co_await stream_.write(data);
  statistics_.bytes_sent += data.size();
  quiet_since_ = now() + wire_time(data.size(), stream_.settings());
}

// The bytes behind a leading copy of the request, once this line is known to echo; nullopt while the copy is incomplete.
std::optional<Bytes> ByteLink::without_echo(Bytes request) const {
  const Bytes all = buffered();
  if (!echo_seen_) return all;
  const std::size_t common = std::min(all.size(), request.size());
  if (!std::equal(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(common), request.begin())) return all;
  if (all.size() < request.size()) return std::nullopt;
  return all.subspan(request.size());
}

void ByteLink::learn_echo(Bytes request, std::size_t frame_begin) {
  echo_seen_ = frame_begin >= request.size() && std::equal(request.begin(), request.end(), buffer_.begin());
}

void ByteLink::drop_front(std::size_t count) {
  std::memmove(buffer_.data(), buffer_.data() + count, used_ - count);
  used_ -= count;
}

}  // namespace serialbattery
