// A recorded conversation in place of a port (--replay FILE): every request that the recording knows gets its recorded answers, in
// order and from the start again after the last; other requests get silence.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <map>

#include "serialbattery/link.hpp"

namespace serialbattery::link {

class ReplayStream final : public ByteStream {
 public:
  /// Reads a capture file. Throws std::runtime_error that names file and line when it is none.
  ReplayStream(asio::io_context& io, const std::filesystem::path& file);

  /// Told by the file's name, which is that of the port.
  [[nodiscard]] Transport transport() const override;
  asio::awaitable<void> write(Bytes data) override;
  asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer, TimePoint deadline) override;
  void discard_input() override { pending_.clear(); }
  asio::awaitable<void> sleep_until(TimePoint moment) override;
  [[nodiscard]] TimePoint now() const override { return Clock::now(); }
  void configure(const LineSettings& settings) override { settings_ = settings; }
  [[nodiscard]] LineSettings settings() const override { return settings_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  struct Recorded {
    std::vector<ByteVector> answers;
    std::size_t next = 0;
  };
  std::map<ByteVector, Recorded> conversation_;
  ByteVector pending_;
  LineSettings settings_;
  std::string name_;
  asio::steady_timer timer_;
};

}  // namespace serialbattery::link
