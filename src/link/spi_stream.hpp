// A Linux SPI device ("/dev/spidev0.0") as a ByteStream: each write is one transfer, and what came in meanwhile is read afterwards.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <string>

#include "link/file.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::link {

/// Is this the name, with or without its folder, of an SPI device?
bool is_spi_device(std::string_view port);

/// Mode 0, 8 bits a word, chip select low for a whole transfer; the clock is settings().baud. A transfer blocks for as long as it is on
/// the bus: 64 microseconds for 4 bytes at 500 kHz.
class SpiStream final : public ByteStream {
 public:
  static constexpr std::size_t longest_transfer = 64;  // bytes, a millisecond

  /// Opens and locks the device. Throws LinkError(closed) when there is none, LinkError(io) when it may not be opened or is in use.
  SpiStream(asio::io_context& io, const std::string& path);

  [[nodiscard]] Transport transport() const override { return Transport::spi; }
  asio::awaitable<void> write(Bytes data) override;
  asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) override;
  void discard_input() override { received_.clear(); }
  asio::awaitable<void> sleep_until(TimePoint moment) override;
  [[nodiscard]] TimePoint now() const override { return Clock::now(); }
  void configure(const LineSettings& settings) override { settings_ = settings; }
  [[nodiscard]] LineSettings settings() const override { return settings_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string name_;
  File device_;
  LineSettings settings_{.baud = 500'000};
  ByteVector received_;
  asio::steady_timer timer_;
};

}  // namespace serialbattery::link
