// A value of an item on the bus: the types that Victron's services use, and how they are encoded, rounded and shown.
//
// "Invalid" (unknown, not provided) is std::monostate here and an empty array of int32 on the wire: spec dbus-interface.md 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sdbus {
class Message;
}

namespace serialbattery::venus {

/// An owned value. Integers travel as `i` (as `x` only if they do not fit), reals as `d`, texts as `s`.
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// The same without ownership of the text, for comparing and handing over.
using ValueView = std::variant<std::monostate, std::int64_t, double, std::string_view>;

/// The D-Bus type of an item; it never changes during the life of a service.
enum class Type : std::uint8_t { integer, real, text };

/// How a number is shown by GetText: fixed decimals and a unit glued on, or hexadecimal, or plain.
struct TextFormat {
  enum class Style : std::uint8_t { plain, fixed, hex };
  Style style = Style::plain;
  std::uint8_t decimals = 0;
  const char* unit = "";
};

constexpr TextFormat plain_text{};
constexpr TextFormat hex_text{TextFormat::Style::hex, 0, ""};
constexpr TextFormat fixed_text(std::uint8_t decimals, const char* unit) {
  return {TextFormat::Style::fixed, decimals, unit};
}

[[nodiscard]] bool is_valid(const Value& value);
[[nodiscard]] ValueView view(const Value& value);
[[nodiscard]] Value own(const ValueView& value);
[[nodiscard]] bool equal(const Value& a, const ValueView& b);

/// The nearest number with that many decimals, decided on the exact binary value, ties to even ("print and read back");
/// never -0. nullopt for NaN and infinities.
[[nodiscard]] std::optional<double> rounded(double number, int decimals);

/// The shortest decimal that reads back to the same number, always with a point or an exponent: "3.0", "13.28", "1e-05".
[[nodiscard]] std::string plain_number(double number);

/// What GetText answers; "---" when invalid.
[[nodiscard]] std::string text_of(const Value& value, const TextFormat& format);

/// The number in a value, or in a text that parses completely; nullopt when there is none or it is not finite.
[[nodiscard]] std::optional<double> as_number(const Value& value);

/// `value` as a value of `type`: numbers from every numeric type and from texts that parse completely; integers truncate.
/// nullopt when there is no sensible conversion; invalid never converts.
[[nodiscard]] std::optional<Value> converted(const Value& value, Type type);

/// Valid UTF-8 without NUL: anything else would cost the connection. Bad bytes become U+FFFD.
[[nodiscard]] bool is_clean_text(std::string_view text);
[[nodiscard]] std::string cleaned_text(std::string_view text);

/// Appends a variant.
void write_variant(sdbus::Message& message, const Value& value);
/// Takes a variant of any type; whatever is no number, flag or text counts as invalid.
[[nodiscard]] Value read_variant(sdbus::Message& message);
/// Takes an a{sv}, in the order of the message.
[[nodiscard]] std::vector<std::pair<std::string, Value>> read_dict(sdbus::Message& message);

}  // namespace serialbattery::venus
