// Runs the control vector files: scenarios, single polls and pure functions. Format: tests/vectors/control/README.md.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace serialbattery::test {

struct VectorResult {
  std::string id;
  std::vector<std::string> problems;  // empty: passed. Each says what was expected and what came
};

/// A JSON file. Throws std::runtime_error with the file's name.
[[nodiscard]] boost::json::object read_vector_file(const std::filesystem::path& file);

/// Runs every case of a file, whatever its kind. Throws std::runtime_error for an unknown kind.
[[nodiscard]] std::vector<VectorResult> run_control_vectors(const boost::json::object& file);

/// Differences of two values by the rules of the vectors; empty if they agree.
[[nodiscard]] std::string difference(std::string_view name, const boost::json::value& expected, const boost::json::value& got);

// One per kind.
[[nodiscard]] std::vector<VectorResult> run_scenarios(const boost::json::object& file);
[[nodiscard]] std::vector<VectorResult> run_single_polls(const boost::json::object& file);
[[nodiscard]] std::vector<VectorResult> run_pure_functions(const boost::json::object& file);
[[nodiscard]] std::vector<VectorResult> run_config_cases(const boost::json::object& file);
[[nodiscard]] std::vector<VectorResult> run_config_keys(const boost::json::object& file);

}  // namespace serialbattery::test
