#include "support/recognition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/loader.hpp"
#include "support/device_stream.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

using simulator::Model;

Verdict recognition(const DriverEntry& driver, const Model& device, const LineSettings& line, std::uint8_t address) {
  DeviceStream stream(simulator::Bus::of(device.type));
  stream.configure(line);
  ByteLink link(stream);
  const Config config = default_config();
  const auto probing = driver.make({.link = link, .config = config, .address = address});
  if (run(probing->identify(Effort::quick)) || run(probing->identify(Effort::thorough))) return Verdict::accepted;
  return link.statistics().bytes_received > 0 ? Verdict::refused : Verdict::unanswered;
}

std::string_view mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::accepted: return "**yes**";
    case Verdict::refused: return "no";
    default: return "·";
  }
}

std::string line_text(const DriverEntry& driver) {
  std::string text;
  for (const Probe& probe : driver.probes) {
    const std::string one = std::to_string(probe.line.baud) + (probe.line.parity == Parity::even ? " even parity" : "");
    if (text.find(one) == std::string::npos) text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

constexpr std::string_view introduction = R"(# Who recognises what

<!-- Generated from the recognition test by `generate-docs recognition`; a test compares. Do not edit. -->

The driver finds out by itself which BMS is on a port. What keeps it from taking one device for another is tested, and this is the outcome of that
test: each simulated device against the probe of each driver, at every line setting that any driver uses, first with short answer times and then
with all the patience of the protocol. Exactly one driver may accept a BMS, and none may accept another kind of device.

* **yes**: the driver takes the device for its own.
* no: the device answered or talked, or its bytes arrived at another baud rate, and the driver refused them.
* ·: the device said nothing to this driver.

A driver's questions may be answered by a foreign BMS; the answer is then refused because of its checksum, its length or because its content can't
be. The order of the types (their popularity) decides only who is asked first. Types marked * are tried only when `BMS_TYPE` names them.

)";

}  // namespace

std::vector<const DriverEntry*> serial_drivers() {
  std::vector<const DriverEntry*> list;
  for (const DriverEntry& entry : all_drivers()) {
    if (entry.transport == Transport::serial && entry.type != "Example") list.push_back(&entry);
  }
  return list;
}

Verdict recognition(const DriverEntry& driver, const Model& device) {
  std::set<std::pair<unsigned, Parity>> lines;
  for (const DriverEntry* other : serial_drivers()) {
    for (const Probe& probe : other->probes) lines.emplace(probe.line.baud, probe.line.parity);
  }
  std::set<std::uint8_t> addresses;
  for (const Probe& probe : driver.probes) addresses.insert(probe.address);
  Verdict best = Verdict::unanswered;
  for (const auto& [baud, parity] : lines) {
    for (const std::uint8_t address : addresses) best = std::max(best, recognition(driver, device, {baud, parity}, address));
  }
  return best;
}

std::string recognition_document() {
  const std::vector<const DriverEntry*> drivers = serial_drivers();
  std::string text(introduction);
  std::string rule = "|---|";
  text += "| device \\ driver |";
  for (std::size_t i = 1; i <= drivers.size(); ++i) {
    text += fmt::format(" {} |", i);
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  const auto add_row = [&](const std::string& title, const Model& device) {
    text += "| " + title + " |";
    for (const DriverEntry* driver : drivers) text += fmt::format(" {} |", mark(recognition(*driver, device)));
    text += "\n";
  };
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    const Model* device = simulator::find_model(drivers[i]->type);
    if (device) add_row(fmt::format("{} {}{}", i + 1, device->type, drivers[i]->on_by_default ? "" : " *"), *device);
  }
  std::vector<const Model*> others;
  for (const Model& device : simulator::all_models()) {
    if (!find_driver(device.type)) others.push_back(&device);
  }
  for (const Model* device : others) add_row(std::string(device->type), *device);
  text += "\nThe drivers and the line settings that they try, in this order:\n\n| | type | baud |\n|---|---|---|\n";
  for (std::size_t i = 0; i < drivers.size(); ++i)
    text += fmt::format("| {} | {} | {} |\n", i + 1, drivers[i]->type, line_text(*drivers[i]));
  text += "\nThe devices without a number are none of these batteries:\n\n";
  for (const Model* device : others) text += fmt::format("* {}: {}\n", device->type, device->text);
  return text;
}

}  // namespace serialbattery::test
