// Named properties: what a test, the control channel or a user may read and set in a simulated device.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "serialbattery/clock.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::simulator {

/// No such property, or a value that it cannot take; what() is for the user.
class PropertyError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Allowed values of a number, both ends included.
struct Range {
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
};

/// The name of one bit of a word.
struct NamedBit {
  unsigned bit;
  std::string_view name;
};

/// Numbers are decimal or 0x..; flags are on/off (also true/false, 1/0); bytes are hex.
double parse_number(std::string_view text);
bool parse_flag(std::string_view text);

/// A table of references to a device's state; it must not outlive the device.
class Properties {
 public:
  using Get = std::function<std::string()>;
  using Set = std::function<void(std::string_view)>;

  void add(std::string name, Get get, Set set);
  void flag(std::string name, bool& value);
  void text(std::string name, std::string& value, std::size_t longest);
  void bytes(std::string name, ByteVector& value);
  void milliseconds(std::string name, Duration& value);
  /// "auto" stands for nullopt.
  void automatic(std::string name, std::optional<double>& value, Range range = {});
  /// `stem1`, `stem2`, ... are the elements; `stem` alone sets all of them and reads as a list with commas.
  void list(std::string stem, std::vector<double>& values, Range range = {});

  /// Rounds to the type of `value`, whose own limits apply too.
  template <typename T>
  requires(std::integral<T> || std::floating_point<T>) &&
      (!std::same_as<T, bool>)void number(std::string name, T& value, Range range = {}) {
    if constexpr (std::integral<T>) {
      range.min = std::max(range.min, static_cast<double>(std::numeric_limits<T>::min()));
      range.max = std::min(range.max, static_cast<double>(std::numeric_limits<T>::max()));
    }
    number_access(
        std::move(name), [&value] { return static_cast<double>(value); },
        [&value](double next) { value = static_cast<T>(std::integral<T> ? std::round(next) : next); }, range);
  }

  /// The whole word as `word_name`, and each named bit as a flag `word_name.bit_name`.
  template <std::unsigned_integral T>
  void bits(const std::string& word_name, T& word, std::span<const NamedBit> names) {
    number(word_name, word);
    for (const NamedBit& entry : names) {
      const T mask = static_cast<T>(T{1} << entry.bit);
      flag_access(
          word_name + "." + std::string(entry.name), [&word, mask] { return (word & mask) != 0; },
          [&word, mask](bool on) { word = static_cast<T>(on ? word | mask : word & ~mask); });
    }
  }

  /// Throw PropertyError.
  void set(std::string_view name, std::string_view value);
  [[nodiscard]] std::string get(std::string_view name) const;

  [[nodiscard]] bool contains(std::string_view name) const;
  /// Sorted; lists stand with their stem.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Access {
    Get get;
    Set set;
  };
  struct List {
    std::vector<double>* values;
    Range range;
  };
  struct Element {
    std::string_view stem;
    double* value;
    Range range;
  };
  void number_access(std::string name, std::function<double()> get, std::function<void(double)> set, Range range);
  void flag_access(std::string name, std::function<bool()> get, std::function<void(bool)> set);
  [[nodiscard]] std::optional<Element> element(std::string_view name) const;

  std::map<std::string, Access, std::less<>> entries_;
  std::map<std::string, List, std::less<>> lists_;
};

}  // namespace serialbattery::simulator
