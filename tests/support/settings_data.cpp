#include "support/settings_data.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "venus/identity.hpp"

namespace serialbattery::test {
namespace {

namespace json = boost::json;

constexpr const char* devices = "/Settings/Devices/";
constexpr const char* instance_name = "/ClassAndVrmInstance";

char type_of(const Value& value) {
  return std::holds_alternative<std::string>(value) ? 's' : std::holds_alternative<double>(value) ? 'f' : 'i';
}

std::optional<Value> convert(const Value& value, char type) {
  using venus::Type;
  if (type == 's') return venus::text_of(value, venus::plain_text);
  if (!venus::is_valid(value)) return std::nullopt;
  return venus::converted(value, type == 'f' ? Type::real : Type::integer);
}

bool in_range(const Value& value, double min, double max) {
  if (min == 0 && max == 0) return true;
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (integer == nullptr && real == nullptr) return true;
  const double number = integer != nullptr ? static_cast<double>(*integer) : *real;
  return number >= min && number <= max;
}

/// "/Settings/Devices/<id>/ClassAndVrmInstance" and nothing deeper.
bool is_instance_setting(const std::string& path) {
  if (!path.starts_with(devices) || !path.ends_with(instance_name)) return false;
  return std::count(path.begin(), path.end(), '/') == 4;
}

bool has_hidden_element(const std::string& path) {
  return path.find("/_") != std::string::npos;
}

}  // namespace

const Setting* SettingsData::find(const std::string& path) const {
  const auto found = settings_.find(path);
  return found == settings_.end() ? nullptr : &found->second;
}

bool SettingsData::is_group(const std::string& path) const {
  const auto next = settings_.lower_bound(path + "/");
  return next != settings_.end() && next->first.starts_with(path + "/");
}

Value SettingsData::unique_instance(const std::string& path, const std::string& text) const {
  auto wanted = venus::parse_class_and_instance(text);
  const auto taken = [&](int instance) {
    for (const auto& [other, setting] : settings_) {
      if (other == path || !is_instance_setting(other)) continue;
      const auto theirs = venus::parse_class_and_instance(std::get<std::string>(setting.value));
      if (theirs && theirs->device_class == wanted->device_class && theirs->instance == instance) return true;
    }
    return false;
  };
  while (taken(wanted->instance)) ++wanted->instance;
  return fmt::format("{}:{}", wanted->device_class, wanted->instance);
}

AddResult SettingsData::add(const NewSetting& wanted) {
  if (!wanted.path) return {-4};
  const auto& path = *wanted.path;
  if (!path.starts_with("/Settings/")) return {-9};
  if (has_hidden_element(path)) return {-2};
  if (wanted.type == 0) return {-3};
  if (is_group(path)) return {-8};
  if (!in_range(wanted.initial, wanted.min, wanted.max)) return {-7};
  auto initial = wanted.initial;
  if (is_instance_setting(path)) {
    const auto* text = std::get_if<std::string>(&initial);
    if (text == nullptr || !venus::parse_class_and_instance(*text)) return {-6};
    if (find(path) == nullptr) initial = unique_instance(path, *text);
  }
  const auto existing = settings_.find(path);
  if (existing == settings_.end()) {
    settings_[path] = {wanted.type, initial, wanted.initial, wanted.min, wanted.max, wanted.silent};
    return {0, true, true};
  }
  auto& setting = existing->second;
  if (setting.type != wanted.type) return {-5};
  const bool differs =
      setting.initial != wanted.initial || setting.min != wanted.min || setting.max != wanted.max || setting.silent != wanted.silent;
  setting.initial = wanted.initial;
  setting.min = wanted.min;
  setting.max = wanted.max;
  setting.silent = wanted.silent;
  return {0, false, differs};
}

SettingsData::SetResult SettingsData::set(const std::string& path, const Value& value) {
  auto& setting = settings_.at(path);
  auto converted = convert(value, setting.type);
  if (!converted || !in_range(*converted, setting.min, setting.max)) return {-1, false};
  if (is_instance_setting(path)) {
    const auto& text = std::get<std::string>(*converted);
    if (!venus::parse_class_and_instance(text)) return {-1, false};
    converted = unique_instance(path, text);
  }
  if (setting.value == *converted) return {0, false};
  setting.value = *converted;
  return {0, true};
}

void SettingsData::preset(const std::string& path, Value value) {
  settings_[path] = {type_of(value), value, value, 0, 0, false};
}

void SettingsData::store(const std::filesystem::path& file) const {
  json::object all;
  for (const auto& [path, setting] : settings_) {
    const auto plain = [](const Value& value) {
      return std::visit(
          [](const auto& held) -> json::value {
            if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>)
              return nullptr;
            else
              return json::value(held);
          },
          value);
    };
    all[path] = {{"type", std::string(1, setting.type)},
                 {"value", plain(setting.value)},
                 {"default", plain(setting.initial)},
                 {"min", setting.min},
                 {"max", setting.max},
                 {"silent", setting.silent}};
  }
  const auto draft = file.string() + ".new";
  std::ofstream(draft) << json::serialize(all) << '\n';
  std::filesystem::rename(draft, file);
}

void SettingsData::load(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return;
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto parsed = json::parse(text);
  const auto read = [](const json::value& value, char type) -> Value {
    if (type == 's') return std::string(value.as_string());
    if (type == 'f') return value.to_number<double>();
    return value.to_number<std::int64_t>();
  };
  for (const auto& [path, entry] : parsed.as_object()) {
    const auto& object = entry.as_object();
    Setting setting;
    setting.type = object.at("type").as_string()[0];
    setting.value = read(object.at("value"), setting.type);
    const auto* initial = object.if_contains("default");
    setting.initial = initial != nullptr ? read(*initial, setting.type) : setting.value;
    if (const auto* min = object.if_contains("min")) setting.min = min->to_number<double>();
    if (const auto* max = object.if_contains("max")) setting.max = max->to_number<double>();
    if (const auto* silent = object.if_contains("silent")) setting.silent = silent->as_bool();
    settings_[std::string(path)] = setting;
  }
}

}  // namespace serialbattery::test
