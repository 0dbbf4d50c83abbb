// Typed values: what a text means for a key (config.md 2.3 and the single-value checks of section 4), and how a value is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/issue.hpp"
#include "config/key_table.hpp"

namespace serialbattery::config {

struct Failure {
  Code code = Code::bad_value;
  std::string problem;
};

/// What became of a text.
struct Reading {
  std::optional<Value> value;     // nullopt: unusable, the built-in default has to stand in
  std::vector<Failure> failures;  // with a value: parts of the text were dropped
  bool comment_removed = false;   // the text was only readable without its inline comment
};

/// Adds the failure of one entry. Of a long list of bad entries the first few are enough.
void add_failure(std::vector<Failure>& failures, Failure failure);

/// Reads the text as a value of the key. Pure; BMS_TYPE names are not checked here.
Reading parse_value(const Key& key, std::string_view text);

/// The built-in default. The table's own texts are valid; a test proves it.
Value default_value(const Key& key);

/// A finite decimal number as config.md 2.3 allows it: no decimal comma, nan, inf, hexadecimal or unit.
/// A number that double can not hold becomes infinite.
std::optional<double> parse_number(std::string_view text);

/// As a user would write it in config.ini: "True", "3.45", "1, 2, 3", "" for an unset value.
std::string to_text(const Value& value);

/// "0.5 to 5", "1 or -1", "1, 2, 3": what the key allows; empty when there is no bound.
std::string allowed_text(const Key& key);

/// "whole number", "list of numbers", ...
std::string_view type_text(const Key& key);

}  // namespace serialbattery::config
