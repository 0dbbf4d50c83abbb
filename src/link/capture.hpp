// Recorded conversations: JSON lines, size-capped and rotated (BMS_CAPTURE_RAW_DATA).
//
//   {"t": 1769990400.123, "dir": "tx", "raw": "dda50300fffd77"}
//   {"t": 1769990400.187, "dir": "rx", "raw": "dd03..."}
//   {"t": 1769990400.190, "dir": "decoded", "dt_since_last": 1.0, "duration_ms": 187, "success": true, "decoded": {...}}
#pragma once

#include <boost/json/object.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "serialbattery/link.hpp"

namespace serialbattery::link {

struct CaptureLimits {
  std::uintmax_t max_bytes = 5'000'000;    // of the present file
  int backups = 3;                         // older files kept: NAME.1 is the youngest
  std::uintmax_t least_free = 20U << 20U;  // stops capturing below this free space
};

/// Writes a capture file. A full disk or a missing folder is logged once and ends the capture; it never disturbs the conversation.
class CaptureFile final : public Tap {
 public:
  using WallClock = std::function<double()>;  // Unix time in s

  CaptureFile(std::filesystem::path file, CaptureLimits limits, WallClock clock);
  ~CaptureFile() override;

  void sent(Bytes data) override;
  void received(Bytes data) override;
  /// One poll: how long it took, and the reading (empty when it failed).
  void decoded(double duration_ms, bool success, const boost::json::object& reading);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void write(const boost::json::object& line);
  void open();
  void rotate();
  void stop(const std::string& why);

  std::filesystem::path path_;
  CaptureLimits limits_;
  WallClock clock_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::uintmax_t size_ = 0;
  std::optional<double> last_decoded_;
  bool stopped_ = false;
};

/// "capture/ttyUSB0.jsonl" for a port or MAC.
std::filesystem::path capture_path(const std::filesystem::path& folder, std::string_view name);

}  // namespace serialbattery::link
