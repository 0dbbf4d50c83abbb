// A simulated device as a ByteStream in virtual time: driver and device talk at full speed, yet with real pauses and baud rates.
#pragma once

#include <deque>
#include <memory>
#include <stdexcept>

#include "serialbattery/link.hpp"
#include "simulator/bus.hpp"

namespace serialbattery::test {

class DeviceStream final : public ByteStream {
 public:
  /// nullptr: a dead line.
  explicit DeviceStream(std::unique_ptr<simulator::Bus> bus) : bus_(std::move(bus)) {}

  [[nodiscard]] simulator::Bus& bus() { return *bus_; }
  void unplug() { gone_ = true; }
  /// Bytes handed over by the host since the start, request by request.
  [[nodiscard]] const std::vector<ByteVector>& written() const { return written_; }
  /// How long requests and answers took so far: on the wire and in the device.
  [[nodiscard]] Duration conversation() const { return conversation_; }
  /// How long the host was deliberately silent so far: gaps between messages.
  [[nodiscard]] Duration pauses() const { return pauses_; }

  asio::awaitable<void> write(Bytes data) override {
    check();
    written_.emplace_back(data.begin(), data.end());
    if (!bus_) co_return;
    const TimePoint asked = now_;
    const TimePoint complete = now_ + wire_time(data.size(), settings_);
    const ByteVector heard = simulator::resample(data, host_line(), bus_->line());
    schedule(bus_->receive(heard, complete), complete);
    conversation_ += (arriving_.empty() ? complete : arriving_.back().at) - asked;
  }

  asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) override {
    check();
    talk_until(deadline);
    if (arriving_.empty() || arriving_.front().at > deadline) {
      now_ = std::max(now_, deadline);
      if (bus_) bus_->advance(now_);
      co_return 0;
    }
    now_ = std::max(now_, arriving_.front().at);
    std::size_t count = 0;
    while (count < buffer.size() && !arriving_.empty() && arriving_.front().at <= now_) {
      buffer[count++] = arriving_.front().byte;
      arriving_.pop_front();
    }
    co_return count;
  }

  void discard_input() override {
    check();
    talk_until(now_);
    while (!arriving_.empty() && arriving_.front().at <= now_) arriving_.pop_front();
  }

  asio::awaitable<void> sleep_until(TimePoint moment) override {
    pauses_ += std::max(moment - now_, Duration::zero());
    now_ = std::max(now_, moment);
    if (bus_) bus_->advance(now_);
    co_return;
  }

  [[nodiscard]] TimePoint now() const override { return now_; }
  void configure(const LineSettings& settings) override { settings_ = settings; }
  [[nodiscard]] LineSettings settings() const override { return settings_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  struct Arriving {
    TimePoint at;
    std::uint8_t byte;
  };

  [[nodiscard]] simulator::Line host_line() const { return {settings_.baud, static_cast<simulator::ParityBit>(settings_.parity)}; }

  void check() const {
    if (gone_) throw LinkError(Fault::closed, "test: the device has gone");
  }

  void schedule(const std::vector<simulator::Answer>& answers, TimePoint from) {
    TimePoint at = arriving_.empty() ? from : std::max(from, arriving_.back().at);
    for (const simulator::Answer& answer : answers) {
      for (const simulator::Part& part : answer) {
        at += part.pause;
        const ByteVector heard = simulator::resample(part.bytes, bus_->line(), host_line());
        const TimePoint begin = at;
        at += simulator::byte_time(bus_->line()) * static_cast<int>(part.bytes.size());
        // At another baud rate the same time holds more or fewer bytes.
        for (std::size_t i = 0; i < heard.size(); ++i)
          arriving_.push_back({begin + (at - begin) * static_cast<int>(i + 1) / static_cast<int>(heard.size()), heard[i]});
      }
    }
  }

  // Devices that talk unasked are looked at every 10 ms of virtual time.
  void talk_until(TimePoint moment) {
    if (!bus_ || !bus_->talks()) return;
    for (; talked_ <= moment; talked_ += 10ms) schedule(bus_->talk(talked_), talked_);
  }

  std::unique_ptr<simulator::Bus> bus_;
  std::deque<Arriving> arriving_;
  std::vector<ByteVector> written_;
  Duration conversation_{};
  Duration pauses_{};
  bool gone_ = false;
  TimePoint now_{std::chrono::hours(1)};
  TimePoint talked_ = now_;
  LineSettings settings_;
  std::string name_ = "test";
};

}  // namespace serialbattery::test
