// What a BMS driver is: one conversation partner = one battery.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>

#include "serialbattery/battery.hpp"
#include "serialbattery/config.hpp"
#include "serialbattery/errors.hpp"
#include "serialbattery/host.hpp"
#include "serialbattery/link.hpp"

namespace serialbattery {

/// What can be switched or set inside the BMS. Each true member makes the matching path below /Settings exist.
struct Controls {
  bool charge_switch = false;
  bool discharge_switch = false;
  bool balancer_switch = false;
  bool heater_switch = false;
  bool soc = false;                  // the BMS takes a new state of charge
  bool soc_reset_when_full = false;  // AUTO_RESET_SOC concerns this type
  bool operator==(const Controls&) const = default;
};

/// One write to the BMS.
struct Command {
  enum class Kind : std::uint8_t { charge, discharge, balance, heat, soc };
  Kind kind;
  double value;  // switches: 1 = allowed/on, 0 = forced off; soc: 0..100 %
};

/// How much time a probe may take: the first round over all types is quick, later rounds use the full time-outs and retries.
enum class Effort : std::uint8_t { quick, thorough };

/// Everything that a driver is given. All references outlive the driver.
struct DriverContext {
  ByteLink& link;
  const Config& config;
  std::uint8_t address = 0;         // bus address; types without one ignore it
  bool address_configured = false;  // the address stands in BATTERY_ADDRESSES
  bool shared_line = false;         // several batteries are asked on this line
  bool busy_line = false;           // somebody talks all the time: identify() must not send
  bool type_configured = false;     // BMS_TYPE names this type
  Host* host = nullptr;             // pins and memory of this computer; nullptr: the driver may only look
};

/// A bit of a status word, and what it says in words for the log.
struct NamedBit {
  unsigned bit;
  std::string_view name;
};

class Driver {
 public:
  explicit Driver(const DriverContext& context) : link_(context.link), config_(context.config), context_(context) {}
  virtual ~Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Is this my BMS? Reads what is needed to be sure, and its settings; afterwards battery() holds a first plausible reading.
  /// False for anything else that is or is not on the line; throws only LinkError(closed|io).
  asio::awaitable<bool> identify(Effort effort);

  /// One poll: battery() becomes newer than before, or it throws BmsError and battery() stays exactly as it was.
  asio::awaitable<void> refresh();

  /// Carries one write to the BMS and verifies its acknowledgement. Throws BmsError. Called between polls only.
  virtual asio::awaitable<void> execute(const Command& command);

  /// What execute() accepts; constant after identify().
  [[nodiscard]] virtual Controls controls() const { return {}; }

  /// The last good reading.
  [[nodiscard]] const Battery& battery() const { return battery_; }

  /// The one exchange that `request` starts, with the framing and the decoder that a poll would use; what the answer says goes
  /// into battery() and details(). Serves recorded conversations (test vectors, captures, fuzzing). Throws BmsError;
  /// FrameError(implausible) too when this driver never sends such a request. Shows what the BMS said, so without the rules for
  /// a whole reading (implausible() below) that refresh() adds.
  asio::awaitable<void> replay(Bytes request);

  /// Starts from a known reading: the recorded conversation began earlier.
  void assume(const Battery& reading) { battery_ = reading; }

  /// What the BMS said beyond the model, for --json, --scan and the test vectors.
  [[nodiscard]] const boost::json::object& details() const { return details_; }

  /// Where the driver found its battery: "0x01", or empty for a type without addresses.
  [[nodiscard]] virtual std::string address_text() const { return {}; }

 protected:
  /// identify(): fill `found`; false or any FrameError/LinkError(timeout) means "not mine".
  virtual asio::awaitable<bool> probe(Battery& found, Effort effort) = 0;
  /// refresh(): fill `next`, which starts as a copy of the last good reading. It is taken over only if this returns.
  virtual asio::awaitable<void> poll(Battery& next) = 0;
  /// replay(): one exchange into `into`.
  virtual asio::awaitable<void> replay_exchange(Bytes request, Battery& into) = 0;

  /// Carries out a step of a conversation that may fail. False: it did, for another reason than that the port is gone. What the step
  /// was to change may then be partly changed.
  asio::awaitable<bool> succeeds(asio::awaitable<void> step);

  /// Logs what a status word says, each bit once: what users should know and no alarm tells, or nobody has documented. Bits without a
  /// name are told as unknown, those among `silent` not at all. `what`: static text.
  void tell_new_bits(std::string_view what, std::uint64_t word, std::uint64_t silent, std::span<const NamedBit> names = {});

  /// Name of the port, for logs and identifiers.
  [[nodiscard]] const std::string& port() const { return link_.stream().name(); }
  [[nodiscard]] ByteLink& link() { return link_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const DriverContext& context() const { return context_; }
  [[nodiscard]] boost::json::object& note() { return details_; }  // entries of details()

 private:
  void finish(Battery& reading) const;

  ByteLink& link_;
  const Config& config_;
  DriverContext context_;
  Battery battery_;
  Battery next_;  // kept between polls so that a steady state allocates nothing
  boost::json::object details_;
  std::map<std::string_view, std::uint64_t> told_bits_;  // by tell_new_bits()
};

/// For note(): null where a value is unknown.
inline boost::json::value or_null(const std::optional<double>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

/// Plausibility of a whole reading (capacity, current, pack voltage, SoC); nullptr if it may be used, else what is wrong.
const char* implausible(const Battery& battery);

}  // namespace serialbattery
