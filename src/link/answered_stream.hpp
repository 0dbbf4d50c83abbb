// A ByteStream that has the whole answer as soon as the request is written: an SPI device, a recording.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <string>

#include "serialbattery/link.hpp"

namespace serialbattery::link {

/// What is left to the real streams: write(), which sets the answer.
class AnsweredStream : public ByteStream {
 public:
  asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) override;
  void discard_input() override { answer_.clear(); }
  asio::awaitable<void> sleep_until(TimePoint moment) override;
  [[nodiscard]] TimePoint now() const override { return Clock::now(); }
  void configure(const LineSettings& settings) override { settings_ = settings; }
  [[nodiscard]] LineSettings settings() const override { return settings_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 protected:
  AnsweredStream(asio::io_context& io, std::string name, const LineSettings& settings)
      : name_(std::move(name)), settings_(settings), timer_(io) {}
  void set_answer(ByteVector answer) { answer_ = std::move(answer); }

 private:
  std::string name_;
  LineSettings settings_;
  ByteVector answer_;  // what nobody has read yet
  asio::steady_timer timer_;
};

}  // namespace serialbattery::link
