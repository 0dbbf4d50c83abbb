// Which BMS, if any, is on this port?
//
// First what was found last time, then a quick round over all types with short answer times, then a round with the full time-outs and
// retries of the protocols. The types of one line setting follow each other, so that the port is set seldom.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/detection_cache.hpp"
#include "serialbattery/config.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::daemon {

/// One place to look: a type, a line setting, an address.
struct Candidate {
  const DriverEntry* entry = nullptr;
  LineSettings line;
  std::uint8_t address = 0;
  std::string address_text;  // as written in BATTERY_ADDRESSES; empty: the type's own default
};

struct Found {
  Candidate where;
  std::unique_ptr<Driver> driver;  // identified: battery() holds a first reading
};

/// Is told about every attempt: --scan prints them.
class DetectionObserver {
 public:
  virtual ~DetectionObserver() = default;
  virtual void tried(const Candidate& candidate, Effort effort, bool accepted, Duration took) = 0;
};

/// All places to look on a port of this kind, in order: by line setting (the one with the most popular type first), then by rank.
/// BMS_TYPE restricts the types; with BATTERY_ADDRESSES the types that have addresses are looked for at those.
std::vector<Candidate> candidates(const Config& config, std::span<const DriverEntry> entries, Transport transport = Transport::serial);

class Detection {
 public:
  /// `host`: for drivers that are to act; nullptr when they may only look.
  Detection(ByteLink& link, const Config& config, const DetectionCache* cache, DetectionObserver* observer = nullptr, Host* host = nullptr)
      : link_(link), config_(config), cache_(cache), observer_(observer), host_(host) {}

  /// Empty: there is no BMS that we know, or somebody else talks on this line. Throws LinkError(closed | io) only.
  asio::awaitable<std::vector<Found>> run();

  /// Why run() found nothing, for the log.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  asio::awaitable<bool> line_is_quiet();
  asio::awaitable<bool> talks_unasked();
  asio::awaitable<std::optional<Found>> try_candidate(const Candidate& candidate, Effort effort, bool shared);
  asio::awaitable<std::optional<Found>> first_battery();
  asio::awaitable<std::optional<Found>> remembered_battery(const std::vector<Candidate>& all);
  asio::awaitable<void> further_batteries(std::vector<Found>& found);

  ByteLink& link_;
  const Config& config_;
  const DetectionCache* cache_;
  DetectionObserver* observer_;
  Host* host_;
  std::string reason_;
  bool busy_line_ = false;  // somebody talks all the time
};

}  // namespace serialbattery::daemon
