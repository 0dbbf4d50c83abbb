// One configuration file, taken apart into key lines (config.md 2.2).
//
// inih splits each key line into name and value. What its grammar can not express is done in front of it: the byte order mark and
// Latin-1 text, text values that contain ';', lines of any length, continuation by deeper indentation (inih takes any), an indented line
// that is a key of its own, sections without keys, several findings per file, line numbers. So inih is fed with logical lines only:
// "KEY = value", one each, without comments, sections and indentation.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/issue.hpp"

namespace serialbattery::config {

/// A key line of section [DEFAULT].
struct Entry {
  int line = 0;
  std::string key;        // as written, not empty
  std::string value;      // as written; lines of a continued value are joined with line feeds
  bool indented = false;  // stands below a key line as if it continued it
};

/// A line that is no key line.
struct Defect {
  int line = 0;
  std::string text;  // the section's name, or the line
  Code code = Code::syntax;
  std::string problem;
};

struct IniFile {
  std::vector<Entry> entries;
  std::vector<Defect> defects;
  std::optional<int> line_before_section;  // first key line that stands before any section: nothing of the file may be used
};

inline constexpr std::size_t max_file_size = std::size_t{1024} * 1024;

IniFile read_ini(std::string_view bytes);

}  // namespace serialbattery::config
