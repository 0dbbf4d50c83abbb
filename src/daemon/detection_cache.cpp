#include "daemon/detection_cache.hpp"

#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <fstream>

#include "link/files.hpp"

namespace serialbattery::daemon {

namespace json = boost::json;

DetectionCache::DetectionCache(std::filesystem::path folder, std::string_view port_name)
    : file_(std::move(folder) / (link::file_name_of(port_name) + ".json")) {}

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
  if (const std::error_code error = link::replace_file(file_, json::serialize(document) + '\n'))
    spdlog::info("{} can't be written ({}): the next start tries all BMS types", file_.string(), error.message());
}

}  // namespace serialbattery::daemon
