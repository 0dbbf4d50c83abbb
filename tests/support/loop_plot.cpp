#include "support/loop_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <span>
#include <string_view>

namespace serialbattery::loop {
namespace {

constexpr double width = 900, left = 60, right = 90, top = 34;
constexpr double gap = 16;
constexpr std::size_t columns = 300;  // each shows the extremes of its share of the time

/// One line in a panel.
struct Line {
  std::string_view name;
  std::string_view colour;
  double Record::*value;
  std::string_view dash = "none";
};

struct Panel {
  std::string_view unit;
  double low, high, grid;
  double height;
  std::vector<Line> lines;
};

/// Maps time and values of one panel to the picture.
class Canvas {
 public:
  Canvas(std::ostream& out, const PlotOptions& options, const Panel& panel, double y)
      : out_(out), options_(options), panel_(panel), y_(y) {}

  void frame() {
    out_ << fmt::format(R"(<rect x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}" class="frame"/>)", left, y_, inner(), panel_.height)
         << '\n';
    for (double value = std::ceil(panel_.low / panel_.grid - 1e-9) * panel_.grid; value <= panel_.high + 1e-9; value += panel_.grid) {
      rule(value, "grid");
      const int digits = panel_.grid < 0.1 ? 2 : panel_.grid < 1 ? 1 : 0;
      out_ << fmt::format(R"(<text x="{:.0f}" y="{:.1f}" text-anchor="end">{:.{}f}</text>)", left - 6, y(value) + 4, value, digits) << '\n';
    }
    out_ << fmt::format(R"(<text x="{:.0f}" y="{:.1f}" font-weight="bold">{}</text>)", left + 6, y_ + 15, panel_.unit) << '\n';
  }
  void hours() {
    for (double hour = std::ceil(options_.begin / 3600); hour <= options_.end / 3600; ++hour) {
      out_ << fmt::format(R"(<line x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}" class="grid"/>)", x(hour * 3600), y_,
                          y_ + panel_.height)
           << '\n';
    }
  }
  void rule(double value, std::string_view style) {
    out_ << fmt::format(R"(<line x1="{0:.0f}" x2="{1:.0f}" y1="{2:.1f}" y2="{2:.1f}" class="{3}"/>)", left, left + inner(), y(value), style)
         << '\n';
  }
  /// The first and the two extreme points of each column, joined.
  void draw(const Line& line, std::span<const Record> records) {
    out_ << fmt::format(R"(<polyline stroke="{}" stroke-dasharray="{}" points=")", line.colour, line.dash);
    for (std::size_t column = 0; column < columns; ++column) {
      const auto share =
          records.subspan(records.size() * column / columns, records.size() * (column + 1) / columns - records.size() * column / columns);
      if (share.empty()) continue;
      const auto [low, high] =
          std::minmax_element(share.begin(), share.end(), [&](auto& a, auto& b) { return a.*line.value < b.*line.value; });
      point(share.front(), line);
      if ((*high).*line.value - (*low).*line.value < (panel_.high - panel_.low) / panel_.height / 2) continue;  // less than half a pixel
      point(low < high ? *low : *high, line);
      point(low < high ? *high : *low, line);
    }
    out_ << "\"/>\n";
  }
  void legend(const Line& line, std::size_t index) {
    out_ << fmt::format(R"(<text x="{:.0f}" y="{:.0f}" fill="{}">{}</text>)", left + inner() + 8, y_ + 14 + 16 * static_cast<double>(index),
                        line.colour, line.name)
         << '\n';
  }
  [[nodiscard]] double x(double seconds) const { return left + inner() * (seconds - options_.begin) / (options_.end - options_.begin); }
  [[nodiscard]] double y(double value) const {
    return y_ + panel_.height * (panel_.high - std::clamp(value, panel_.low, panel_.high)) / (panel_.high - panel_.low);
  }

 private:
  [[nodiscard]] static double inner() { return width - left - right; }
  void point(const Record& record, const Line& line) { out_ << fmt::format("{:.1f},{:.1f} ", x(record.seconds), y(record.*line.value)); }

