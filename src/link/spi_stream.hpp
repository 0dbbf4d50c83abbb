// A Linux SPI device ("/dev/spidev0.0") as a ByteStream: each write is one transfer, and what came in meanwhile is read afterwards.
#pragma once

#include <string>

#include "link/answered_stream.hpp"
#include "link/file.hpp"

namespace serialbattery::link {

/// Is this the name, with or without its folder, of an SPI device?
bool is_spi_device(std::string_view port);

/// Mode 0, 8 bits a word, chip select low for a whole transfer; the clock is settings().baud. A transfer blocks for as long as it is on
/// the bus: 64 microseconds for 4 bytes at 500 kHz.
class SpiStream final : public AnsweredStream {
 public:
  static constexpr std::size_t longest_transfer = 64;  // bytes, a millisecond

  /// Opens and locks the device. Throws LinkError(closed) when there is none, LinkError(io) when it may not be opened or is in use.
  SpiStream(asio::io_context& io, const std::string& path);

  [[nodiscard]] Transport transport() const override { return Transport::spi; }
  asio::awaitable<void> write(Bytes data) override;

 private:
  File device_;
};

}  // namespace serialbattery::link
