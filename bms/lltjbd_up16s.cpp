// JBD UP16S008 to UP16S020 rack boards: Eco-Worthy JBD48100000, ECO-LFP48100 and other 48 V rack batteries. RS485-1, RS232 or the UART
// of the wireless module, 9600 baud 8N1; addresses by DIP switch, master 1, slaves 2, 3, ...
//
// Daisy chain: the adapter is at the master, which forwards status requests for the others (a fraction only: whole percents, no version,
// no parameters). With UP16S_REQUIRE_DIRECT_CONNECTION each pack has an adapter of its own and must answer request 0x45, which is never
// forwarded; so no pack appears twice.
//
// Quirks: silence is the only "no", so what a pack doesn't answer five times isn't asked any more. The master states the sums of the
// current limits of all packs. Status SoC of slaves is rounded; 0x2006 has the full resolution. These boards also speak the older JBD
// protocol, less completely: that driver gives way to this one.
// Sources: serial log of a two-pack system, sniffed pack bus, three independent descriptions.
#include "bms/lltjbd_up16s.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "serialbattery/registry.hpp"

namespace serialbattery::up16s {

namespace {

constexpr Timing normal{.first_byte = 1500ms, .between_bytes = 100ms, .expected = 218, .gap = 50ms, .attempts = 1};

// The sums that the master of this line states.
struct MasterLimits {
  Currents sums;
  TimePoint told{};
};

// Whether an optional request is answered; learned, as there are no refusals.
struct Availability {
  enum class State : std::uint8_t { unknown, yes, no } state = State::unknown;
  int silent = 0;

  void note(bool answered) {
    constexpr int patience = 5;
    if (answered) state = State::yes;
    if (state == State::unknown && ++silent >= patience) state = State::no;
  }
};

std::optional<double> lower(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

}  // namespace

asio::awaitable<bool> answers(ByteLink& link) {
  const ByteVector bytes = request(1, status);
  try {
    co_await link.transact(
        bytes, [&bytes](Bytes seen) { return scan_reply(seen, bytes); }, normal);
    co_return true;
  } catch (const BmsError& error) {
    if (error.port_gone()) throw;
  }
  co_return false;
}

class Up16s final : public Driver {
 public:
  explicit Up16s(const DriverContext& context) : Driver(context), address_(context.address), master_(context.link.common<MasterLimits>()) {}

  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02x}", address_); }

  [[nodiscard]] Controls controls() const override {
    const bool writable = counters_.state == Availability::State::yes;
    return {.soc = writable, .soc_reset_when_full = writable};
  }

  asio::awaitable<void> execute(const Command& command) override {
    const bool possible = command.kind == Command::Kind::soc && command.value >= 0 && command.value <= 100;
    require(possible, "JBD UP16S has no such control", Fault::rejected);
    Timing timing = normal;
    timing.attempts = 3;
    co_await ask(soc_request(address_, command.value), timing);
    Battery after = battery();
    fine_soc_.reset();
    co_await read_optional(counters, counters_, 1, after);
    constexpr double slack = 1;  // % that may flow or be rounded meanwhile
    require(!fine_soc_ || std::abs(*fine_soc_ - command.value) <= slack, "JBD UP16S did not keep the new SoC", Fault::rejected);
  }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    pack_ = {};
    counters_ = individual_ = factory_ = product_ = {};
    Timing timing = normal;
    if (effort == Effort::quick) timing.first_byte = 400ms;
    if (config().up16s_require_direct_connection) {
      co_await read(individual, timing, found);
      individual_.note(true);
    }
    co_await read(status, timing, found);
    co_await read_optional(counters, counters_, 2, found);
    if (is_master()) co_await read_optional(individual, individual_, 2, found);
    constexpr int start_attempts = 5;
    const bool has_factory = co_await read_optional(factory, factory_, start_attempts, found);
    if (has_factory) co_await read_optional(product, product_, start_attempts, found);
    finish(found);
    if (pack_.board_serial.empty())
      spdlog::info("{}: JBD UP16S at {} is known by its pack serial {} only; packs of the same serial can't be told apart", port(),
                   address_text(), pack_.serial);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    Timing timing = normal;
    if (!context().shared_line) timing.attempts = 2;  // an unplugged pack must not hold up the others
    co_await read(status, timing, next);
    co_await read_optional(counters, counters_, 1, next);
    if (is_master()) co_await read_optional(individual, individual_, 1, next);
    finish(next);
  }

