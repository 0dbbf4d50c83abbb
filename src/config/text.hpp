// Small pure helpers for text, and the decoding of a file's bytes (config.md 2.2: encoding, size).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serialbattery::config {

/// ASCII blanks, independent of the locale. A line feed is one: it joins continuation lines.
constexpr bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// ASCII only.
std::string upper_case(std::string_view text);
bool equal_without_case(std::string_view a, std::string_view b);

std::string_view trim(std::string_view text);

/// Pieces between separators, trimmed; empty ones are dropped.
std::vector<std::string_view> split_items(std::string_view text, char separator);

/// "a, b, c"
std::string join(const std::vector<std::string>& items, std::string_view separator);

/// UTF-8 without byte order mark. Bytes that are not UTF-8 are read as Latin-1; a zero byte becomes the replacement character,
/// so that a text never ends early in an interface of C.
std::string decode(std::string_view bytes);

/// For one line of a log: control characters replaced, at most `limit` bytes (cut between characters, marked by dots).
std::string printable(std::string_view text, std::size_t limit = 120);

}  // namespace serialbattery::config
