// A serial port (or pseudo-terminal) as a ByteStream: 8 data bits, raw, exclusive, any baud rate.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "link/line_settings.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::link {

class SerialStream final : public ByteStream {
 public:
  /// Opens and locks `path` ("/dev/ttyUSB0"). Throws LinkError(closed) when there is no such device, LinkError(io) when it may not be
  /// opened or another process has it.
  SerialStream(asio::io_context& io, std::string path);
  /// Puts the line settings back as they were found.
  ~SerialStream() override;

  /// Throws LinkError(timeout) when the adapter takes no bytes for a second longer than they need on the wire.
  asio::awaitable<void> write(Bytes data) override;
  asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) override;
  void discard_input() override;
  asio::awaitable<void> sleep_until(TimePoint moment) override;
  [[nodiscard]] TimePoint now() const override { return Clock::now(); }
  void configure(const LineSettings& settings) override;
  [[nodiscard]] LineSettings settings() const override { return settings_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  /// After LinkError(closed): opens the same path again with the same settings. False while there is no such device.
  bool reopen();

 private:
  void open();
  void close() noexcept;
  void cancel_at(TimePoint moment);
  [[nodiscard]] bool interrupted(const char* doing, const boost::system::error_code& error) const;

  std::string path_;
  std::string name_;
  LineSettings settings_;
  asio::posix::stream_descriptor port_;
  asio::steady_timer timer_;
  std::optional<SavedLine> saved_;  // as found when the port was opened
};

}  // namespace serialbattery::link
