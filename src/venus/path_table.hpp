// All paths of a battery service, made from the rows: the items of one battery, their values, and the reference document.
#pragma once

#include <string>
#include <vector>

#include "venus/item_tree.hpp"
#include "venus/path_rows.hpp"

namespace serialbattery::venus {

/// Which row an item comes from, and its number within the row.
struct Binding {
  const PathRow* row;
  unsigned n;
};

struct PathTable {
  std::vector<Item> items;        // with the start values of rows without getter
  std::vector<Binding> bindings;  // one per item
};

/// The paths that exist for this battery, in the order of the rows.
[[nodiscard]] PathTable make_path_table(const Layout& layout);

/// Keeps the items of a tree equal to snapshots. Remembers raw readings, so that only what moved is rounded again.
class Publisher {
 public:
  explicit Publisher(std::vector<Binding> bindings);
  /// Sets every item with a getter; the caller sends the changes.
  void update(ItemTree& tree, const Source& source);
  [[nodiscard]] const Binding& binding(std::size_t index) const { return bindings_[index]; }

 private:
  std::vector<Binding> bindings_;
  std::vector<double> raw_;  // NaN: nothing remembered
};

/// All items but those below /Settings and /JsonData as nested JSON objects; invalid and empty texts become null.
[[nodiscard]] std::string json_dump(const ItemTree& tree);

/// The reference of all paths for docs/dbus-paths.md.
[[nodiscard]] std::string path_reference();

}  // namespace serialbattery::venus
