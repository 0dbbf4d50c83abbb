// Running coroutines and waiting for conditions in tests, with a deadline instead of a hang.
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>

namespace serialbattery::test {

inline constexpr std::chrono::seconds patience{20};

class TimedOut : public std::runtime_error {
 public:
  TimedOut() : std::runtime_error("the test waited in vain") {}
};

/// Runs the loop until `done` says so; false when `limit` passes first.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done, std::chrono::milliseconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  io.restart();
  while (!done()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::seconds(0)) return false;
    io.run_one_for(std::min<std::chrono::steady_clock::duration>(left, std::chrono::milliseconds(50)));
    if (io.stopped()) io.restart();
  }
  return true;
}

/// Lets the loop run for a while.
inline void run_for(boost::asio::io_context& io, std::chrono::milliseconds time) {
  run_until(
      io, [] { return false; }, time);
}

/// Runs the loop until the coroutine has its result. Throws what it throws, or TimedOut.
template <typename T>
T await(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
  bool done = false;
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error) {
      failure = error;
      done = true;
    });
    if (!run_until(io, [&] { return done; })) throw TimedOut();
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> result;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
      failure = error;
      result.emplace(std::move(value));
      done = true;
    });
    if (!run_until(io, [&] { return done; })) throw TimedOut();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
}

}  // namespace serialbattery::test
