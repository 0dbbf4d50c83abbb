#include "daemon/tools.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <ostream>

#include "daemon/battery_json.hpp"
#include "daemon/detection.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/log.hpp"
#include "daemon/open_stream.hpp"
#include "daemon/wanted_services.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::daemon {

namespace {

constexpr int found_code = 0;
constexpr int nothing_found = static_cast<int>(ExitCode::no_battery);

std::string line_text(const DriverEntry& entry, const LineSettings& line) {
  if (entry.transport == Transport::spi) return fmt::format("SPI {} kHz", line.baud / 1000);
  const char* parity = line.parity == Parity::none ? "8N1" : line.parity == Parity::even ? "8E1" : "8O1";
  return fmt::format("{} {}", line.baud, parity);
}

// "0x01, 0x30 to 0x3F": runs of three and more are shortened.
std::string addresses_text(std::span<const std::uint8_t> addresses) {
  std::string text;
  for (std::size_t begin = 0, end = 0; begin < addresses.size(); begin = end) {
    for (end = begin + 1; end < addresses.size() && addresses[end] == addresses[end - 1] + 1;) ++end;
    if (end - begin == 2) end = begin + 1;
    text += fmt::format("{}0x{:02X}", text.empty() ? "" : ", ", addresses[begin]);
    if (end - begin > 1) text += fmt::format(" to 0x{:02X}", addresses[end - 1]);
  }
  return text;
}

std::string probes_text(const DriverEntry& entry) {
  std::vector<std::pair<LineSettings, std::vector<std::uint8_t>>> lines;
  for (const Probe& probe : entry.probes) {
    if (lines.empty() || lines.back().first != probe.line) lines.push_back({probe.line, {}});
    lines.back().second.push_back(probe.address);
  }
  std::string text;
  for (const auto& [line, addresses] : lines) {
    text += (text.empty() ? "" : "; ") + line_text(entry, line);
    if (entry.addressable) text += " address " + addresses_text(addresses);
  }
  return text;
}

// Keeps what came in since the last question, for near misses.
class Listener final : public Tap {
 public:
  void sent(Bytes) override {}
  void received(Bytes data) override { heard_.insert(heard_.end(), data.begin(), data.end()); }
  ByteVector take() { return std::exchange(heard_, {}); }

 private:
  ByteVector heard_;
};

class ScanReport final : public DetectionObserver {
 public:
  ScanReport(std::ostream& out, Listener& listener) : out_(out), listener_(listener) {}

  void tried(const Candidate& candidate, Effort effort, bool accepted, Duration took) override {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    const std::string place =
        line_text(*candidate.entry, candidate.line) + (candidate.entry->addressable ? fmt::format(" 0x{:02X}", candidate.address) : "");
    ByteVector heard = listener_.take();
    const char* verdict = accepted ? "found" : heard.empty() ? "no answer" : "answered, but not as this BMS:";
    out_ << fmt::format("{:14} {:16} {:8} {:5} ms  {}\n", candidate.entry->type, place, effort == Effort::quick ? "quick" : "thorough",
                        milliseconds, verdict);
    if (accepted || heard.empty()) return;
    constexpr std::size_t most_shown = 64;
    const bool cut = heard.size() > most_shown;
    if (cut) heard.resize(most_shown);
    out_ << "    " << wire::to_hex(heard) << (cut ? " ..." : "") << '\n';
  }

 private:
  std::ostream& out_;
  Listener& listener_;
};

std::string maybe(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.2f} {}", *value, unit) : "unknown";
}

void print_battery(std::ostream& out, const Found& found) {
  const Battery& battery = found.driver->battery();
  out << fmt::format("Found {} ({}) at {}{}\n", found.where.entry->type, found.where.entry->text,
                     line_text(*found.where.entry, found.where.line),
                     found.where.entry->addressable ? fmt::format(", address 0x{:02X}", found.where.address) : "");
  if (!battery.identity.hardware_version.empty()) out << "  Version      " << battery.identity.hardware_version << '\n';
  if (!battery.identity.unique_id.empty()) out << "  Identifier   " << battery.identity.unique_id << '\n';
  out << "  Voltage      " << maybe(battery.voltage, "V") << '\n';
  out << "  Current      " << maybe(battery.current, "A") << '\n';
  out << "  SoC          " << maybe(battery.soc, "%") << '\n';
  out << "  Capacity     " << maybe(battery.capacity, "Ah") << '\n';
  out << "  Cells        " << (battery.cell_count ? std::to_string(*battery.cell_count) : "unknown") << '\n';
  for (std::size_t i = 0; i < battery.cells.size(); ++i) {
    out << fmt::format("    {:2}         {}\n", i + 1,
                       battery.cells[i].voltage ? fmt::format("{:.3f} V", *battery.cells[i].voltage) : "unknown");
  }
}

template <typename T>
T run_to_end(asio::io_context& io, asio::awaitable<T> task) {
  auto result = asio::co_spawn(io, std::move(task), asio::use_future);
  io.run();
  return result.get();
}

}  // namespace

int list_bms(std::ostream& out) {
  for (const DriverEntry& entry : all_drivers()) {
    out << fmt::format("{:14} {:18} {}{}\n", entry.type, entry.text, probes_text(entry),
                       entry.on_by_default ? "" : "  (only when BMS_TYPE names it)");
  }
  return found_code;
}

int list_services(const config::Loaded& loaded, std::ostream& out) {
  for (const std::string& line : wanted_services(loaded.config, all_drivers())) out << line << '\n';
  return loaded.fatal ? nothing_found : found_code;
}

int scan(const Options& options, const config::Loaded& loaded, std::ostream& out) {
  set_up_log("ERROR");
  try {
    asio::io_context io(1);
    const OpenedStream opened = open_stream(io, options);
    ByteLink link(*opened.stream);
    Listener listener;
    link.set_tap(&listener);
    ScanReport report(out, listener);
    Detection detection(link, loaded.config, nullptr, &report);
    const std::vector<Found> found = run_to_end(io, detection.run());
    for (const Found& battery : found) print_battery(out, battery);
    if (found.empty()) out << "No battery: " << detection.reason() << ".\n";
    return found.empty() ? nothing_found : found_code;
  } catch (const std::exception& error) {
    out << error.what() << '\n';
    return nothing_found;
  }
}

int once(const Options& options, const config::Loaded& loaded, std::ostream& out) {
  set_up_log("ERROR");
  try {
    asio::io_context io(1);
    const OpenedStream opened = open_stream(io, options);
    ByteLink link(*opened.stream);
    Detection detection(link, loaded.config, nullptr);
    const std::vector<Found> found = run_to_end(io, detection.run());
    if (!options.json) {
      for (const Found& battery : found) print_battery(out, battery);
      if (found.empty()) out << "No battery: " << detection.reason() << ".\n";
    } else {
      boost::json::array batteries;
      for (const Found& battery : found) {
        boost::json::object object = to_json(battery.driver->battery());
        object["type"] = battery.where.entry->type;
        object["details"] = battery.driver->details();
        batteries.push_back(std::move(object));
      }
      out << boost::json::serialize(batteries) << '\n';
    }
    return found.empty() ? nothing_found : found_code;
  } catch (const std::exception& error) {
    out << error.what() << '\n';
    return nothing_found;
  }
}

}  // namespace serialbattery::daemon
