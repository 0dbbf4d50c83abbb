// run-control: the controllers on a virtual clock, without a BMS and without D-Bus.
//
//   run-control FILE...                    runs control vector files, prints every failure
//   run-control --stream [--set KEY=VALUE]...
//       one reading (JSON object) per line of standard input -> one line of limits (JSON object) on standard output
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "support/config_text.hpp"
#include "support/control_stream.hpp"
#include "support/control_vectors.hpp"

namespace {

using namespace serialbattery;

int run_files(const std::vector<std::string>& files) {
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const auto& file : files) {
    std::vector<test::VectorResult> results;
    try {
      results = test::run_control_vectors(test::read_vector_file(file));
    } catch (const std::exception& error) {
      results = {{file, {error.what()}}};
    }
    for (const auto& result : results) {
      (result.problems.empty() ? passed : failed) += 1;
      std::cout << (result.problems.empty() ? "ok   " : "FAIL ") << file << ": " << result.id << '\n';
      for (const auto& problem : result.problems) std::cout << "       " << problem << '\n';
    }
  }
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

int run_stream(const std::vector<std::string>& settings) {
  boost::json::object changes;
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      std::cerr << "--set " << setting << ": KEY=VALUE expected\n";
      return 2;
    }
    changes[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const Config config = test::config_from(changes);
  for (const auto& line : config.issue_lines) std::cerr << line << '\n';
  test::ControlStream stream(config);
  for (std::string line; std::getline(std::cin, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::cout << stream.answer(line) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Charge, discharge and state-of-charge control on a virtual clock"};
  std::vector<std::string> files;
  std::vector<std::string> settings;
  bool stream = false;
  app.add_option("FILE", files, "control vector files")->check(CLI::ExistingFile);
  app.add_flag("--stream", stream, "readings from standard input, limits to standard output, one JSON object per line");
  app.add_option("--set", settings, "KEY=VALUE as in config.ini (with --stream)")->take_all()->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  spdlog::set_level(spdlog::level::off);
  if (stream) return run_stream(settings);
  if (files.empty()) {
    std::cerr << app.help();
    return 2;
  }
  return run_files(files);
}
