#include "daemon/open_stream.hpp"

#include "link/replay_stream.hpp"
#include "link/spi_stream.hpp"

namespace serialbattery::daemon {

OpenedStream open_stream(asio::io_context& io, const Options& options) {
  if (!options.replay.empty()) return {std::make_unique<link::ReplayStream>(io, options.replay), nullptr};
  if (link::is_spi_device(options.device)) return {std::make_unique<link::SpiStream>(io, options.device), nullptr};
  auto serial = std::make_unique<link::SerialStream>(io, options.device);
  link::SerialStream* port = serial.get();
  return {std::move(serial), port};
}

}  // namespace serialbattery::daemon
