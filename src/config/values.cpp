#include "config/values.hpp"

#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "config/items.hpp"
#include "config/text.hpp"

namespace serialbattery::config {

namespace {

/// Digits with optional sign, point and (if `exponent` is allowed) exponent; at least one digit before the exponent.
enum class Exponent { allowed, forbidden };

bool looks_like_number(std::string_view text, Exponent exponent) {
  const auto skip_digits = [&text] {
    std::size_t count = 0;
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) ++count;
    return count;
  };
  const auto skip_sign = [&text] {
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  };
  skip_sign();
  std::size_t digits = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (exponent == Exponent::allowed && (text.starts_with('e') || text.starts_with('E'))) {
    text.remove_prefix(1);
    skip_sign();
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

/// Of a text that looks like a number. What double can not hold becomes infinite, and so lies outside every range.
double convert(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::numeric_limits<double>::infinity();
  return value + 0.0;  // no negative zero
}

std::optional<double> parse_whole_number(std::string_view text) {
  if (!looks_like_number(text, Exponent::forbidden)) return std::nullopt;
  const std::size_t point = text.find('.');
  if (point != std::string_view::npos && text.find_first_not_of('0', point + 1) != std::string_view::npos) return std::nullopt;
  return convert(text);
}

template <typename T>
std::optional<double> parse_as(std::string_view text) {
  if constexpr (std::is_same_v<T, int>)
    return parse_whole_number(text);
  else
    return parse_number(text);
}

template <typename T>
constexpr std::string_view number_words = std::is_same_v<T, int> ? "whole number" : "number";

/// "0.5 to 5 V/cell"; empty when everything is allowed.
std::string bounds_text(const Key& key) {
  std::string text = allowed_text(key);
  if (!text.empty() && !key.unit.empty()) text += fmt::format(" {}", key.unit);
  return text;
}

/// nullopt: allowed.
std::optional<Failure> outside(const Key& key, double number) {
  bool inside = true;
  if (const auto* range = std::get_if<Range>(&key.allowed)) inside = number >= range->low && number <= range->high;
  if (const auto* either = std::get_if<Either>(&key.allowed)) inside = number == either->first || number == either->second;
  if (inside) return std::nullopt;
  return Failure{Code::out_of_range, fmt::format("outside of {}", bounds_text(key))};
}

Reading failed(Code code, std::string problem) {
  return {.value = std::nullopt, .failures = {{code, std::move(problem)}}};
}

template <typename T>
Reading read_number(const Key& key, std::string_view text) {
  const auto number = parse_as<T>(text);
  if (!number) return failed(Code::bad_number, fmt::format("not a {}", number_words<T>));
  if (const auto failure = outside(key, *number)) return {.value = std::nullopt, .failures = {*failure}};
  return {.value = static_cast<T>(*number), .failures = {}};
}

// What a key's text means, one overload for each type of Member.

Reading read(const Key&, std::string_view text, bool Config::*) {
  if (equal_without_case(text, "true")) return {.value = true, .failures = {}};
  if (equal_without_case(text, "false")) return {.value = false, .failures = {}};
  return failed(Code::bad_bool, "only True and False are understood");
}

template <typename T>
Reading read(const Key& key, std::string_view text, T Config::*) {
  return read_number<T>(key, text);
}

template <typename T>
Reading read(const Key& key, std::string_view text, std::optional<T> Config::*) {
  if (text.empty()) return {.value = std::optional<T>(), .failures = {}};
  Reading reading = read_number<T>(key, text);
  if (reading.value) reading.value = std::optional<T>(std::get<T>(*reading.value));
  return reading;
}

Reading read(const Key& key, std::string_view text, std::string Config::*) {
  if (key.rule == Rule::bluetooth_pairs) return read_bluetooth_pairs(text);
  if (const auto* words = std::get_if<Words>(&key.allowed)) {
    const bool known = std::ranges::any_of(words->words, [text](std::string_view word) { return equal_without_case(word, text); });
    if (!known) return failed(Code::bad_value, fmt::format("not one of {}", allowed_text(key)));
  }
  return {.value = std::string(text), .failures = {}};
}

template <typename T>
Reading read(const Key& key, std::string_view text, std::vector<T> Config::*) {
  std::vector<T> list;
  std::vector<Failure> dropped;
  for (const std::string_view item : split_items(text, ',')) {
    const auto number = parse_as<T>(item);
    if (!number || !std::isfinite(*number)) {
      return failed(Code::bad_list, fmt::format("'{}' is not a {}", printable(item, 40), number_words<T>));
    }
    // The fractions of a curve are judged with their points.
    const auto failure = key.rule == Rule::curve ? std::nullopt : outside(key, *number);
    if (failure && key.rule != Rule::drop_outside) return {.value = std::nullopt, .failures = {*failure}};
    if (failure) {
      add_failure(dropped, {failure->code, fmt::format("'{}' is {}", printable(item, 40), failure->problem)});
    } else {
      list.push_back(static_cast<T>(*number));
    }
  }
  if (list.empty() && dropped.empty() && !key.empty) return failed(Code::empty, "the list has no entry");
  if constexpr (std::is_same_v<T, double>) {
    if (key.rule == Rule::offset_slope) {
      if (auto failure = check_offset_slope(list)) return {.value = std::nullopt, .failures = {*failure}};
    }
  }
  return {.value = std::move(list), .failures = std::move(dropped)};
}

Reading read(const Key& key, std::string_view text, std::vector<std::string> Config::*) {
  if (key.rule == Rule::bus_addresses) return read_bus_addresses(text);
  const auto items = split_items(text, ',');
  return {.value = std::vector<std::string>(items.begin(), items.end()), .failures = {}};
}

Reading read_text(const Key& key, std::string_view text) {
  if (text.empty() && key.empty) text = key.empty->reads_as;
  // An empty boolean is no boolean; every other type says that the value is empty.
  else if (text.empty() && !std::holds_alternative<bool Config::*>(key.member))
    return failed(Code::empty, "the value is empty");
  return std::visit([&](auto member) { return read(key, text, member); }, key.member);
}

/// Who wrote no number, or nothing, learns what is allowed.
void add_bounds(const Key& key, std::vector<Failure>& failures) {
  const std::string bounds = bounds_text(key);
  if (bounds.empty()) return;
  for (Failure& failure : failures) {
    if (failure.code == Code::bad_number || failure.code == Code::bad_list || failure.code == Code::empty)
      failure.problem += fmt::format(", allowed is {}", bounds);
  }
}

/// Each line ends at the first comment sign that follows a blank (or begins the line).
std::string without_comments(std::string_view text) {
  std::string result;
  char before = ' ';
  bool comment = false;
  for (const char c : text) {
    comment = c != '\n' && (comment || ((c == ';' || c == '#') && is_blank(before)));
    if (!comment) result += c;
    before = c;
  }
  return std::string(trim(result));
}

bool may_have_comment(const Key& key) {
  const bool is_text = std::holds_alternative<std::string Config::*>(key.member);
  const bool is_text_list = std::holds_alternative<std::vector<std::string> Config::*>(key.member);
  return !is_text && (!is_text_list || key.rule != Rule::none);
}

}  // namespace

void add_failure(std::vector<Failure>& failures, Failure failure) {
  constexpr std::size_t enough = 10;
  if (failures.size() < enough) failures.push_back(std::move(failure));
}

Reading parse_value(const Key& key, std::string_view text) {
  Reading reading = read_text(key, text);
  add_bounds(key, reading.failures);
  // Names of BMS types are judged later, by who knows the types; none contains a comment sign.
  const bool readable = reading.failures.empty() && key.rule != Rule::bms_types;
  if (readable || !may_have_comment(key)) return reading;
  const std::string shorter = without_comments(text);
  if (shorter == text) return reading;
  Reading second = read_text(key, shorter);
  if (!second.failures.empty()) return reading;
  second.comment_removed = true;
  return second;
}

Value default_value(const Key& key) {
  return parse_value(key, key.default_text).value.value();
}

std::optional<double> parse_number(std::string_view text) {
  if (!looks_like_number(text, Exponent::allowed)) return std::nullopt;
  return convert(text);
}

}  // namespace serialbattery::config
