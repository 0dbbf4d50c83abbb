// Daly Smart BMS and its re-brands (MGod, "100 balance", DNK, JHB, HAIDI..), 3 to 48 cells: classic red boards (R16T, R25, R32..),
// boards with an active balancer (R24T, JHB). RS485, UART or RS232, 9600 baud 8N1, address 0x40 and up, older boards 0x80.
// Not the boards with a Sinowealth chip, and not those that only speak Modbus.
//
// A reading takes eight requests, 1 to 2 s. Classic boards lose answers, newer ones drop requests that follow too fast. A firmware that
// does not know a command is silent. Frames: daly.hpp, their data: daly_data.hpp.
#include "bms/daly.hpp"

#include <fmt/format.h>

#include "bms/content.hpp"
#include "bms/daly_session.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::daly {

namespace {

constexpr auto oldest = 10s;  // that a value may become while its command fails
constexpr auto seldom = 60s;  // between two readings of the status, or of what the board did not answer

bool pack_fits_cells(const Battery& battery) {
  const double per_cell = *battery.voltage / *battery.cell_count;
  return per_cell >= 1 && per_cell <= 5;
}

}  // namespace

class Daly final : public Driver {
 public:
  Daly(const DriverContext& context, WallClock clock) : Driver(context), clock_(clock), session_(context.link, context.address) {}

  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02X}", context().address); }
  [[nodiscard]] Controls controls() const override {
    return {.charge_switch = true, .discharge_switch = true, .soc = true, .soc_reset_when_full = true};
  }

  asio::awaitable<void> execute(const serialbattery::Command& command) override {
    using enum serialbattery::Command::Kind;
    switch (command.kind) {
      case charge: co_return co_await switch_fet(charge_fet, command.value != 0);
      case discharge: co_return co_await switch_fet(discharge_fet, command.value != 0);
      case soc: co_return co_await write_soc(command.value);
      default: throw FrameError(Fault::rejected, "Daly boards have no such control");
    }
  }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    start_anew();
    session_.begin(effort);
    const int attempts = effort == Effort::quick ? 1 : 3;
    co_await read(status, found, attempts);
    co_await read(pack, found, attempts);
    session_.settle();
    if (!pack_fits_cells(found)) co_return false;
    // The battery's identity hangs on these, so a lost answer is worth a second try. Firmware that knows them not is silent.
    for (const Command command : {battery_code, rated, battery_info})
      co_await succeeds(read(command, found, command == battery_code ? 3 : 2));
    co_await succeeds(read(hardware, found, 1));
    if (!found.capacity) found.capacity = config().battery_capacity;
    name(found);
    for (const Command command : {state, cell_extremes, faults, temperature_extremes, balancing, cell_voltages})
      co_await succeeds(read(command, found, 1));
    co_return true;
  }

  // A poll fails without the pack's values or its alarms; so nothing older than `oldest` is ever taken for new.
  asio::awaitable<void> poll(Battery& next) override {
    co_await read(pack, next, 3);
    co_await read_or_keep(state, next);
    co_await read_or_keep(cell_extremes, next);
    co_await read(faults, next, 1);
    co_await read_or_keep(temperature_extremes, next);
    co_await read_or_keep(balancing, next);
    co_await read_cells(next);
    if (each_temperature_due()) co_await read_each_temperature(next);
    if (now() - last_good_[status] >= seldom) co_await reread_status(next);
    if (!std::exchange(software_asked_, true)) co_await succeeds(read(software, next, 1));  // the first reading does not wait for it
    watch_sign(next);
    watch_sum(next);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    require(request.size() == 13 && request[0] == 0xA5, "no request of this protocol");
    const auto command = static_cast<Command>(request[2]);
    const ByteVector data =
        co_await session_.exchange(request, {board_number(request[1]), command, numbered_frames(command, into, board_)});
    decode(command, data, config(), board_, into, note());
    if (command == discharge_fet || command == charge_fet) {
      note_write(command == charge_fet ? "charge_fet" : "discharge_fet", request[4] != 0, data[0] == request[4]);
    } else if (command == set_soc) {
      note_write("soc", wire::u16be(request, 10) / 10.0, data[0] == 1);
    }
  }

 private:
  void start_anew() {
    board_ = {};
    software_asked_ = false;
    last_good_.clear();
    each_temperature_due_ = {};
    cell_failures_ = contradictions_ = 0;
  }

  asio::awaitable<void> read(Command command, Battery& into, int attempts) {
    const ByteVector data = co_await session_.read(command, numbered_frames(command, into, board_), attempts);
    decode(command, data, config(), board_, into, note());
    last_good_[command] = now();
    if (command == faults) tell_new_bits("Daly faults", fault_word(data), quiet_faults, fault_names);
  }

  [[nodiscard]] bool too_old(Command command) const {
    const auto last = last_good_.find(command);
    return last == last_good_.end() || now() - last->second > oldest;
  }

  asio::awaitable<void> read_or_keep(Command command, Battery& next) {
    try {
      co_await read(command, next, 1);
    } catch (const BmsError& error) {
      if (error.port_gone() || too_old(command)) throw;
    }
  }

  // Bursts lose bytes on classic boards: the cells of the poll before serve once.
  asio::awaitable<void> read_cells(Battery& next) {
    try {
      co_await read(cell_voltages, next, 1);
      cell_failures_ = 0;
    } catch (const BmsError& error) {
      if (error.port_gone() || ++cell_failures_ > 1 || too_old(cell_voltages)) throw;
    }
  }

  [[nodiscard]] bool each_temperature_due() const { return (board_.sensors == 3 || board_.sensors == 4) && now() >= each_temperature_due_; }

  // A board that does not know the command is asked seldom.
  asio::awaitable<void> read_each_temperature(Battery& next) {
    const bool answered = co_await succeeds(read(temperatures, next, 1));
    if (!answered && too_old(temperatures)) {
      board_.each.reset();
      each_temperature_due_ = now() + seldom;
    }
  }

  asio::awaitable<void> reread_status(Battery& next) {
    const auto cells = next.cell_count;
    const bool answered = co_await succeeds(read(status, next, 1));
    if (answered && next.cell_count != cells) {
      last_good_.erase(status);
      throw FrameError(Fault::implausible, "Daly: the number of cells has changed");
    }
  }

  // Daly counts current upwards while charging on some boards and while discharging on others.
  void watch_sign(const Battery& battery) {
    const bool contradicts = (board_.flow == 1 && battery.current < -1.0) || (board_.flow == 2 && battery.current > 1.0);
    contradictions_ = contradicts ? contradictions_ + 1 : 0;
    if (contradictions_ != 10) return;
    spdlog::warn("{}: Daly says that it is {}charging, but its current is {:.1f} A: set INVERT_CURRENT_MEASUREMENT = {} in config.ini",
                 port(), board_.flow == 1 ? "" : "dis", *battery.current, config().invert_current_measurement < 0 ? 1 : -1);
  }

  void watch_sum(const Battery& battery) {
    if (std::ranges::any_of(battery.cells, [](const Cell& cell) { return !cell.voltage; })) return;
    const double sum = sum_of_cells(battery);
    if (std::abs(sum - *battery.voltage) <= std::max(1.0, 0.03 * *battery.voltage) || std::exchange(sum_told_, true)) return;
    spdlog::warn("{}: Daly: the cells add up to {:.2f} V, the pack has {:.1f} V", port(), sum, *battery.voltage);
  }

  asio::awaitable<void> switch_fet(Command which, bool on) {
    const auto value = static_cast<std::uint8_t>(on ? 1 : 0);
    const bool acknowledged = co_await session_.write(which, {value}, value);
    const auto fet = which == charge_fet ? &Battery::charge_fet : &Battery::discharge_fet;
    const bool switched = co_await becomes_true(state, [fet, on](const Battery& after) { return after.*fet == on; });
    // A protection may keep a released FET off.
    require(switched || (on && acknowledged), "Daly: the FET did not switch", Fault::rejected);
  }

  asio::awaitable<void> write_soc(double percent) {
    require(percent >= 0 && percent <= 100, "Daly: SoC outside 0..100 %", Fault::rejected);
    co_await session_.write(set_soc, soc_data(percent, clock_()), 1);
    const bool taken = co_await becomes_true(pack, [percent](const Battery& after) { return std::abs(*after.soc - percent) <= 1; });
    require(taken, "Daly: the SoC did not change", Fault::rejected);
  }

  // An acknowledgement is no proof: reads back until the board shows what was written, a second at most.
  asio::awaitable<bool> becomes_true(Command command, std::function<bool(const Battery&)> condition) {
    for (int look = 0; look < 3; ++look) {
      if (look > 0) co_await link().sleep(300ms);
      Battery after = battery();
      const bool answered = co_await succeeds(read(command, after, 3));
      if (answered && condition(after)) co_return true;
    }
    co_return false;
  }

  void note_write(std::string_view what, const boost::json::value& value, bool acknowledged) {
    note()["write"] = what;
    note()["value"] = value;
    note()["ack"] = acknowledged;
  }

  [[nodiscard]] TimePoint now() const { return context().link.now(); }

  WallClock clock_;
  Session session_;
  Board board_;
  std::map<Command, TimePoint> last_good_;
  TimePoint each_temperature_due_{};
  unsigned cell_failures_ = 0;   // in a row
  unsigned contradictions_ = 0;  // between current and state, polls in a row
  bool sum_told_ = false;
  bool software_asked_ = false;
};

std::unique_ptr<Driver> make_daly(const DriverContext& context, WallClock clock) {
  return std::make_unique<Daly>(context, clock);
}

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x40}, {.line = {9600}, .address = 0x80}};
const Registration registration{{.type = "Daly",
                                 .text = "Daly",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 50,
                                 .port_id_address = "0x40",
                                 .connection_address = true,
                                 .make = [](const DriverContext& context) { return make_daly(context, &std::chrono::system_clock::now); }}};

}  // namespace

}  // namespace serialbattery::daly
