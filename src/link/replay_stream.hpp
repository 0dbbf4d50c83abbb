// A recorded conversation in place of a port (--replay FILE): every request that the recording knows gets its recorded answers, in
// order and from the start again after the last; other requests get silence.
#pragma once

#include <filesystem>
#include <map>

#include "link/answered_stream.hpp"

namespace serialbattery::link {

class ReplayStream final : public AnsweredStream {
 public:
  /// Reads a capture file. Throws std::runtime_error that names file and line when it is none.
  ReplayStream(asio::io_context& io, const std::filesystem::path& file);

  /// Told by the file's name, which is that of the port.
  [[nodiscard]] Transport transport() const override;
  asio::awaitable<void> write(Bytes data) override;

 private:
  struct Recorded {
    std::vector<ByteVector> answers;
    std::size_t next = 0;
  };
  std::map<ByteVector, Recorded> conversation_;
};

}  // namespace serialbattery::link