  asio::awaitable<void> replay_exchange(Bytes bytes, Battery& into) override {
    require(bytes.size() >= 10, "no request of this protocol");
    address_ = bytes[0];
    const Bytes payload = co_await ask(bytes, normal);
    const auto function = static_cast<Function>(bytes[1]);
    const std::uint16_t start = wire::u16be(bytes, 2);
    if (function == Function::write) {
      note()["ack"] = true;
      note()["writes"] = {{fmt::format("0x{:04x}", start), wire::u16be(bytes, bytes.size() - 4)}};
    } else {
      absorb(function, start, payload, into);
    }
    finish(into);
  }

 private:
  [[nodiscard]] bool is_master() const { return address_ == 1; }

  /// The payload, valid until the next exchange.
  asio::awaitable<Bytes> ask(Bytes bytes, const Timing& timing) {
    const Bytes frame = co_await link().transact(
        bytes, [bytes](Bytes seen) { return scan_reply(seen, bytes); }, timing);
    co_return payload_of(frame);
  }

  asio::awaitable<void> read(const Range& range, Timing timing, Battery& into) {
    absorb(range.function, range.start, co_await ask(request(address_, range), timing), into);
  }

  // A request that not every pack, port and firmware answers. True: it was answered now.
  asio::awaitable<bool> read_optional(const Range& range, Availability& availability, int attempts, Battery& into) {
    for (int attempt = 0; attempt < attempts && availability.state != Availability::State::no; ++attempt) {
      const bool answered = co_await succeeds(read(range, normal, into));
      availability.note(answered);
      if (answered) co_return true;
    }
    co_return false;
  }

  void absorb(Function function, std::uint16_t start, Bytes payload, Battery& into) {
    if (function == Function::individual) return decode_individual(payload, pack_, note());
    switch (start) {
      case status.start:
        decode_status(payload, pack_, into, note());
        fine_soc_.reset();
        if (is_master()) master_ = {pack_.stated, link().now()};
        break;
      case counters_and_more:
      case counters.start:
        decode_counters(payload, start, pack_, into, note());
        fine_soc_ = into.soc;
        break;
      case factory.start: decode_factory(payload, pack_, into, note()); break;
      case product.start: decode_product(payload, pack_, note()); break;
      case protections: decode_protections(payload, note()); break;
      default: throw FrameError(Fault::implausible, "no request of this driver");
    }
  }

  // What follows from several replies.
  void finish(Battery& into) {
    keep_resolution(into);
    const Currents limits = current_limits();
    if (config().use_bms_dvcc_values) {
      into.limits.charge_current = limits.charge;
      into.limits.discharge_current = limits.discharge;
    }
    note()["limits_with_use_bms_dvcc_values"] = {{"cvl", or_null(into.limits.charge_voltage)},
                                                 {"dvl", or_null(into.limits.low_voltage)},
                                                 {"ccl", or_null(limits.charge)},
                                                 {"dcl", or_null(limits.discharge)}};
    name(pack_, into);
  }

  // A lost reply must not make the SoC jump to whole percents and back.
  void keep_resolution(Battery& into) {
    constexpr double rounding = 0.999;  // %
    if (fine_soc_) {
      into.soc = fine_soc_;
      return;
    }
    const auto& last = battery().soc;
    if (counters_.state == Availability::State::yes && last && into.soc && std::abs(*last - pack_.status_soc) <= rounding) into.soc = last;
  }

  [[nodiscard]] Currents current_limits() {
    constexpr Duration valid = 300s;
    Currents own = pack_.stated;
    if (is_master() && pack_.own.charge) own = pack_.own;
    const bool fresh = master_.told != TimePoint{} && link().now() - master_.told < valid;
    const Currents sums = fresh ? master_.sums : Currents{};
    return {lower(own.charge, sums.charge), lower(own.discharge, sums.discharge)};
  }

  std::uint8_t address_;
  MasterLimits& master_;
  Pack pack_;
  std::optional<double> fine_soc_;  // of this cycle
  Availability counters_, individual_, factory_, product_;
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "LltJbd_Up16s",
                                 .text = "JBD UP16S",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 40,
                                 .connection_address = true,
                                 .make = make_driver<Up16s>}};

}  // namespace

}  // namespace serialbattery::up16s
