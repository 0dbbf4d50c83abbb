#include "daemon/log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <climits>

namespace serialbattery::daemon {

namespace {

// Lines to a descriptor whose reader is never waited for. multilog stops reading while the disk is full; a program that waited with it
// would leave its last limits on the bus, and would not even hear SIGTERM. Lines for which there is no room are dropped and counted.
class UnhurriedSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit UnhurriedSink(int descriptor) : descriptor_(descriptor) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const bool told = lost_ == 0 || write(fmt::format("warning: {} lines of the log are lost: nobody took them\n", lost_));
    if (told) lost_ = 0;
    if (!told || !write({line.data(), line.size()})) ++lost_;
  }
  void flush_() override {}

 private:
  // A pipe that is ready takes PIPE_BUF bytes at once.
  [[nodiscard]] bool write(std::string_view line) const {
    pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
    if (line.size() <= PIPE_BUF) return ::write(descriptor_, line.data(), line.size()) >= 0;
    const std::string cut = std::string(line.substr(0, PIPE_BUF - 1)) + '\n';
    return ::write(descriptor_, cut.data(), cut.size()) >= 0;
  }

  int descriptor_;
  std::uint64_t lost_ = 0;
};

}  // namespace

void set_up_log(const std::string& level, int descriptor) {
  std::string wanted = level;
  std::ranges::transform(wanted, wanted.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<UnhurriedSink>(descriptor));
  logger->set_pattern("%^%l%$: %v");
  logger->set_level(wanted == "ERROR"     ? spdlog::level::err
                    : wanted == "WARNING" ? spdlog::level::warn
                    : wanted == "DEBUG"   ? spdlog::level::debug
                                          : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void FrameLog::sent(Bytes data) {
  if (spdlog::should_log(spdlog::level::debug)) spdlog::debug("{} > {}", port_, wire::to_hex(data));
}

void FrameLog::received(Bytes data) {
  if (spdlog::should_log(spdlog::level::debug)) spdlog::debug("{} < {}", port_, wire::to_hex(data));
}

std::string RepeatedFault::occurred(const std::string& what, TimePoint now) {
  if (failed_++ == 0) since_ = now;
  auto cause = std::ranges::find(causes_, what, &Cause::what);
  if (cause == causes_.end()) {
    std::erase_if(causes_, [now](const Cause& old) { return now - old.reported >= pause; });
    if (causes_.size() == most_causes) return {};
    causes_.push_back({what, now});
    told_ = true;
    return what;
  }
  ++cause->unreported;
  if (now - cause->reported < pause) return {};
  cause->reported = now;
  told_ = true;
  return fmt::format("{} (again, {} times since the last such line)", what, std::exchange(cause->unreported, 0U));
}

std::string RepeatedFault::recovered(TimePoint now) {
  const unsigned count = std::exchange(failed_, 0U);
  if (!std::exchange(told_, false)) return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since_).count();
  return fmt::format("reads again after {} failed {} in {} s", count, count == 1 ? "poll" : "polls", seconds);
}

}  // namespace serialbattery::daemon
