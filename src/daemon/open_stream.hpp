// The stream that the command line names: a serial port, an SPI device, or a recorded conversation.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "daemon/options.hpp"
#include "link/serial_stream.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery::daemon {

struct OpenedStream {
  std::unique_ptr<ByteStream> stream;
  link::SerialStream* serial = nullptr;  // the same, if it is a serial port
};

/// Throws LinkError (port missing, locked, not permitted) or std::runtime_error (no capture file).
OpenedStream open_stream(asio::io_context& io, const Options& options);

}  // namespace serialbattery::daemon