  std::ostream& out_;
  const PlotOptions& options_;
  const Panel& panel_;
  double y_;
};

struct ModeColour {
  std::string_view prefix, label, colour;
};
constexpr ModeColour mode_colours[] = {
    {"Bulk", "Bulk", "#bcd6f0"},   {"Absorption", "Absorption", "#f6d28b"}, {"Float Transition", "Transition", "#c9e3b4"},
    {"Float", "Float", "#8cc08c"}, {"Error", "Error", "#e08080"},
};

const ModeColour* colour_of(std::string_view mode) {
  const auto* found =
      std::find_if(std::begin(mode_colours), std::end(mode_colours), [&](auto& one) { return mode.starts_with(one.prefix); });
  return found == std::end(mode_colours) ? nullptr : found;
}

/// A strip that shows the charge mode, and its key below.
void draw_modes(std::ostream& out, const Canvas& canvas, std::span<const Record> records, double y) {
  for (std::size_t i = 0; i < records.size();) {
    const ModeColour* colour = colour_of(records[i].mode);
    std::size_t end = i;
    while (end < records.size() && colour_of(records[end].mode) == colour) ++end;
    const double from = canvas.x(records[i].seconds), to = canvas.x(records[end - 1].seconds);
    if (colour) {
      out << fmt::format(R"(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="18" fill="{}"/>)", from, y, std::max(to - from, 0.5),
                         colour->colour)
          << '\n';
    }
    i = end;
  }
  double x = left;
  for (const ModeColour& one : mode_colours) {
    out << fmt::format(R"(<rect x="{:.0f}" y="{:.0f}" width="12" height="12" fill="{}"/><text x="{:.0f}" y="{:.0f}">{}</text>)", x, y + 44,
                       one.colour, x + 16, y + 54, one.label)
        << '\n';
    x += 100;
  }
}

double rounded_up(double value, double step) {
  return std::ceil(value / step) * step;
}

}  // namespace

void write_csv(std::ostream& out, const std::vector<Record>& records) {
  out << "seconds,highest_cell,mean_cell,lowest_cell,voltage,cvl,current,ccl,soc,mode\n";
  for (const Record& r : records) {
    out << fmt::format("{:.1f},{:.4f},{:.4f},{:.4f},{:.3f},{:.2f},{:.2f},{:.2f},{:.3f},{}\n", r.seconds, r.highest, r.mean, r.lowest,
                       r.voltage, r.cvl, r.current, r.ccl, r.soc, r.mode);
  }
}

void write_svg(std::ostream& out, const std::vector<Record>& records, const PlotOptions& options) {
  const auto begin = std::find_if(records.begin(), records.end(), [&](auto& r) { return r.seconds >= options.begin; });
  const auto end = std::find_if(begin, records.end(), [&](auto& r) { return r.seconds > options.end; });
  const std::span<const Record> shown(begin, end);
  double current = 10, cvl = 0;
  for (const Record& r : shown) {
    current = std::max(current, std::max(r.current, r.ccl));
    cvl = std::max(cvl, r.cvl);
  }
  const Panel panels[] = {
      {"cells, V",
       options.cell_low,
       options.cell_high,
       0.05,
       200,
       {{"highest", "#c0392b", &Record::highest}, {"mean", "#2c6fbb", &Record::mean}, {"lowest", "#7f8c8d", &Record::lowest}}},
      {"pack, V",
       cvl * 0.955,
       rounded_up(cvl * 1.005, 0.5),
       0.5,
       150,
       {{"CVL", "#c0392b", &Record::cvl}, {"voltage", "#2c6fbb", &Record::voltage}}},
      {"current, A", -50, rounded_up(current, 10), 25, 130, {{"CCL", "#c0392b", &Record::ccl}, {"current", "#2c6fbb", &Record::current}}},
  };
  double height = top + 90;
  for (const Panel& panel : panels) height += panel.height + gap;
  out << fmt::format(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0f} {:.0f}" font-family="sans-serif" font-size="12">)",
                     width, height)
      << '\n'
      << "<style>polyline{fill:none;stroke-width:1.2;stroke-linejoin:round}.frame{fill:none;stroke:#999}"
         ".grid{stroke:#e4e4e4}.target{stroke:#c0392b;stroke-dasharray:2 3}</style>\n"
      << fmt::format(R"(<rect width="{:.0f}" height="{:.0f}" fill="white"/>)", width, height) << '\n'
      << fmt::format(R"(<text x="{:.0f}" y="20" font-size="15">{}</text>)", left, options.title) << '\n';
  double y = top;
  for (const Panel& panel : panels) {
    Canvas canvas(out, options, panel, y);
    canvas.hours();
    canvas.frame();
    if (&panel == panels) canvas.rule(options.target, "target");
    for (std::size_t i = 0; i < panel.lines.size(); ++i) {
      canvas.draw(panel.lines[i], shown);
      canvas.legend(panel.lines[i], i);
    }
    y += panel.height + gap;
  }
  const Canvas strip(out, options, panels[0], y);
  draw_modes(out, strip, shown, y);
  for (double hour = std::ceil(options.begin / 3600); hour <= options.end / 3600; ++hour) {
    out << fmt::format(R"(<text x="{:.1f}" y="{:.0f}" text-anchor="middle">{:02d}:00</text>)", strip.x(hour * 3600), y + 34,
                       static_cast<int>(hour) % 24)
        << '\n';
  }
  out << "</svg>\n";
}

}  // namespace serialbattery::loop
