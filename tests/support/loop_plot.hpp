// Pictures and tables of one simulated case.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace serialbattery::loop {

/// One poll of a recorded case.
struct Record {
  double seconds = 0;                        // since midnight of the first day
  double highest = 0, mean = 0, lowest = 0;  // V, true cell voltages
  double voltage = 0, cvl = 0;               // V
  double current = 0, ccl = 0;               // A
  double soc = 0;                            // %, mean
  std::string mode;
};

void write_csv(std::ostream& out, const std::vector<Record>& records);

struct PlotOptions {
  std::string title;
  double begin = 0, end = 0;                 // s since midnight of the first day
  double cell_low = 3.28, cell_high = 3.52;  // V, range of the upper picture
  double target = 3.45;                      // V, drawn as a line
};

/// Four pictures above each other, as one SVG file of less than 150 kB: cells, voltage and CVL, current and CCL, mode.
void write_svg(std::ostream& out, const std::vector<Record>& records, const PlotOptions& options);

}  // namespace serialbattery::loop
