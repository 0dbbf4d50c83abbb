// HLP Data BMS4S (Sweden): a BMS for 4 LFP cells with relays, built by its users. USB or Bluetooth serial, 9600 baud 8N1.
//
// Commands are text ended by LF, answers are lines of text; the device echoes the command first. No address, no checksum, no end mark:
// an answer ends with silence, and only what passes every check of its content is believed.
//
//   pv  version     pv  BMS4S sw 4.1.89                                                                              once
//   ps  settings    BatterySize= 100 Ah, VoltHigh= 3.600 V, ... a line each; some units print decimal commas         once
//   m1  state       m1  3.283,3.283,3.283,3.284,-1.663,41,1,1,13.133,41,0,0,0,b1 23,b2 25                            each cycle
//                       cells V, current A (+ charging), SoC %, charging allowed, load allowed, second battery V, SoC, correction,
//                       beeper, LED, then sensors "name value"; names of battery sensors begin with b
//
// The command language can change settings: nothing but LF and these three is ever sent. A user may type on the same line.
// Sources: the Python driver by an owner of the device, fragments of the manuals 1.4 and 4. No capture of m1, pv or ps is public.
#include "bms/hlpdatabms4s.hpp"

#include <fmt/format.h>

#include "serialbattery/registry.hpp"

namespace serialbattery::hlpdatabms4s {

namespace {

/// A command and the answer to it.
struct Question {
  std::string_view command;  // with its LF
  std::size_t shortest;      // bytes of an answer
  Duration patience;         // for the whole answer; Bluetooth modules in between add up to 500 ms
};
constexpr Question version{"pv\n", 12, 600ms}, settings{"ps\n", 700, 4s}, state{"m1\n", 40, 800ms};
constexpr Question questions[] = {version, settings, state};
constexpr Duration silence = 150ms;  // ends an answer that has no end of its own
constexpr int most_attempts = 3;
constexpr std::uint8_t line_feed[] = {'\n'};

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

class HlpDataBms4s final : public Driver {
 public:
  using Driver::Driver;

 protected:
  // A binary BMS that is asked next would take the text for the beginning of a frame: silence makes it forget. For their sake, who are many
  // more, the quick round leaves this type out unless it is named.
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    const bool named = context().type_configured;
    if (effort == Effort::quick && !named) co_return false;
    last_voltage_.reset();
    co_await link().send(line_feed, 5ms);  // ends what was typed or sent before
    co_await link().drain(200ms, 200ms);
    const bool mine = co_await succeeds(ask(version, named && effort == Effort::thorough ? most_attempts : 1, found));
    if (!mine) {
      co_await link().sleep(300ms);
      co_return false;
    }
    co_await ask(settings, most_attempts, found);
    co_await ask(state, most_attempts, found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override { co_await ask(state, most_attempts, next); }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    const auto* known = std::ranges::find(questions, as_text(request), &Question::command);
    require(known != std::end(questions), "no command of this driver");
    co_await ask(*known, 1, into);
  }

 private:
  asio::awaitable<void> ask(Question question, int attempts, Battery& into) {
    const Timing timing{.first_byte = question.patience, .between_bytes = silence, .total = question.patience};
    const Bytes request(reinterpret_cast<const std::uint8_t*>(question.command.data()), question.command.size());
    const auto framing = [question](Bytes seen) {
      if (seen.size() < question.shortest) return Scan::searching();
      const bool whole = question.command == state.command && is_whole_state(as_text(seen));
      return whole ? Scan::found(0, seen.size()) : Scan::growing(0, seen.size());
    };
    for (int left = attempts - 1;; --left) {
      try {
        const Bytes answer = co_await link().transact(request, framing, timing);
        co_return decode(question, as_text(answer), into);
      } catch (const BmsError& error) {
        if (left == 0 || error.port_gone()) throw;
      }
    }
  }

  void decode(const Question& question, std::string_view text, Battery& into) {
    if (question.command == version.command) return decode_version(text, into);
    if (question.command == settings.command) return take_over(parse_settings(text), into);
    Battery reading = into;
    decode_state(text, reading);
    refuse_jump(*reading.voltage);
    into = std::move(reading);
    into.capacity_remaining.reset();
    if (into.capacity) into.capacity_remaining = *into.capacity * *into.soc / 100;
  }

  // Without a checksum a voltage that jumps is doubtful until it is repeated.
  void refuse_jump(double volts) {
    constexpr double jump = 3;
    const auto far_from = [volts](const std::optional<double>& other) { return std::abs(volts - *other) > jump; };
    const bool doubtful = last_voltage_ && far_from(last_voltage_) && (!doubted_ || far_from(doubted_));
    doubted_ = doubtful ? std::optional(volts) : std::nullopt;
    require(!doubtful, "m1: the voltage jumps by more than 3 V");
    last_voltage_ = volts;
  }

  void take_over(const Settings& stated, Battery& into) {
    into.capacity = stated.capacity;
    into.identity.unique_id = fmt::format("BMS4S_{:.0f}", stated.capacity);
    const auto pack = [](const std::optional<double>& cell) { return cell ? std::optional(*cell * cell_count) : std::nullopt; };
    if (config().use_bms_dvcc_values) {
      into.limits.charge_voltage = pack(stated.cell_high);
      into.limits.low_voltage = pack(stated.cell_low);
    }
    boost::json::object limits;
    if (const auto volts = pack(stated.cell_high)) limits["max_voltage"] = *volts;
    if (const auto volts = pack(stated.cell_low)) limits["min_voltage"] = *volts;
    note()["limits"] = std::move(limits);
  }

  std::optional<double> last_voltage_;  // V, of the last good line
  std::optional<double> doubted_;       // V, of the line before, which was refused
};

namespace {

constexpr Probe probes[] = {{.line = {9600}}};
const Registration registration{{.type = "HLPdataBMS4S",
                                 .text = "HLPdataBMS4S",
                                 .probes = probes,
                                 .rank = 110,
                                 .poll_interval = 10s,
                                 .make = make_driver<HlpDataBms4s>}};

}  // namespace

}  // namespace serialbattery::hlpdatabms4s
