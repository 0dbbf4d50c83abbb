#include "link/capture.hpp"

#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <system_error>

#include "link/files.hpp"

namespace serialbattery::link {

namespace json = boost::json;

CaptureFile::CaptureFile(std::filesystem::path file, CaptureLimits limits, WallClock clock)
    : path_(std::move(file)), limits_(limits), clock_(std::move(clock)) {
  std::error_code ignored;
  std::filesystem::create_directories(path_.parent_path(), ignored);
  open();
}

CaptureFile::~CaptureFile() = default;

void CaptureFile::sent(Bytes data) {
  write({{"t", clock_()}, {"dir", "tx"}, {"raw", wire::to_hex(data)}});
}

void CaptureFile::received(Bytes data) {
  write({{"t", clock_()}, {"dir", "rx"}, {"raw", wire::to_hex(data)}});
}

void CaptureFile::decoded(double duration_ms, bool success, const json::object& reading) {
  const double now = clock_();
  json::object line{{"t", now}, {"dir", "decoded"}};
  line["dt_since_last"] = last_decoded_ ? json::value(now - *last_decoded_) : json::value(nullptr);
  line["duration_ms"] = duration_ms;
  line["success"] = success;
  line["decoded"] = reading;
  last_decoded_ = now;
  write(line);
}

void CaptureFile::write(const json::object& line) {
  if (stopped_) return;
  const std::string text = json::serialize(line) + "\n";
  if (size_ > 0 && size_ + text.size() > limits_.max_bytes) {
    rotate();
    if (stopped_) return;
  }
  // The page cache takes a line at once; the kernel writes it to the medium later.
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0) {
    stop(std::error_code(errno, std::generic_category()).message());
    return;
  }
  size_ += text.size();
}

void CaptureFile::open() {
  std::error_code error;
  const auto space = std::filesystem::space(path_.parent_path(), error);
  if (!error && space.available < limits_.least_free) return stop("less than 20 MiB are free");
  file_.reset(std::fopen(path_.c_str(), "ae"));
  if (!file_) return stop(std::error_code(errno, std::generic_category()).message());
  size_ = std::filesystem::file_size(path_, error);
  if (error) size_ = 0;
}

void CaptureFile::rotate() {
  file_.reset();
  std::error_code ignored;
  const auto numbered = [this](int number) { return std::filesystem::path(path_.string() + "." + std::to_string(number)); };
  if (limits_.backups == 0) {
    std::filesystem::remove(path_, ignored);
  } else {
    for (int number = limits_.backups - 1; number >= 1; --number) std::filesystem::rename(numbered(number), numbered(number + 1), ignored);
    std::filesystem::rename(path_, numbered(1), ignored);
  }
  open();
}

void CaptureFile::stop(const std::string& why) {
  stopped_ = true;
  file_.reset();
  spdlog::error("Capture of raw data to {} ends: {}", path_.string(), why);
}

std::filesystem::path capture_path(const std::filesystem::path& folder, std::string_view name) {
  return folder / "capture" / (file_name_of(name) + ".jsonl");
}

}  // namespace serialbattery::link
