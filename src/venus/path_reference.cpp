// The reference of all paths, as Markdown; docs/dbus-paths.md is this text.
#include "venus/path_table.hpp"

namespace serialbattery::venus {
namespace {

struct Section {
  std::string_view title;
  std::string_view introduction;
  std::span<const PathRow> rows;
};

std::string type_name(const PathRow& row) {
  if (row.repeat == Repeat::config_key) return "i, d or s";
  switch (row.type) {
    case Type::integer: return "i";
    case Type::real: return "d";
    case Type::text: return "s";
  }
  return "";
}

std::string example_text(const PathRow& row) {
  switch (row.format.style) {
    case TextFormat::Style::plain: return "";
    case TextFormat::Style::hex: return fmt::format("`{}`", text_of(std::int64_t{0xBA77}, row.format));
    case TextFormat::Style::fixed: return fmt::format("`{}`", text_of(12.3456, row.format));
  }
  return "";
}

std::string present(const PathRow& row) {
  if (!row.when_text.empty()) return std::string(row.when_text);
  return row.repeat == Repeat::cell ? "each cell" : row.repeat == Repeat::sensor ? "n = 1 to 4" : "always";
}

void append_section(std::string& out, const Section& section) {
  out += fmt::format("\n## {}\n\n", section.title);
  if (!section.introduction.empty()) out += fmt::format("{}\n\n", section.introduction);
  out += "| path | type | decimals | text | present | content |\n|---|---|---|---|---|---|\n";
  for (const auto& row : section.rows) {
    out += fmt::format("| `{}`{} | {} | {} | {} | {} | {} |\n", row.path, row.write == Write::none ? "" : " **W**", type_name(row),
                       row.decimals >= 0 ? std::to_string(row.decimals) : "", example_text(row), present(row), row.content);
  }
}

}  // namespace

std::string path_reference() {
  const Section sections[] = {
      {"Identity and state", "", identity_rows()},
      {"Measurements and charge", "", dc_rows()},
      {"Limits, permissions, configuration", "", info_rows()},
      {"System figures", "", system_rows()},
      {"Cells", "`BATTERY_CELL_DATA_FORMAT` chooses the paths; 0 leaves all of them out.", cell_rows()},
      {"Alarms", "0 ok, 1 warning, 2 alarm; invalid: the BMS has no such alarm.", alarm_rows()},
      {"History", "Calculated with `HISTORY_ENABLE`, or counted by the BMS.", history_rows()},
      {"Controls", "A switch keeps the last accepted value.", settings_rows()},
  };
  std::string out =
      "# D-Bus paths of a battery service\n\n"
      "<!-- Generated from src/venus/rows_*.cpp by `generate-docs dbus-paths`; a test compares. Do not edit. -->\n\n"
      "Service `com.victronenergy.battery.<port>`, interface `com.victronenergy.BusItem` on every item.\n"
      "Types: `i` int32, `d` double, `s` string. Any value may be *invalid* (an empty array of int32, shown as `---`): unknown, or not "
      "provided by\n"
      "the BMS. Numbers are rounded to the given decimals; the column \"text\" shows how `GetText` writes 12.3456. **W**: writable; every "
      "other path\n"
      "answers a write with 1.\n";
  for (const auto& section : sections) append_section(out, section);
  return out;
}

}  // namespace serialbattery::venus
