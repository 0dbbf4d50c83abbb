// generate-docs: prints a generated file. Each sub-command is one file of the repository; tests keep the committed ones equal.
//
//   generate-docs default-ini      > config/config.default.ini
//   generate-docs config-reference > docs/configuration.md
//   generate-docs dbus-paths       > docs/dbus-paths.md
//   generate-docs recognition      > docs/recognition.md
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <string>

#include "config/generate.hpp"
#include "support/recognition.hpp"
#include "venus/path_table.hpp"

namespace {

struct Document {
  std::string name;
  std::string description;
  std::function<std::string()> generate;
};

const Document documents[] = {
    {"default-ini", "config/config.default.ini, from the key table", serialbattery::config::default_ini},
    {"config-reference", "docs/configuration.md, from the key table", serialbattery::config::config_reference},
    {"dbus-paths", "docs/dbus-paths.md, from the path table", serialbattery::venus::path_reference},
    {"recognition", "docs/recognition.md, from the simulated devices and the drivers' probes", serialbattery::test::recognition_document},
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Prints a file that is generated from the tables of the program.", "generate-docs");
  app.require_subcommand(1);
  spdlog::set_level(spdlog::level::off);  // what probes have to say about the devices
  for (const Document& document : documents) {
    app.add_subcommand(document.name, document.description)->callback([&document] { std::cout << document.generate(); });
  }
  CLI11_PARSE(app, argc, argv);
  return 0;
}
