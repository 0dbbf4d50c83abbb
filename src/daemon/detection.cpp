#include "daemon/detection.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/bus_address.hpp"

namespace serialbattery::daemon {

namespace {

// A name without a driver restricts the ports that it belongs to all the same.
Transport transport_of(std::string_view type, std::span<const DriverEntry> entries) {
  const auto entry = std::ranges::find(entries, type, &DriverEntry::type);
  if (entry != entries.end()) return entry->transport;
  if (type.ends_with("_Ble")) return Transport::ble;
  if (type.ends_with("_Can")) return Transport::can;
  return type.ends_with("_Mqtt") ? Transport::mqtt : Transport::serial;
}

// Names of other transports in BMS_TYPE don't concern this port.
bool is_restricted(const Config& config, std::span<const DriverEntry> entries, Transport transport) {
  return std::ranges::any_of(config.bms_type, [&](const std::string& type) { return transport_of(type, entries) == transport; });
}

bool is_wanted(const DriverEntry& entry, const Config& config, bool restricted) {
  return restricted ? std::ranges::find(config.bms_type, entry.type) != config.bms_type.end() : entry.on_by_default;
}

void add_places(std::vector<Candidate>& list, const DriverEntry& entry, const Config& config) {
  if (!entry.addressable || config.battery_addresses.empty()) {
    for (const Probe& probe : entry.probes) list.push_back({&entry, probe.line, probe.address, {}});
    return;
  }
  std::vector<LineSettings> lines;
  for (const Probe& probe : entry.probes) {
    if (std::ranges::find(lines, probe.line) == lines.end()) lines.push_back(probe.line);
  }
  for (const LineSettings& line : lines) {
    for (const std::string& text : config.battery_addresses) {
      if (const auto address = config::bus_address(text)) list.push_back({&entry, line, *address, text});
    }
  }
}

}  // namespace

std::vector<Candidate> candidates(const Config& config, std::span<const DriverEntry> entries, Transport transport) {
  const bool restricted = is_restricted(config, entries, transport);
  std::vector<Candidate> by_rank;
  for (const DriverEntry& entry : entries) {
    if (entry.transport == transport && is_wanted(entry, config, restricted)) add_places(by_rank, entry, config);
  }
  std::vector<Candidate> grouped;
  for (const Candidate& leader : by_rank) {
    const auto same_line = [&](const Candidate& other) { return other.line == leader.line; };
    if (std::ranges::any_of(grouped, same_line)) continue;
    std::ranges::copy_if(by_rank, std::back_inserter(grouped), same_line);
  }
  return grouped;
}

// Waits for the rest of other programs' probes to die down. A line that never falls silent belongs to a device that talks by itself, or
// to a stack of batteries whose master never stops asking: only types that listen are tried then.
asio::awaitable<bool> Detection::line_is_quiet() {
  constexpr Duration silence = 100ms;
  constexpr Duration patience = 2s;
  const TimePoint start = link_.now();
  co_await link_.drain(silence, patience);
  co_return link_.now() - start < patience;
}

// A GPS, a meter, a VE.Direct device: leave the port to its own driver. A BMS that only answers late says nothing after a second.
asio::awaitable<bool> Detection::talks_unasked() {
  co_await link_.drain(1s, 1s);
  const std::size_t heard = co_await link_.drain(2s, 2s);
  co_return heard > 0;
}

asio::awaitable<std::optional<Found>> Detection::try_candidate(const Candidate& candidate, Effort effort, bool shared) {
  if (link_.stream().settings() != candidate.line) link_.stream().configure(candidate.line);
  const DriverContext context{.link = link_,
                              .config = config_,
                              .address = candidate.address,
                              .address_configured = !candidate.address_text.empty(),
                              .shared_line = shared,
                              .busy_line = busy_line_,
                              .type_configured = std::ranges::find(config_.bms_type, candidate.entry->type) != config_.bms_type.end(),
                              .host = host_};
  auto driver = candidate.entry->make(context);
  const TimePoint start = link_.now();
  const bool accepted = co_await driver->identify(effort);
  const Duration took = link_.now() - start;
  spdlog::debug("{}: {} at {} baud{}{}: {} ({} ms)", link_.stream().name(), candidate.entry->type, candidate.line.baud,
                candidate.address_text.empty() ? "" : ", address ", candidate.address_text, accepted ? "found" : "no",
                std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  if (observer_) observer_->tried(candidate, effort, accepted, took);
  if (!accepted) co_return std::nullopt;
  co_return Found{candidate, std::move(driver)};
}

asio::awaitable<std::optional<Found>> Detection::remembered_battery(const std::vector<Candidate>& all) {
  const auto last = cache_ ? cache_->load() : std::nullopt;
  if (!last) co_return std::nullopt;
  for (const Candidate& candidate : all) {
    const bool same = candidate.entry->type == last->type && candidate.address == last->address && candidate.line == last->line;
    if (same) co_return co_await try_candidate(candidate, Effort::thorough, config_.battery_addresses.size() > 1);
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<Found>> Detection::first_battery() {
  std::vector<Candidate> all = candidates(config_, all_drivers(), link_.stream().transport());
  if (all.empty()) {
    reason_ = "no BMS type is looked for on this kind of port unless BMS_TYPE names it";
    co_return std::nullopt;
  }
  if (busy_line_) std::erase_if(all, [](const Candidate& candidate) { return !candidate.entry->listens; });
  const bool shared = config_.battery_addresses.size() > 1;
  if (auto found = co_await remembered_battery(all)) co_return found;
  for (const Effort effort : {Effort::quick, Effort::thorough}) {
    std::size_t strange = 0;  // places where something spoke, but not the BMS that was asked
    for (const Candidate& candidate : all) {
      const auto before = link_.statistics().bytes_received;
      if (auto found = co_await try_candidate(candidate, effort, shared)) co_return found;
      if (link_.statistics().bytes_received != before) ++strange;
    }
    bool other_device = strange * 2 >= all.size() && strange >= 2;
    if (!other_device && strange >= 2) other_device = co_await talks_unasked();
    if (other_device) {
      reason_ = "another kind of device talks on this line";
      co_return std::nullopt;
    }
  }
  reason_ = "no answer from any BMS type that was tried";
  co_return std::nullopt;
}

// The other addresses on the same cable: same type, same line setting.
asio::awaitable<void> Detection::further_batteries(std::vector<Found>& found) {
  const Candidate first = found.front().where;
  if (first.address_text.empty()) co_return;
  for (const Effort effort : {Effort::quick, Effort::thorough}) {
    for (const std::string& text : config_.battery_addresses) {
      const auto address = config::bus_address(text);
      if (!address || std::ranges::any_of(found, [&](const Found& f) { return f.where.address_text == text; })) continue;
      const Candidate next{first.entry, first.line, *address, text};
      if (auto battery = co_await try_candidate(next, effort, true)) found.push_back(std::move(*battery));
    }
  }
  std::ranges::sort(found, {}, [&](const Found& f) { return std::ranges::find(config_.battery_addresses, f.where.address_text); });
}

asio::awaitable<std::vector<Found>> Detection::run() {
  std::vector<Found> found;
  const bool quiet = co_await line_is_quiet();
  busy_line_ = !quiet;
  if (auto first = co_await first_battery()) {
    found.push_back(std::move(*first));
    co_await further_batteries(found);
    const Candidate& where = found.front().where;
    if (cache_) cache_->store({std::string(where.entry->type), where.address, where.line});
  } else if (busy_line_) {
    reason_ = "a device on this line talks without being asked and never stops";
  }
  co_return found;
}

}  // namespace serialbattery::daemon
