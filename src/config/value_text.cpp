// How values, types and ranges are written for the user: values.hpp, second half.
#include <spdlog/fmt/fmt.h>

#include "config/text.hpp"
#include "config/values.hpp"

namespace serialbattery::config {

namespace {

std::string write(bool value) {
  return value ? "True" : "False";
}
std::string write(double value) {
  return fmt::format("{}", value);
}
std::string write(int value) {
  return fmt::format("{}", value);
}
std::string write(const std::string& value) {
  return value;
}

template <typename T>
std::string write(const std::optional<T>& value) {
  return value ? write(*value) : std::string();
}

template <typename T>
std::string write(const std::vector<T>& list) {
  std::vector<std::string> items;
  items.reserve(list.size());
  for (const T& item : list) items.push_back(write(item));
  return join(items, ", ");
}

constexpr std::string_view type_texts[] = {
    "True or False",  // in the order of Member
    "number",        "whole number", "number", "whole number", "text", "list of numbers", "list of whole numbers", "list of texts",
};
static_assert(std::size(type_texts) == std::variant_size_v<Member>);

bool is_whole(const Key& key) {
  return std::holds_alternative<int Config::*>(key.member) || std::holds_alternative<std::optional<int> Config::*>(key.member) ||
         std::holds_alternative<std::vector<int> Config::*>(key.member);
}

struct AllowedWriter {
  const Key& key;

  std::string operator()(std::monostate) const {
    if (key.rule == Rule::offset_slope) {
      return fmt::format("offset {} to {}, slope {} to {}", offset_range.low, offset_range.high, slope_range.low, slope_range.high);
    }
    return {};
  }
  std::string operator()(const Range& range) const {
    constexpr double few = 5;
    if (!is_whole(key) || range.high - range.low >= few) return fmt::format("{} to {}", range.low, range.high);
    std::vector<std::string> numbers;
    for (int n = static_cast<int>(range.low); n <= static_cast<int>(range.high); ++n) numbers.push_back(write(n));
    return join(numbers, ", ");
  }
  std::string operator()(const Either& either) const { return fmt::format("{} or {}", either.first, either.second); }
  std::string operator()(const Words& words) const { return join({words.words.begin(), words.words.end()}, ", "); }
};

}  // namespace

std::string to_text(const Value& value) {
  return std::visit([](const auto& typed) { return write(typed); }, value);
}

std::string allowed_text(const Key& key) {
  return std::visit(AllowedWriter{key}, key.allowed);
}

std::string_view type_text(const Key& key) {
  return type_texts[key.member.index()];
}

}  // namespace serialbattery::config
