// EG4 LifePower4, Revov, Narada NPFC, Basengreen and other packs with Tian Power boards; 4 to 32 cells, usually 15 or 16.
// RS485 (on EG4 and Basen the second socket, not that of the inverter) or RS232, 9600 baud; address by DIP switch, 0..15.
//
//   01  everything that changes, in groups: id, count, elements of 2 bytes (ids above 0A: 4)   each cycle
//   33  firmware    42  bar code, of which little can be read                                   once, optional
//
// Frames: eg4_lifepower.hpp. Quirks: groups come in any order and may be missing. The pack also speaks an ASCII protocol.
// Sources: reverse engineering by several projects, captures of EG4, Basengreen and Narada packs; status bits as in the maker's tool.
#include <fmt/format.h>

#include <cctype>

#include "bms/content.hpp"
#include "bms/eg4_lifepower.hpp"
#include "bms/silent_unit.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::eg4_lifepower {

namespace {

constexpr Timing normal{.first_byte = 500ms, .between_bytes = 60ms, .expected = 261, .gap = 100ms, .attempts = 3, .retry_gap = 100ms};

}  // namespace

class Eg4Lifepower final : public Driver {
 public:
  explicit Eg4Lifepower(const DriverContext& context) : Driver(context), address_(context.address), silence_(context) {}
  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02x}", address_); }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    letters_.clear();
    start_ = usual_start;
    const bool configured = context().type_configured || context().address_configured;
    Timing timing = attempts(effort == Effort::thorough && configured ? 2 : 1);
    if (effort == Effort::quick) timing.first_byte = 250ms;
    bool answered = co_await succeeds(ask(found, information, timing));
    if (!answered && effort == Effort::thorough) {
      start_ = older_start;
      answered = co_await succeeds(ask(found, information, timing));
    }
    if (!answered) co_return false;
    co_await succeeds(ask(found, barcode, normal));
    co_await succeeds(ask(found, firmware, attempts(1)));
    set_identifier(found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    try {
      co_await ask(next, information, attempts(silence_.attempts(normal.attempts)));
      silence_.answered();
    } catch (const BmsError& error) {
      silence_.failed(error.fault());
      throw;
    }
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    require(is_frame(request), "no request of this protocol");
    co_await exchange(into, request, attempts(1));
  }

 private:
  static Timing attempts(int count) {
    Timing timing = normal;
    timing.attempts = count;
    return timing;
  }

  asio::awaitable<void> ask(Battery& into, Command command, Timing timing) {
    const ByteVector request = encode(start_, address_, command);
    co_await exchange(into, request, timing);
  }

  // `into` is changed only when the answer was good.
  asio::awaitable<void> exchange(Battery& into, Bytes request, Timing timing) {
    const Framing framing = [request](Bytes received) { return scan(request, received); };
    const Bytes frame = co_await link().transact(request, framing, timing);
    Battery next = into;
    decode(frame, next);
    into = std::move(next);
  }

  void decode(Bytes frame, Battery& into) {
    const Bytes data = data_of(frame);
    switch (frame[2]) {
      case information: return decode_information(data, into, note());
      case firmware: into.identity.firmware_version = wire::text(data); break;
      case barcode: decode_barcode(frame, data, into); break;
      default: throw FrameError(Fault::implausible, "no question of this driver");
    }
  }

  void decode_barcode(Bytes frame, Bytes data, Battery& into) {
    std::string text;
    for (const std::uint8_t byte : data) {
      if (byte < 0x80 && (std::isalnum(byte) != 0 || byte == '-' || byte == '.' || byte == '_' || byte == ' '))
        text.push_back(static_cast<char>(byte));
    }
    into.identity.hardware_version = wire::text_blanks(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    letters_ = letters_of(frame);
  }

  // As earlier drivers formed it, from all letters and digits of the frame 42: settings stored under it stay.
  void set_identifier(Battery& found) {
    if (!found.capacity) return;
    const std::string own = fmt::format("{}Ah", wire::decimal(*found.capacity));
    found.identity.unique_id = letters_.empty() ? own : letters_ + "_" + own;
    if (!link().common<Identifiers>().claim(found.identity.unique_id, address_))
      found.identity.unique_id += fmt::format("_0x{:02X}", address_);
  }

  const std::uint8_t address_;
  SilentUnit silence_;
  std::uint8_t start_ = usual_start;
  std::string letters_;  // of the bar code's frame
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "EG4_Lifepower",
                                 .text = "EG4 Lifepower",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 80,
                                 .poll_interval = 2s,
                                 .connection_address = true,
                                 .make = make_driver<Eg4Lifepower>}};

}  // namespace

}  // namespace serialbattery::eg4_lifepower
