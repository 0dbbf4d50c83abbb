#include "link/answered_stream.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace serialbattery::link {

asio::awaitable<std::size_t> AnsweredStream::read_some(std::span<std::uint8_t> buffer, TimePoint deadline) {
  if (answer_.empty()) {
    co_await sleep_until(deadline);
    co_return 0;
  }
  const std::size_t count = std::min(buffer.size(), answer_.size());
  std::copy_n(answer_.begin(), count, buffer.begin());
  answer_.erase(answer_.begin(), answer_.begin() + static_cast<std::ptrdiff_t>(count));
  co_return count;
}

asio::awaitable<void> AnsweredStream::sleep_until(TimePoint moment) {
  timer_.expires_at(moment);
  boost::system::error_code error;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace serialbattery::link
