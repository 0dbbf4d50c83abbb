#include "config/key_table.hpp"

#include <algorithm>
#include <map>

#include "config/text.hpp"

namespace serialbattery::config {

namespace {

std::vector<Section> collect_sections() {
  std::vector<Section> all;
  for (const auto group :
       {battery_sections(), connection_sections(), charging_sections(), curve_sections(), service_sections(), bms_sections()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  std::stable_partition(all.begin(), all.end(), [](const Section& section) { return section.origin == Origin::drop_in; });
  return all;
}

std::vector<const Key*> collect_keys() {
  std::vector<const Key*> keys;
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) keys.push_back(&key);
  }
  return keys;
}

std::map<std::string, const Key*, std::less<>> index_keys() {
  std::map<std::string, const Key*, std::less<>> index;
  for (const Key* key : all_keys()) index.emplace(key->name, key);
  return index;
}

/// Levenshtein distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Section> sections() {
  static const auto all = collect_sections();
  return all;
}

std::span<const Key* const> all_keys() {
  static const auto keys = collect_keys();
  return keys;
}

const Key* find_key(std::string_view name) {
  static const auto index = index_keys();
  const auto found = index.find(upper_case(name));
  return found == index.end() ? nullptr : found->second;
}

const Key* nearest_key(std::string_view misspelled) {
  constexpr std::size_t longest_sensible = 80;
  if (misspelled.size() > longest_sensible) return nullptr;
  std::string wanted = upper_case(misspelled);
  std::ranges::replace_if(
      wanted, [](char c) { return is_blank(c) || c == '-'; }, '_');
  std::size_t best = std::max<std::size_t>(2, wanted.size() / 5) + 1;  // farther away than this it is another word
  const Key* nearest = nullptr;
  for (const Key* key : all_keys()) {
    const std::size_t longer = std::max(wanted.size(), key->name.size()), shorter = std::min(wanted.size(), key->name.size());
    if (longer - shorter >= best) continue;  // the distance is at least the difference of the lengths
    const std::size_t distance = edit_distance(wanted, key->name);
    if (distance < best) {
      best = distance;
      nearest = key;
    }
  }
  return nearest;
}

Value get(const Config& config, const Key& key) {
  return std::visit(
      [&config](auto member) { return Value(std::in_place_type<std::remove_cvref_t<decltype(config.*member)>>, config.*member); },
      key.member);
}

void put(Config& config, const Key& key, const Value& value) {
  std::visit([&](auto member) { config.*member = std::get<std::remove_cvref_t<decltype(config.*member)>>(value); }, key.member);
}

}  // namespace serialbattery::config
