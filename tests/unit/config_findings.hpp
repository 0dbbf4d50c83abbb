// Short forms for tests of the configuration loader.
#pragma once

#include <string>
#include <vector>

#include "config/loader.hpp"

namespace serialbattery::config {

/// The text as the user's config.ini.
inline Loaded load_text(const std::string& text, std::span<const std::string_view> built_types = {}) {
  const Source source{"config.ini", text};
  return load(std::span(&source, 1), built_types);
}

/// "KEY code class" of each issue, in the order of the log.
inline std::vector<std::string> findings(const Loaded& loaded) {
  std::vector<std::string> texts;
  for (const Issue& issue : loaded.issues) {
    const std::string severity = severity_of(issue.code) == Severity::error ? " E" : " N";
    texts.push_back(issue.key + " " + std::string(to_text(issue.code)) + severity);
  }
  return texts;
}

inline std::vector<std::string> findings(const std::string& text) {
  return findings(load_text(text));
}

}  // namespace serialbattery::config
