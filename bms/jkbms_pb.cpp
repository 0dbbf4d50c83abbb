// JK (Jikong) PB "inverter" BMS (JK_PB1A16S.., JK_PB2A16S15P, JK_PB2A16S20P..), firmware 14, 15, 19, and B-series boards V11A/V18
// and later with UART protocol 001. RS485, 115200 baud 8N1, addresses 1..15 on one line; address 0 would make the board a bus master.
//
// Frames: jkbms_pb.hpp, records: jk02.hpp. A record does not say whose it is, only the acknowledgement behind it does: where several units
// share the line it must be there. Between an answer and the next request to any unit the line must be silent, or answers of two units mix.
// Sources: vendor's "JK BMS RS485 Modbus" V1.0 and V1.1, captures of firmware 15.10 and 15.41.
#include <fmt/format.h>

#include "bms/jkbms_pb.hpp"
#include "bms/modbus_rtu.hpp"
#include "bms/silent_unit.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::jkbms_pb {

namespace {

using jk02::Kind;

constexpr Timing timing_for(Duration answer) {
  return {.first_byte = answer, .expected = 321, .total = answer, .gap = 120ms};
}
constexpr Timing status_timing = timing_for(500ms);
constexpr Timing other_timing = timing_for(1s);
constexpr Timing quick_timing = timing_for(300ms);
constexpr auto seldom = 60s;                  // between two readings of the settings, or of "about" while it stays unanswered
constexpr unsigned failures_to_rest = 3;      // then a silent unit of several is asked
constexpr unsigned rest_cycles = 10;          // only in every tenth cycle, so that it does not delay the others
constexpr std::size_t longest_old_name = 15;  // earlier drivers cut the name

}  // namespace

