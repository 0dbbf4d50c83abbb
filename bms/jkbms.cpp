// JK (Jikong) active-balancer BMS of the B, BD and B-A/V series (JK-B1A.., JK-B2A.., JK-BD6A..), 4 to 24 cells, firmware 6 to 11,
// on its "GPS"/UART port or JK's RS485 adapter. 115200 baud 8N1, one BMS per port. V11A/V18 boards only with UART protocol 000.
//
// One request reads everything: settings, state, texts. Frames: see jkbms.hpp.
#include "bms/jkbms.hpp"

#include "serialbattery/registry.hpp"

namespace serialbattery::jkbms {

namespace {

constexpr Timing normal{
    .first_byte = 250ms, .between_bytes = 50ms, .expected = largest_frame, .total = 750ms, .gap = 100ms, .attempts = 2, .retry_gap = 100ms};
constexpr auto longest_start = 30s;  // a BMS that has just started reports SoC 0 and no cycles, for about 16 s

// SoC and cycles of 0 although the cells are not empty.
bool counters_missing(const Registers& registers, const Battery& next) {
  const double empty = registers.number(cell_undervoltage).value_or(0) / 1000.0 + 0.1;  // V
  return next.soc == 0.0 && next.history[HistoryValue::charge_cycles] == 0.0 &&
         std::ranges::all_of(next.cells, [&](const Cell& cell) { return !cell.voltage || *cell.voltage > empty; });
}

}  // namespace

class Jkbms final : public Driver {
 public:
  using Driver::Driver;

  // The boards take these writes, but no configuration key asks for them, so controls() stays empty. Firmware that wants the
  // settings password first refuses them; firmware 11 refuses the balancer.
  asio::awaitable<void> execute(const Command& command) override {
    using enum Command::Kind;
    const std::uint8_t value = command.value != 0 ? 1 : 0;
    switch (command.kind) {
      case charge: co_return co_await write(charge_switch, value);
      case discharge: co_return co_await write(discharge_switch, value);
      case balance: co_return co_await write(balance_switch, value);
      default: throw FrameError(Fault::rejected, "JK boards have no such control");
    }
  }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    Timing timing = normal;
    if (effort == Effort::quick) timing.attempts = 1;
    const ByteVector request = read_all_request();
    const Bytes frame = co_await exchange(request, read_all, timing);
    if (frame.size() < smallest_reading) co_return false;
    absorb(frame, found);
    decode_identity(Registers(frame), *found.cell_count, found.identity);
    if (found.identity.unique_id.empty()) found.identity.unique_id = "JKBMS_" + port();
    co_return true;
  }

  // The identity stays as it was found: stored settings and history hang on it.
  asio::awaitable<void> poll(Battery& next) override {
    const ByteVector request = read_all_request();
    absorb(co_await exchange(request, read_all, normal), next);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    const auto asked = operation_of(request);
    require(asked.has_value(), "no request of this protocol");
    const Bytes frame = co_await exchange(request, *asked, normal);
    if (asked == write_register) co_return;
    absorb(frame, into);
    decode_identity(Registers(frame), *into.cell_count, into.identity);
  }

 private:
  asio::awaitable<Bytes> exchange(Bytes request, Operation asked, Timing timing) {
    co_return co_await link().transact(
        request, [asked](Bytes seen) { return scan_reply(seen, asked); }, timing);
  }

  asio::awaitable<void> write(Tag tag, std::uint8_t value) {
    Timing timing = normal;
    timing.attempts = 1;
    const ByteVector request = write_request(tag, value);
    const Bytes frame = co_await exchange(request, write_register, timing);
    require(acknowledged_tag(frame) == tag, "JK: another register was acknowledged", Fault::rejected);
  }

  void absorb(Bytes frame, Battery& next) {
    const Registers registers(frame);
    const std::optional<double> soc_before = next.soc, cycles_before = next.history[HistoryValue::charge_cycles];
    decode_reading(registers, cells_, next, note());
    const bool zero_before = soc_before == 0.0 && cycles_before == 0.0;
    if (starting(counters_missing(registers, next) && !zero_before)) {
      next.soc = soc_before;
      if (cycles_before) next.history[HistoryValue::charge_cycles] = cycles_before;
    }
    next.capacity_remaining.reset();
    if (next.capacity && next.soc) next.capacity_remaining = *next.capacity * *next.soc / 100;
  }

  // A BMS that has just started has not loaded its counters yet; after longest_start they are taken for real.
  bool starting(bool missing) {
    if (!missing) {
      missing_since_.reset();
      return false;
    }
    if (!missing_since_) {
      missing_since_ = link().now();
      spdlog::info("{}: JK has just started, its SoC of 0 is not used yet", port());
    }
    return link().now() - *missing_since_ < longest_start;
  }

  jk::CellReader cells_;
  std::optional<TimePoint> missing_since_;
};

namespace {

constexpr Probe probes[] = {{.line = {115200}}};
const Registration registration{{.type = "Jkbms", .text = "JKBMS", .probes = probes, .rank = 10, .make = make_driver<Jkbms>}};

}  // namespace

}  // namespace serialbattery::jkbms
