#include "config/text.hpp"

#include <algorithm>
#include <cstdint>

#include "model/utf8.hpp"

namespace serialbattery::config {

namespace {

constexpr char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

constexpr std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

}  // namespace

std::string upper_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_upper);
  return result;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_upper(x) == to_upper(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split_items(std::string_view text, char separator) {
  std::vector<std::string_view> items;
  while (true) {
    const std::size_t end = text.find(separator);
    const std::string_view item = trim(text.substr(0, end));
    if (!item.empty()) items.push_back(item);
    if (end == std::string_view::npos) return items;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& items, std::string_view separator) {
  std::string result;
  for (const std::string& item : items) {
    if (!result.empty()) result += separator;
    result += item;
  }
  return result;
}

std::string decode(std::string_view bytes) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    if (const std::size_t length = utf8_length(bytes.substr(i)); bytes[i] == '\0') {
      text += replacement;
      i += 1;
    } else if (length > 0) {
      text += bytes.substr(i, length);
      i += length;
    } else {
      const std::uint8_t latin1 = byte_at(bytes, i);
      text += static_cast<char>(0xC0 | (latin1 >> 6));
      text += static_cast<char>(0x80 | (latin1 & 0x3F));
      i += 1;
    }
  }
  return text;
}

std::string printable(std::string_view text, std::size_t limit) {
  constexpr std::string_view dots = "...";
  const bool cut = text.size() > limit;
  if (cut) {
    std::size_t end = limit - dots.size();
    while (end > 0 && (byte_at(text, end) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  std::string result(text);
  std::ranges::replace_if(
      result, [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F; }, ' ');
  if (cut) result += dots;
  return result;
}

}  // namespace serialbattery::config
