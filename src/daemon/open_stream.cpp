#include "daemon/open_stream.hpp"

#include "link/replay_stream.hpp"

namespace serialbattery::daemon {

OpenedStream open_stream(asio::io_context& io, const Options& options) {
  if (!options.replay.empty()) return {std::make_unique<link::ReplayStream>(io, options.replay), nullptr};
  auto serial = std::make_unique<link::SerialStream>(io, options.device);
  link::SerialStream* port = serial.get();
  return {std::move(serial), port};
}

}  // namespace serialbattery::daemon
