// What all protocols of JK (Jikong) boards have in common about cells.
#pragma once

#include <span>
#include <vector>

#include "serialbattery/battery.hpp"

namespace serialbattery::jk {

/// Takes over the cell voltages of a frame and checks them against the pack voltage.
class CellReader {
 public:
  /// `millivolts`: one entry per cell. `next` holds the last reading and the new pack voltage. A cell of 0 mV is a glitch of the front
  /// end and keeps its last voltage; after a few readings in a row it is a broken wire and becomes unknown.
  /// Throws FrameError(implausible): a cell outside 0.5..5.0 V, no cell at all, or a sum that is not the pack voltage.
  void read(std::span<const unsigned> millivolts, Battery& next);

 private:
  std::vector<unsigned> zeros_;  // readings in a row in which a cell was 0
};

/// The boards do not say which cells they balance: while they do, the highest and the lowest are shown (of equal ones the first).
void show_balancing(bool active, Battery& battery);

}  // namespace serialbattery::jk
