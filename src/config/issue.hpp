// What can be wrong with a configuration (config.md 3): one entry per finding, ready for the log.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "serialbattery/config.hpp"

namespace serialbattery::config {

/// Codes of config.md 3.6. Their texts are part of the interface: the log and /Info/ChargeModeDebug show them.
enum class Code : std::uint8_t {
  unknown_section,
  unknown_key,
  wrong_case,
  duplicate,
  syntax,
  indented,
  inline_comment,
  bad_number,
  bad_bool,
  bad_list,
  bad_value,
  empty,
  out_of_range,
  length_mismatch,
  not_monotonic,
  fraction_range,
  reversed,
  no_full_fraction,
  top_below_max,
  top_below_soc_reset,
  bottom_above_min,
  min_not_below_max,
  above_max,
  below_min,
  below_max,
  needs_cvcm,
  window_empty,
  conflict_external_soc,
  bulk_return_unlikely,
};

/// In the order of Code.
inline constexpr std::array<std::string_view, 29> code_texts = {
    "unknown-section",
    "unknown-key",
    "wrong-case",
    "duplicate",
    "syntax",
    "indented",
    "inline-comment",
    "bad-number",
    "bad-bool",
    "bad-list",
    "bad-value",
    "empty",
    "out-of-range",
    "length-mismatch",
    "not-monotonic",
    "fraction-range",
    "reversed",
    "no-full-fraction",
    "top-below-max",
    "top-below-soc-reset",
    "bottom-above-min",
    "min-not-below-max",
    "above-max",
    "below-min",
    "below-max",
    "needs-cvcm",
    "window-empty",
    "conflict-external-soc",
    "bulk-return-unlikely",
};
static_assert(code_texts.size() == static_cast<std::size_t>(Code::bulk_return_unlikely) + 1);

constexpr std::string_view to_text(Code code) {
  return code_texts[static_cast<std::size_t>(code)];
}

/// A remark (class N) is only logged; an error (class E) shows as /State 10 and /ErrorCode 119 until the next start.
enum class Severity : std::uint8_t { remark, error };

constexpr Severity severity_of(Code code) {
  return code == Code::indented || code == Code::inline_comment || code == Code::bulk_return_unlikely ? Severity::remark : Severity::error;
}

/// A place in a file. Line 0: the file as a whole, or (with an empty file name) the built-in table.
struct Place {
  std::string file;
  int line = 0;
  bool operator==(const Place&) const = default;
};

struct Issue {
  Place place;
  std::string key;    // or the section, or the text of a line that is no key line
  std::string value;  // as written; secrets are masked
  Code code = Code::syntax;
  Blocked blocked;          // directions that this issue blocks (class B)
  std::string problem;      // what is wrong
  std::string consequence;  // what the driver does about it
  std::string replacement;  // successor of an old key
  bool operator==(const Issue&) const = default;
};

}  // namespace serialbattery::config