class JkbmsPb final : public Driver {
 public:
  explicit JkbmsPb(const DriverContext& context) : Driver(context), silence_(context) {}

  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02X}", context().address); }

  // The boards take these writes, but no configuration key asks for them, so controls() stays empty.
  asio::awaitable<void> execute(const Command& command) override {
    using enum Command::Kind;
    const bool on = command.value != 0;
    switch (command.kind) {
      case charge: co_return co_await write_switch(0x1070, on);
      case discharge: co_return co_await write_switch(0x1074, on);
      case balance: co_return co_await write_switch(0x1078, on);
      case heat: co_return co_await switch_heating(on);
      default: throw FrameError(Fault::rejected, "JK boards have no such control");
    }
  }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    if (context().address == 0) {
      spdlog::warn("{}: JK boards at address 0 are masters of their bus and can't be read: set their switches to 1 and up", port());
      co_return false;
    }
    board_ = {};
    found_ = false;
    const bool quick = effort == Effort::quick;
    co_await read(Kind::settings, found, quick ? quick_timing : other_timing, quick ? 1 : 2);
    co_await read(Kind::status, found, status_timing, 2);
    co_await try_to_read(Kind::about, found);
    found_ = true;
    silent_polls_ = rested_ = 0;
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    if (resting()) throw LinkError(Fault::timeout, fmt::format("{}: JK at {} is silent and rests", port(), address_text()));
    try {
      co_await read(Kind::status, next, status_timing, silence_.attempts(2));
    } catch (const BmsError& error) {
      silence_.failed(error.fault());
      silent_polls_ = error.fault() == Fault::timeout ? silent_polls_ + 1 : 0;
      throw;
    }
    silence_.answered();
    silent_polls_ = rested_ = 0;
    if (link().now() - settings_asked_ >= seldom) {
      const auto cells = next.cell_count;
      co_await try_to_read(Kind::settings, next);
      if (next.cell_count != cells) {
        settings_asked_ = {};
        throw FrameError(Fault::implausible, "JK: the number of cells has changed");
      }
    }
    if (!board_.about_known && link().now() - about_asked_ >= seldom) {
      const Identity identity = next.identity;
      co_await try_to_read(Kind::about, next);
      next.identity.unique_id = identity.unique_id;  // settings and history of this run hang on it
      next.identity.legacy_id = identity.legacy_id;
    }
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    const auto kind = kind_of(request);
    require(kind.has_value(), "no request of this protocol");
    found_ = true;
    absorb(*kind, co_await exchange(request, *kind, status_timing), into);
  }

 private:
  // One exchange; a record without acknowledgement serves where only one unit can have sent it.
  asio::awaitable<Bytes> exchange(Bytes request, Kind kind, Timing timing) {
    bool unacknowledged = false;
    const auto framing = [&](Bytes seen) {
      const Finding finding = scan_answer(seen, request, kind);
      unacknowledged = finding.unacknowledged.has_value();
      if (unacknowledged) std::ranges::copy(seen.subspan(*finding.unacknowledged, record_.size()), record_.begin());
      return finding.scan;
    };
    try {
      co_return co_await link().transact(request, framing, timing);
    } catch (const FrameError& error) {
      const bool sender_is_sure = !context().shared_line && (found_ || context().address_configured);
      if (!unacknowledged || !sender_is_sure) throw;
      if (!std::exchange(told_, true)) spdlog::warn("{}; further ones are not told", error.what());
      co_return record_;
    }
  }

  asio::awaitable<void> read(Kind kind, Battery& into, Timing timing, int attempts) {
    const ByteVector request = read_request(context().address, kind);
    for (;; --attempts) {
      try {
        absorb(kind, co_await exchange(request, kind, timing), into);
        co_return;
      } catch (const BmsError& error) {
        if (attempts == 1 || !error.worth_asking_again()) throw;
      }
    }
  }

  // What is read seldom may fail: the last values stay.
  asio::awaitable<void> try_to_read(Kind kind, Battery& into) {
    (kind == Kind::about ? about_asked_ : settings_asked_) = link().now();
    Battery fresh = into;
    const bool answered = co_await succeeds(read(kind, fresh, other_timing, found_ && kind == Kind::about ? 1 : 2));
    if (answered) into = std::move(fresh);
  }

  void absorb(Kind kind, Bytes record, Battery& into) {
    switch (kind) {
      case Kind::settings:
        jk02::decode_settings(record, board_, into);
        settings_asked_ = link().now();
        break;
      case Kind::status:
        jk02::decode_status(record, board_, cells_, into, note());
        tell_new_bits("JK alarms", jk02::alarm_word(record), jk02::quiet_alarms, jk02::alarm_names);
        break;
      case Kind::about:
        jk02::decode_about(record, board_, into);
        into.identity.hardware_version = board_.hardware + " / " + board_.software;
        into.identity.unique_id = jk02::user_name(record);
        into.identity.legacy_id =
            into.identity.unique_id.size() > longest_old_name ? into.identity.unique_id.substr(0, longest_old_name) : "";
        break;
    }
    if (into.identity.unique_id.empty()) into.identity.unique_id = address_text();
  }

  // True while a silent unit must not cost the others its time-outs.
  bool resting() {
    if (!context().shared_line || silent_polls_ < failures_to_rest) return false;
    rested_ = (rested_ + 1) % rest_cycles;
    return rested_ != 0;
  }

  asio::awaitable<void> write(std::uint16_t reg, Bytes values) {
    const ByteVector request = write_request(context().address, reg, values);
    co_await modbus::Client(link()).transact(request, 0, other_timing);
  }

  asio::awaitable<void> write_switch(std::uint16_t reg, bool on) {
    ByteVector value;
    wire::put_u32be(value, on ? 1 : 0);
    co_await write(reg, value);
  }

  // All control bits lie in one register.
  asio::awaitable<void> switch_heating(bool on) {
    Battery settings = battery();
    co_await read(Kind::settings, settings, other_timing, 2);
    const unsigned bits = board_.control_bits;
    ByteVector value;
    wire::put_u16be(value, on ? bits | jk02::heating_enabled_bit : bits & ~jk02::heating_enabled_bit);
    co_await write(0x1114, value);
  }

  jk02::Board board_;
  jk::CellReader cells_;
  bool found_ = false;  // identified: fewer proofs are asked for
  bool told_ = false;   // of the missing acknowledgement
  std::array<std::uint8_t, jk02::record_size> record_{};
  TimePoint settings_asked_{};
  TimePoint about_asked_{};
  SilentUnit silence_;
  unsigned silent_polls_ = 0;  // in a row
  unsigned rested_ = 0;        // cycles since it was asked last
};

namespace {

constexpr Probe probes[] = {{.line = {115200}, .address = 0x01}};
const Registration registration{{.type = "Jkbms_pb",
                                 .text = "JKBMS PB Model",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 20,
                                 .port_id_address = "0x01",
                                 .connection_address = true,
                                 .make = make_driver<JkbmsPb>}};

}  // namespace

}  // namespace serialbattery::jkbms_pb
