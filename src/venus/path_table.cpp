// Expands the rows and keeps the items up to date.
#include "venus/path_table.hpp"

#include <limits>
#include <set>

namespace serialbattery::venus {
namespace {

/// What stands for the placeholder in each path of a row.
std::vector<std::string> labels(Repeat repeat, const Layout& layout) {
  std::vector<std::string> all;
  const auto count_from_1 = [&](unsigned count) {
    for (unsigned n = 1; n <= count; ++n) all.push_back(std::to_string(n));
  };
  switch (repeat) {
    case Repeat::once: all.emplace_back(); break;
    case Repeat::cell: count_from_1(layout.cell_count); break;
    case Repeat::sensor: count_from_1(4); break;
    case Repeat::soc_point:
      for (const int point : layout.config.time_to_soc_points) all.push_back(std::to_string(point));
      break;
    case Repeat::config_key:
      for (const auto& item : layout.info.config_values) all.push_back(item.key);
      break;
  }
  return all;
}

std::string filled_in(std::string_view pattern, const std::string& label) {
  const auto open = pattern.find('<');
  if (open == std::string_view::npos) return std::string(pattern);
  return std::string(pattern.substr(0, open)) + label + std::string(pattern.substr(pattern.find('>') + 1));
}

Item make_item(const PathRow& row, std::string path) {
  Item item;
  item.path = std::move(path);
  item.type = row.type;
  item.format = row.format;
  item.access = row.write == Write::none ? Access::read_only : Access::writable;
  item.limits = row.limits;
  if (row.get == nullptr && row.limits) item.value = row.limits->initial;
  return item;
}

}  // namespace

PathTable make_path_table(const Layout& layout) {
  PathTable table;
  std::set<std::string> seen;  // TIME_TO_SOC_POINTS may name a point twice
  for (const auto rows :
       {identity_rows(), dc_rows(), info_rows(), system_rows(), cell_rows(), alarm_rows(), history_rows(), settings_rows()}) {
    for (const auto& row : rows) {
      if (row.when != nullptr && !row.when(layout)) continue;
      unsigned n = 0;
      for (const auto& label : labels(row.repeat, layout)) {
        auto path = filled_in(row.path, label);
        if (seen.insert(path).second) {
          auto item = make_item(row, std::move(path));
          if (row.repeat == Repeat::config_key) item.type = layout.info.config_values[n].type;
          table.items.push_back(std::move(item));
          table.bindings.push_back({&row, n});
        }
        ++n;
      }
    }
  }
  table.items.shrink_to_fit();
  table.bindings.shrink_to_fit();
  return table;
}

Publisher::Publisher(std::vector<Binding> bindings)
    : bindings_(std::move(bindings)), raw_(bindings_.size(), std::numeric_limits<double>::quiet_NaN()) {}

void Publisher::update(ItemTree& tree, const Source& source) {
  for (std::size_t i = 0; i < bindings_.size(); ++i) {
    const auto& [row, n] = bindings_[i];
    if (row->get == nullptr) continue;
    const ValueView value = row->get(source, n);
    if (const auto* number = std::get_if<double>(&value)) {
      if (*number == raw_[i]) continue;
      raw_[i] = *number;
      constexpr int exact = 17;
      const auto published = row->decimals >= 0 ? rounded(*number, row->decimals) : rounded(*number, exact);
      tree.set(i, published ? ValueView(*published) : ValueView());
      continue;
    }
    raw_[i] = std::numeric_limits<double>::quiet_NaN();
    const auto* text = std::get_if<std::string_view>(&value);
    if (text != nullptr && !is_clean_text(*text)) {
      tree.set(i, std::string_view(cleaned_text(*text)));
    } else {
      tree.set(i, value);
    }
  }
}

}  // namespace serialbattery::venus
