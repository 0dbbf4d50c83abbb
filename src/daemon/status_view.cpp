#include "daemon/status_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace serialbattery::daemon {

namespace {

class View {
 public:
  explicit View(const StatusItems& items) : items_(items) {}

  [[nodiscard]] std::optional<double> number(const std::string& path) const {
    const auto found = items_.find(path);
    if (found == items_.end()) return std::nullopt;
    if (const auto* real = std::get_if<double>(&found->second)) return *real;
    if (const auto* integer = std::get_if<std::int64_t>(&found->second)) return static_cast<double>(*integer);
    return std::nullopt;
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    const auto found = items_.find(path);
    const auto* string = found == items_.end() ? nullptr : std::get_if<std::string>(&found->second);
    return string ? *string : std::string();
  }
  [[nodiscard]] std::string shown(const std::string& path, int decimals, const char* unit) const {
    const auto value = number(path);
    return value ? fmt::format("{:.{}f} {}", *value, decimals, unit) : fmt::format("-- {}", unit);
  }
  [[nodiscard]] const StatusItems& items() const { return items_; }

 private:
  const StatusItems& items_;
};

// Columns that a UTF-8 text takes; good enough for our own texts.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string cut(const std::string& text, std::size_t width) {
  if (columns(text) <= width) return text;
  std::string result;
  std::size_t used = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (begins && ++used > width) break;
    result.push_back(c);
  }
  return result;
}

// Pieces side by side, as many on a line as fit.
std::string flow(const std::vector<std::string>& pieces, std::size_t width) {
  std::string result, line;
  for (const std::string& piece : pieces) {
    if (!line.empty() && columns(line) + 2 + columns(piece) > width) {
      result += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "  " : "  ") + piece;
  }
  return result + line + "\n";
}

struct ShownCell {
  std::size_t number;
  std::optional<double> voltage;
  bool balancing;
};

std::vector<ShownCell> cells_of(const View& view) {
  std::vector<ShownCell> cells;
  const bool older_paths = view.items().contains("/Cell/1/Volts");
  for (std::size_t n = 1;; ++n) {
    const std::string path = older_paths ? fmt::format("/Cell/{}/Volts", n) : fmt::format("/Voltages/Cell{}", n);
    if (!view.items().contains(path)) return cells;
    cells.push_back({n, view.number(path), view.number(fmt::format("/Balances/Cell{}", n)) == 1.0});
  }
}

std::string cell_rows(const View& view, std::size_t width) {
  const std::vector<ShownCell> cells = cells_of(view);
  if (cells.empty()) return {};
  const auto low = view.number("/System/MinCellVoltage"), high = view.number("/System/MaxCellVoltage");
  constexpr std::size_t cell_width = 24;
  constexpr double bar_length = 10;
  const std::size_t in_a_row = std::max<std::size_t>(1, width / cell_width);
  std::string result;
  std::size_t column = 0;
  for (const ShownCell& cell : cells) {
    std::string bar;
    char mark = ' ';
    if (cell.voltage && low && high) {
      const double part = *high > *low ? (*cell.voltage - *low) / (*high - *low) : 1;
      const int blocks = 1 + static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * (bar_length - 1)));
      for (int i = 0; i < blocks; ++i) bar += "█";
      mark = *cell.voltage == *high ? '+' : *cell.voltage == *low ? '-' : ' ';
    }
    std::string piece = fmt::format(" {:2}{}{} {} ", cell.number, mark, cell.balancing ? 'b' : ' ',
                                    cell.voltage ? fmt::format("{:.3f}", *cell.voltage) : "  -- ");
    piece += bar;
    while (columns(piece) < cell_width) piece += ' ';
    result += piece;
    if (++column % in_a_row == 0) result += '\n';
  }
  if (column % in_a_row != 0) result += '\n';
  return result;
}

std::string alarm_row(const View& view, std::size_t width) {
  std::vector<std::string> raised;
  for (const auto& [path, value] : view.items()) {
    if (!path.starts_with("/Alarms/")) continue;
    const double level = view.number(path).value_or(0);
    if (level > 0) raised.push_back(path.substr(8) + (level >= 2 ? " ALARM" : " warning"));
  }
  if (raised.empty()) return "  No alarms\n";
  return flow(raised, width);
}

}  // namespace

std::string render_status(const std::string& service, const StatusItems& items, std::size_t width) {
  const View view(items);
  width = std::max<std::size_t>(width, 40);
  const std::string custom = view.text("/CustomName"), product = view.text("/ProductName");
  std::string out = cut((custom.empty() ? product : custom + " - " + product), width) + "\n";
  out += cut("  " + service, width) + "\n";
  out += flow({view.shown("/Dc/0/Voltage", 2, "V"), view.shown("/Dc/0/Current", 1, "A"), view.shown("/Dc/0/Power", 0, "W"),
               "SoC " + view.shown("/Soc", 1, "%"), view.shown("/Dc/0/Temperature", 1, "°C")},
              width);
  out += flow({"Charge voltage " + view.shown("/Info/MaxChargeVoltage", 2, "V"), view.text("/Info/ChargeMode")}, width);
  out += flow({"Charge " + view.shown("/Info/MaxChargeCurrent", 1, "A"), view.text("/Info/ChargeLimitation")}, width);
  out += flow({"Discharge " + view.shown("/Info/MaxDischargeCurrent", 1, "A"), view.text("/Info/DischargeLimitation")}, width);
  out += cell_rows(view, width);
  out += alarm_row(view, width);
  if (const auto error = view.number("/ErrorCode"); error && *error != 0) out += fmt::format("  Error #{:.0f}\n", *error);
  out += cut("  " + view.text("/ConnectionInformation"), width) + "\n";
  return out;
}

}  // namespace serialbattery::daemon
