#include "daemon/detection_cache.hpp"

#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <fstream>

namespace serialbattery::daemon {

namespace json = boost::json;

namespace {

std::string file_name(std::string_view port_name) {
  std::string name(port_name);
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return name + ".json";
}

}  // namespace

DetectionCache::DetectionCache(std::filesystem::path folder, std::string_view port_name)
    : file_(std::move(folder) / file_name(port_name)) {}

std::optional<Remembered> DetectionCache::load() const {
  try {
    std::ifstream stream(file_, std::ios::binary);
    std::string text(1024, '\0');  // far more than a good file holds
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
    if (text.empty()) return std::nullopt;
    const json::value document = json::parse(text);
    Remembered found;
    found.type = document.at("type").as_string();
    found.address = document.at("address").to_number<std::uint8_t>();
    found.line.baud = document.at("baud").to_number<unsigned>();
    const auto parity = document.at("parity").to_number<unsigned>();
    if (parity > static_cast<unsigned>(Parity::odd)) return std::nullopt;
    found.line.parity = static_cast<Parity>(parity);
    return found;
  } catch (const std::exception& error) {
    spdlog::info("{} is not readable ({}): all BMS types are tried", file_.string(), error.what());
    return std::nullopt;
  }
}

void DetectionCache::store(const Remembered& found) const {
  if (load() == found) return;
  const json::value document{
      {"type", found.type}, {"address", found.address}, {"baud", found.line.baud}, {"parity", static_cast<unsigned>(found.line.parity)}};
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  const std::filesystem::path fresh = file_.string() + ".new";
  {
    std::ofstream stream(fresh, std::ios::binary | std::ios::trunc);
    stream << json::serialize(document) << '\n';
    stream.close();
    if (!stream) {
      spdlog::info("{} can't be written: the next start tries all BMS types", fresh.string());
      std::filesystem::remove(fresh, error);
      return;
    }
  }
  std::filesystem::rename(fresh, file_, error);
  if (error) spdlog::info("{} can't be written ({})", file_.string(), error.message());
}

}  // namespace serialbattery::daemon
