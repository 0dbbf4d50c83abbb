// The thin part of the loader that touches files: loader.hpp, load_folder().
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "config/ini_file.hpp"
#include "config/loader.hpp"

namespace serialbattery::config {

namespace {

Source read_source(const std::filesystem::path& folder, const std::string& name, Layer layer) {
  Source source{.name = name, .text = {}, .layer = layer};
  const std::filesystem::path path = folder / name;
  std::error_code error;
  if (std::filesystem::status(path, error).type() == std::filesystem::file_type::not_found) return source;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  source.text.resize(max_file_size + 1);  // one byte more than allowed tells the loader that there is more
  file.read(source.text.data(), static_cast<std::streamsize>(source.text.size()));
  source.text.resize(static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad()) source.unreadable = errno != 0 ? std::strerror(errno) : "input error";
  return source;
}

}  // namespace

Loaded load_folder(const std::filesystem::path& folder, std::span<const std::string_view> built_types) {
  const Source sources[] = {read_source(folder, "config.default.ini", Layer::shipped), read_source(folder, "config.ini", Layer::user)};
  return load(sources, built_types);
}

}  // namespace serialbattery::config
