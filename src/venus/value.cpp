// Encoding, rounding and texts of bus values.
#include "venus/value.hpp"

#include <sdbus-c++/Message.h>
#include <sdbus-c++/Types.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "model/utf8.hpp"

namespace serialbattery::venus {
namespace {

constexpr std::string_view invalid_text = "---";

std::string fixed(double number, int decimals) {
  std::array<char, 352> buffer;  // the largest double has 309 digits before the point
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed, decimals);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

std::optional<double> parse_real(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> to_integer(double number) {
  constexpr double limit = 9.0e18;
  if (!std::isfinite(number) || std::abs(number) > limit) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

/// Length of the character at the start of `text` that may go onto the bus; 0 if there is none.
std::size_t clean_length(std::string_view text) {
  return text.front() == '\0' ? 0 : utf8_length(text);
}

template <typename T>
T take(sdbus::Message& message, const std::string& signature) {
  T value{};
  message.enterVariant(signature);
  message >> value;
  message.exitVariant();
  return value;
}

}  // namespace

bool is_valid(const Value& value) {
  return !std::holds_alternative<std::monostate>(value);
}

ValueView view(const Value& value) {
  return std::visit([](const auto& held) -> ValueView { return held; }, value);
}

Value own(const ValueView& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::monostate{};
}

bool equal(const Value& a, const ValueView& b) {
  return view(a) == b;
}

std::optional<double> rounded(double number, int decimals) {
  if (!std::isfinite(number)) return std::nullopt;
  std::array<char, 352> buffer;
  const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed, decimals);
  double result = 0;
  std::from_chars(buffer.data(), printed.ptr, result);
  return result == 0 ? 0.0 : result;  // drops the sign of -0
}

std::string plain_number(double number) {
  std::array<char, 64> buffer;
  const double size = std::abs(number);
  const bool readable = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = readable ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format).ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string text_of(const Value& value, const TextFormat& format) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) {
    return format.style == TextFormat::Style::fixed ? fixed(*number, format.decimals) + format.unit : plain_number(*number);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return format.style == TextFormat::Style::hex ? fmt::format("0x{:X}", *number) : std::to_string(*number) + format.unit;
  }
  return std::string(invalid_text);
}

std::optional<double> as_number(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return std::isfinite(*real) ? std::optional(*real) : std::nullopt;
  if (const auto* text = std::get_if<std::string>(&value)) return parse_real(*text);
  return std::nullopt;
}

std::optional<Value> converted(const Value& value, Type type) {
  if (!is_valid(value)) return std::nullopt;
  const auto* text = std::get_if<std::string>(&value);
  const auto* real = std::get_if<double>(&value);
  const auto* integer = std::get_if<std::int64_t>(&value);
  switch (type) {
    case Type::text:
      if (text == nullptr || !is_clean_text(*text)) return std::nullopt;
      return *text;
    case Type::integer: {
      const auto number = integer != nullptr ? std::optional(*integer) : real != nullptr ? to_integer(*real) : parse_integer(*text);
      return number ? std::optional<Value>(*number) : std::nullopt;
    }
    case Type::real: {
      const auto number = as_number(value);
      return number ? std::optional<Value>(*number) : std::nullopt;
    }
  }
  return std::nullopt;
}

bool is_clean_text(std::string_view text) {
  while (!text.empty()) {
    const auto length = clean_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string cleaned_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto length = clean_length(text);
    clean += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

void write_variant(sdbus::Message& message, const Value& value) {
  const auto put = [&](const char* signature, const auto& content) {
    message.openVariant(signature);
    message << content;
    message.closeVariant();
  };
  if (const auto* text = std::get_if<std::string>(&value)) {
    put("s", *text);
  } else if (const auto* real = std::get_if<double>(&value)) {
    put("d", *real);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (std::in_range<std::int32_t>(*integer)) {
      put("i", static_cast<std::int32_t>(*integer));
    } else {
      put("x", *integer);
    }
  } else {
    message.openVariant("ai");
    message.openContainer("i");
    message.closeContainer();
    message.closeVariant();
  }
}

Value read_variant(sdbus::Message& message) {
  std::string type;
  std::string contents;
  message.peekType(type, contents);
  if (contents.size() == 1) {
    switch (contents[0]) {
      case 'y': return std::int64_t{take<std::uint8_t>(message, contents)};
      case 'b': return std::int64_t{take<bool>(message, contents) ? 1 : 0};
      case 'n': return std::int64_t{take<std::int16_t>(message, contents)};
      case 'q': return std::int64_t{take<std::uint16_t>(message, contents)};
      case 'i': return std::int64_t{take<std::int32_t>(message, contents)};
      case 'u': return std::int64_t{take<std::uint32_t>(message, contents)};
      case 'x': return take<std::int64_t>(message, contents);
      case 't': {
        const auto number = take<std::uint64_t>(message, contents);
        if (std::in_range<std::int64_t>(number)) return static_cast<std::int64_t>(number);
        return static_cast<double>(number);
      }
      case 'd': return take<double>(message, contents);
      case 's': return take<std::string>(message, contents);
      default: break;
    }
  }
  sdbus::Variant ignored;
  message >> ignored;
  return std::monostate{};
}

std::vector<std::pair<std::string, Value>> read_dict(sdbus::Message& message) {
  std::vector<std::pair<std::string, Value>> dict;
  message.enterContainer("{sv}");
  while (message.enterDictEntry("sv")) {
    std::string key;
    message >> key;
    auto value = read_variant(message);
    dict.emplace_back(std::move(key), std::move(value));
    message.exitDictEntry();
  }
  message.clearFlags();
  message.exitContainer();
  return dict;
}

}  // namespace serialbattery::venus
