#include "simulator/properties.hpp"

#include <spdlog/fmt/fmt.h>

#include <charconv>

namespace serialbattery::simulator {

namespace {

double in_range(double value, Range range) {
  if (value >= range.min && value <= range.max) return value;
  throw PropertyError(fmt::format("{} is outside {} .. {}", value, range.min, range.max));
}

std::string show(double value) {
  return fmt::format("{}", value);
}

}  // namespace

double parse_number(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.starts_with("0x") || text.starts_with("0X")) {
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text.data() + 2, end, value, 16);
    if (error == std::errc{} && rest == end) return static_cast<double>(value);
  } else {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc{} && rest == end && std::isfinite(value)) return value;
  }
  throw PropertyError(fmt::format("'{}' is not a number", text));
}

bool parse_flag(std::string_view text) {
  if (text == "on" || text == "true" || text == "1") return true;
  if (text == "off" || text == "false" || text == "0") return false;
  throw PropertyError(fmt::format("'{}' is neither on nor off", text));
}

void Properties::add(std::string name, Get get, Set set) {
  entries_[std::move(name)] = {std::move(get), std::move(set)};
}

void Properties::flag(std::string name, bool& value) {
  flag_access(
      std::move(name), [&value] { return value; }, [&value](bool on) { value = on; });
}

void Properties::text(std::string name, std::string& value, std::size_t longest) {
  add(
      std::move(name), [&value] { return value; },
      [&value, longest](std::string_view next) {
        if (next.size() > longest) throw PropertyError(fmt::format("longer than {} characters", longest));
        value = next;
      });
}

void Properties::bytes(std::string name, ByteVector& value) {
  add(
      std::move(name), [&value] { return wire::to_hex(value); },
      [&value](std::string_view next) {
        auto parsed = wire::from_hex(next);
        if (!parsed) throw PropertyError(fmt::format("'{}' is not hex", next));
        value = std::move(*parsed);
      });
}

void Properties::milliseconds(std::string name, Duration& value) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  number_access(
      std::move(name), [&value] { return Milliseconds(value).count(); },
      [&value](double next) { value = std::chrono::duration_cast<Duration>(Milliseconds(next)); }, {0, 3.6e6});
}

void Properties::automatic(std::string name, std::optional<double>& value, Range range) {
  add(
      std::move(name), [&value] { return value ? show(*value) : std::string("auto"); },
      [&value, range](std::string_view next) {
        if (next == "auto") {
          value.reset();
        } else {
          value = in_range(parse_number(next), range);
        }
      });
}

void Properties::list(std::string stem, std::vector<double>& values, Range range) {
  add(
      stem, [&values] { return fmt::format("{}", fmt::join(values, ",")); },
      [&values, range](std::string_view next) { std::fill(values.begin(), values.end(), in_range(parse_number(next), range)); });
  lists_[std::move(stem)] = {&values, range};
}

void Properties::number_access(std::string name, std::function<double()> get, std::function<void(double)> set, Range range) {
  add(
      std::move(name), [get = std::move(get)] { return show(get()); },
      [set = std::move(set), range](std::string_view next) { set(in_range(parse_number(next), range)); });
}

void Properties::flag_access(std::string name, std::function<bool()> get, std::function<void(bool)> set) {
  add(
      std::move(name), [get = std::move(get)] { return std::string(get() ? "on" : "off"); },
      [set = std::move(set)](std::string_view next) { set(parse_flag(next)); });
}

std::optional<Properties::Element> Properties::element(std::string_view name) const {
  const auto last = name.find_last_not_of("0123456789");
  if (last == std::string_view::npos || last + 1 == name.size()) return std::nullopt;
  const auto found = lists_.find(name.substr(0, last + 1));
  if (found == lists_.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(parse_number(name.substr(last + 1)));
  const List& list = found->second;
  if (index < 1 || index > list.values->size()) {
    throw PropertyError(fmt::format("{}: there are only {}", name, list.values->size()));
  }
  return Element{found->first, &(*list.values)[index - 1], list.range};
}

void Properties::set(std::string_view name, std::string_view value) {
  if (const auto found = entries_.find(name); found != entries_.end()) return found->second.set(value);
  if (const auto one = element(name)) {
    *one->value = in_range(parse_number(value), one->range);
    return;
  }
  throw PropertyError(fmt::format("no property '{}'", name));
}

std::string Properties::get(std::string_view name) const {
  if (const auto found = entries_.find(name); found != entries_.end()) return found->second.get();
  if (const auto one = element(name)) return show(*one->value);
  throw PropertyError(fmt::format("no property '{}'", name));
}

bool Properties::contains(std::string_view name) const {
  if (entries_.contains(name)) return true;
  const auto last = name.find_last_not_of("0123456789");
  return last != std::string_view::npos && last + 1 < name.size() && lists_.contains(name.substr(0, last + 1));
}

std::vector<std::string> Properties::names() const {
  std::vector<std::string> result;
  for (const auto& [name, access] : entries_) result.push_back(name);
  return result;
}

}  // namespace serialbattery::simulator
