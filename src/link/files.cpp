#include "link/files.hpp"

#include <fcntl.h>

#include <cerrno>

#include "link/file.hpp"

namespace serialbattery::link {

namespace {

std::error_code write_new(const std::filesystem::path& file, std::string_view content) {
  const File out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const ssize_t written = out.is_open() ? ::write(out.get(), content.data(), content.size()) : -1;
  if (written < 0) return {errno, std::generic_category()};
  if (static_cast<std::size_t>(written) < content.size()) return std::make_error_code(std::errc::no_space_on_device);
  return {};
}

}  // namespace

std::error_code replace_file(const std::filesystem::path& file, std::string_view content) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) return error;
  const std::filesystem::path fresh = file.string() + ".new";
  error = write_new(fresh, content);
  if (!error) std::filesystem::rename(fresh, file, error);
  if (error) {
    std::error_code ignored;
    std::filesystem::remove(fresh, ignored);
  }
  return error;
}

std::string file_name_of(std::string_view port_name) {
  std::string name(port_name);
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  return name;
}

}  // namespace serialbattery::link
