#include "daemon/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>

namespace serialbattery::daemon {

void set_up_log(const std::string& level) {
  std::string wanted = level;
  std::ranges::transform(wanted, wanted.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stdout_sink_st>());
  logger->set_pattern("%^%l%$: %v");
  logger->set_level(wanted == "ERROR"     ? spdlog::level::err
                    : wanted == "WARNING" ? spdlog::level::warn
                    : wanted == "DEBUG"   ? spdlog::level::debug
                                          : spdlog::level::info);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void FrameLog::sent(Bytes data) {
  if (spdlog::should_log(spdlog::level::debug)) spdlog::debug("{} > {}", port_, wire::to_hex(data));
}

void FrameLog::received(Bytes data) {
  if (spdlog::should_log(spdlog::level::debug)) spdlog::debug("{} < {}", port_, wire::to_hex(data));
}

std::string RepeatedFault::occurred(const std::string& what, TimePoint now) {
  if (total_ == 0) since_ = now;
  ++total_;
  if (what != cause_) {
    cause_ = what;
    unreported_ = 0;
    reported_ = now;
    return what;
  }
  ++unreported_;
  if (now - reported_ < pause) return {};
  reported_ = now;
  return fmt::format("{} (again, {} times in the last minute)", what, std::exchange(unreported_, 0U));
}

std::string RepeatedFault::recovered(TimePoint now) {
  if (total_ == 0) return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since_).count();
  const unsigned count = std::exchange(total_, 0U);
  cause_.clear();
  unreported_ = 0;
  return fmt::format("reads again after {} failed {} in {} s", count, count == 1 ? "poll" : "polls", seconds);
}

}  // namespace serialbattery::daemon
