// Configurations for tests.
#include "support/config_text.hpp"

#include <array>
#include <boost/json.hpp>

#include "config/loader.hpp"

namespace serialbattery::test {

Config config_from(const boost::json::object& changes) {
  std::string text = "[DEFAULT]\n";
  for (const auto& [key, value] : changes) {
    text.append(key).append(" = ");
    text.append(value.is_string() ? std::string_view(value.as_string()) : std::string_view(boost::json::serialize(value))).append("\n");
  }
  const std::array sources{config::Source{.name = "config.ini", .text = std::move(text)}};
  return config::load(sources).config;
}

}  // namespace serialbattery::test
