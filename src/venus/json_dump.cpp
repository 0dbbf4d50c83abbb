// The text of /JsonData: spec dbus-interface.md 15.
#include <boost/json.hpp>

#include "venus/path_table.hpp"

namespace serialbattery::venus {
namespace {

namespace json = boost::json;

json::value leaf(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->empty() ? json::value() : json::value(*text);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  return nullptr;
}

void insert(json::object& root, std::string_view path, json::value value) {
  json::object* object = &root;
  path.remove_prefix(1);
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    auto& child = (*object)[path.substr(0, slash)];
    if (!child.is_object()) child.emplace_object();
    object = &child.get_object();
    path.remove_prefix(slash + 1);
  }
  (*object)[path] = std::move(value);
}

/// Boost.JSON writes 52.1 as 5.21E1: correct, but nobody wants to read it in an MQTT topic.
void write(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    char separator = '{';
    for (const auto& [key, member] : *object) {
      out += separator;
      separator = ',';
      out += json::serialize(key);
      out += ':';
      write(out, member);
    }
    out += object->empty() ? "{}" : "}";
  } else if (const auto* real = value.if_double()) {
    out += plain_number(*real);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_dump(const ItemTree& tree) {
  json::object root;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto& item = tree.item(i);
    if (item.path.starts_with("/Settings/") || item.path == json_path) continue;
    insert(root, item.path, leaf(item.value));
  }
  std::string text;
  text.reserve(6000);
  write(text, root);
  return text;
}

}  // namespace serialbattery::venus
