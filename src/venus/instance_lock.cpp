#include "venus/instance_lock.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace serialbattery::venus {
namespace {

std::string first_line(const std::filesystem::path& file) {
  std::string line;
  std::getline(std::ifstream(file), line);
  return line;
}

}  // namespace

InstanceLock& InstanceLock::operator=(InstanceLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

InstanceLock::~InstanceLock() {
  if (file_ >= 0) ::close(file_);
}

std::filesystem::path InstanceLock::file_name(const std::filesystem::path& folder, int instance) {
  return folder / fmt::format("dbus-serialbattery_{}.pid", instance);
}

LockOutcome InstanceLock::acquire(const std::filesystem::path& folder, int instance, const std::string& bus_name) {
  const auto path = file_name(folder, instance);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return {LockOutcome::Kind::unavailable, std::nullopt, std::strerror(errno)};
  InstanceLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return {LockOutcome::Kind::held, std::nullopt, first_line(path)};
    return {LockOutcome::Kind::unavailable, std::nullopt, std::strerror(errno)};
  }
  const auto content = fmt::format("{}:{}\n", bus_name, ::getpid());
  if (::ftruncate(file, 0) != 0 || ::write(file, content.data(), content.size()) < 0) {
    return {LockOutcome::Kind::acquired, std::move(lock), std::strerror(errno)};  // the lock counts, the content only explains
  }
  return {LockOutcome::Kind::acquired, std::move(lock), {}};
}

bool InstanceLock::is_held(const std::filesystem::path& folder, int instance) {
  const int file = ::open(file_name(folder, instance).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const InstanceLock guard(file);
  return ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace serialbattery::venus
