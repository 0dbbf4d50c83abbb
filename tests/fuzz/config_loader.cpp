// Any bytes as config.ini: the loader returns a complete configuration whose invariants hold, and everything made of it can be printed.
#include <cstdio>
#include <cstdlib>

#include "config/report.hpp"
#include "support/config_invariants.hpp"

namespace config = serialbattery::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const config::Source source{"config.ini", std::string(reinterpret_cast<const char*>(data), size)};
  static constexpr std::string_view types[] = {"LltJbd", "Daly"};
  const config::Loaded loaded = config::load(std::span(&source, 1), types);
  if (const std::string broken = config::broken_invariant(loaded); !broken.empty()) {
    std::fprintf(stderr, "broken: %s\n", broken.c_str());
    std::abort();
  }
  const bool success = config::check_report(loaded).exit_status == 0;
  if (success == (loaded.fatal || loaded.config.has_errors)) std::abort();
  if (config::published_values(loaded.config).empty()) std::abort();
  return 0;
}
