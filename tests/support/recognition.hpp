// Which driver takes which device for its own: every simulated device against every driver's probe.
#pragma once

#include <string>
#include <vector>

#include "serialbattery/registry.hpp"
#include "simulator/device.hpp"

namespace serialbattery::test {

/// The drivers for serial ports, by rank.
std::vector<const DriverEntry*> serial_drivers();

enum class Verdict {
  unanswered,  // the device said nothing to this driver
  refused,     // it said something, which the driver didn't take for an answer of its BMS
  accepted,
};

/// At all line settings in use, with the addresses that the driver tries by default, first hurried, then with all patience.
Verdict recognition(const DriverEntry& driver, const simulator::Model& device);

/// docs/recognition.md: the whole matrix.
std::string recognition_document();

}  // namespace serialbattery::test
