#include "model/dbus_names.hpp"

#include <algorithm>

namespace serialbattery {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_word_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Is there something between all separators, and all of it allowed?
bool are_elements(std::string_view text, char separator, bool (*allowed)(char)) {
  const auto twice = [separator](char a, char b) { return a == separator && b == separator; };
  return !text.empty() && text.front() != separator && text.back() != separator && std::ranges::adjacent_find(text, twice) == text.end() &&
         std::ranges::all_of(text, [&](char c) { return c == separator || allowed(c); });
}

}  // namespace

bool is_bus_name(std::string_view text) {
  constexpr std::size_t longest = 255;
  const auto digit_first = [](char a, char b) { return a == '.' && is_digit(b); };
  return text.size() <= longest && text.find('.') != std::string_view::npos && !is_digit(text.front()) &&
         std::ranges::adjacent_find(text, digit_first) == text.end() &&
         are_elements(text, '.', [](char c) { return is_word_char(c) || c == '-'; });
}

bool is_item_path(std::string_view text) {
  return text.starts_with('/') && are_elements(text.substr(1), '/', is_word_char);
}

}  // namespace serialbattery
