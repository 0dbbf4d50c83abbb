// What can be wrong with a configuration (config.md 3): one entry per finding, ready for the log.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
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
  bad_name,
};

/// A remark (class N) is only logged; an error (class E) shows as /State 10 and /ErrorCode 119 until the next start.
enum class Severity : std::uint8_t { remark, error };

struct CodeInfo {
  Code code;
  Severity severity;
  std::string_view text;
  std::string_view meaning;
};

/// In the order of Code.
inline constexpr CodeInfo all_codes[] = {
    {Code::unknown_section, Severity::error, "unknown-section", "A section other than [DEFAULT]. It is ignored."},
    {Code::unknown_key, Severity::error, "unknown-key", "There is no such key. It is ignored; the log names the successor of an old key."},
    {Code::wrong_case, Severity::error, "wrong-case", "A key that is not written in capital letters. Its value is used."},
    {Code::duplicate, Severity::error, "duplicate", "A key or an address stands there twice. The last key, the first address counts."},
    {Code::syntax, Severity::error, "syntax", "A line that is neither comment nor section nor key. It is ignored."},
    {Code::indented, Severity::remark, "indented", "A key line that is indented like a continuation. It is read as a key of its own."},
    {Code::inline_comment, Severity::remark, "inline-comment", "A comment behind a value. It is left out."},
    {Code::bad_number, Severity::error, "bad-number", "Not a number (a decimal comma, a unit), or not a whole number where one is needed."},
    {Code::bad_bool, Severity::error, "bad-bool", "Neither True nor False."},
    {Code::bad_list, Severity::error, "bad-list", "A list with an entry that can not be read, or with the wrong number of entries."},
    {Code::bad_value, Severity::error, "bad-value", "A text that is not one of the allowed ones."},
    {Code::empty, Severity::error, "empty", "The value is empty where it must not be."},
    {Code::out_of_range, Severity::error, "out-of-range", "A number outside of the allowed range."},
    {Code::length_mismatch, Severity::error, "length-mismatch", "The two lists of a curve have different lengths."},
    {Code::not_monotonic, Severity::error, "not-monotonic", "The points of a curve neither rise nor fall all the way."},
    {Code::fraction_range, Severity::error, "fraction-range", "A fraction of a curve is outside of 0 to 1."},
    {Code::reversed, Severity::error, "reversed", "A curve allows the full current at its dangerous end and less at the other."},
    {Code::no_full_fraction, Severity::error, "no-full-fraction", "No fraction of a curve is 1: the full current is never allowed."},
    {Code::top_below_max, Severity::error, "top-below-max",
     "The charge current is 0 below MAX_CELL_VOLTAGE: the battery never becomes full."},
    {Code::top_below_soc_reset, Severity::error, "top-below-soc-reset",
     "The charge current is 0 below SOC_RESET_CELL_VOLTAGE: the reset never happens."},
    {Code::bottom_above_min, Severity::error, "bottom-above-min", "The discharge current is 0 above MIN_CELL_VOLTAGE."},
    {Code::min_not_below_max, Severity::error, "min-not-below-max", "MIN_CELL_VOLTAGE is not below MAX_CELL_VOLTAGE."},
    {Code::above_max, Severity::error, "above-max", "A voltage above MAX_CELL_VOLTAGE. It is lowered to it."},
    {Code::below_min, Severity::error, "below-min",
     "A voltage below MIN_CELL_VOLTAGE. It is raised to it. Or the last LiPro address is below the first."},
    {Code::below_max, Severity::error, "below-max", "SOC_RESET_CELL_VOLTAGE is below MAX_CELL_VOLTAGE. It is raised to it."},
    {Code::needs_cvcm, Severity::error, "needs-cvcm", "SOC_RESET_AFTER_DAYS without CVCM_ENABLE. There is no periodic reset."},
    {Code::window_empty, Severity::error, "window-empty",
     "The window of BLOCK_ON_DISCONNECT_VOLTAGE_MIN and MAX is empty. BLOCK_ON_DISCONNECT is switched on."},
    {Code::conflict_external_soc, Severity::error, "conflict-external-soc",
     "SOC_CALCULATION together with an external state of charge. The external one wins."},
    {Code::bulk_return_unlikely, Severity::remark, "bulk-return-unlikely", "Both rules that end float are practically off."},
    {Code::bad_name, Severity::remark, "bad-name", "A name or a path that can not exist on D-Bus. There is no such sensor."},
};

static_assert(std::ranges::is_sorted(all_codes, {}, &CodeInfo::code) &&
              std::size(all_codes) == static_cast<std::size_t>(Code::bad_name) + 1);

constexpr const CodeInfo& info(Code code) {
  return all_codes[static_cast<std::size_t>(code)];
}
constexpr std::string_view to_text(Code code) {
  return info(code).text;
}
constexpr Severity severity_of(Code code) {
  return info(code).severity;
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
