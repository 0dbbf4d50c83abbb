// JBD boards by Shenzhen Jiabaida: SP, AP, DP, DH, SX series; sold as LLT Power, Overkill Solar, Xiaoxiang, and inside Liontron,
// Eco-Worthy, Vatrer, Epoch and many other batteries. UART, RS232 or RS485, 9600 baud 8N1, no address: one battery per port.
//
// A sleeping board does not answer the first frame, it only wakes up: everything is asked up to three times.
// Frames: lltjbd.hpp; registers and factory mode: lltjbd_session.hpp.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/content.hpp"
#include "bms/lltjbd_session.hpp"
#include "bms/lltjbd_up16s.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::lltjbd {

namespace {

constexpr unsigned software_lock_bit = 12;  // of the protection word

// Which FETs are locked, when the BMS only says that some lock is on: those that are off and that no protection explains.
unsigned locks_from(const Battery& battery, unsigned protection) {
  if (!wire::bit(protection, software_lock_bit)) return 0;
  const unsigned off = (battery.charge_fet == false ? charge_lock : 0U) | (battery.discharge_fet == false ? discharge_lock : 0U);
  unsigned unexplained = off;
  if ((protection & wire::bits(0, 2, 4, 5, 8)) != 0) unexplained &= ~unsigned{charge_lock};
  if ((protection & wire::bits(1, 3, 6, 7, 9, 10)) != 0) unexplained &= ~unsigned{discharge_lock};
  return unexplained != 0 ? unexplained : off;
}

bool cells_match_pack(const Battery& battery) {
  const double sum = sum_of_cells(battery), pack = battery.voltage.value_or(0);
  if (sum < 1 && pack < 1) return true;  // a board on the bench without cells
  return std::abs(sum - pack) <= std::max(1.0, 0.05 * pack);
}

// An entry of the object that stands in `details` under `name`.
boost::json::value& entry(boost::json::object& details, std::string_view name, std::uint8_t reg) {
  boost::json::value& group = details[name];
  if (!group.is_object()) group.emplace_object();
  return group.as_object()[fmt::format("0x{:02X}", reg)];
}

}  // namespace

class LltJbd final : public Driver {
 public:
  explicit LltJbd(const DriverContext& context) : Driver(context), session_(context.link) {}

  [[nodiscard]] Controls controls() const override {
    // SoC: no verified way to set it exists.
    return {.charge_switch = true, .discharge_switch = true, .balancer_switch = board_.function_bits.has_value()};
  }

  asio::awaitable<void> execute(const Command& command) override {
    const bool on = command.value != 0;
    switch (command.kind) {
      case Command::Kind::charge: co_return co_await switch_fet(charge_lock, &Battery::charge_fet, on);
      case Command::Kind::discharge: co_return co_await switch_fet(discharge_lock, &Battery::discharge_fet, on);
      case Command::Kind::balance: board_.function_bits = co_await session_.switch_balancer(on); co_return;
      default: throw FrameError(Fault::rejected, "JBD boards have no such control");
    }
  }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    session_.hurry(effort);
    co_await read_into(basic_info, found);
    if (!found.capacity) co_return false;
    co_await read_into(cell_voltages, found);
    if (!cells_match_pack(found)) co_return false;
    session_.settle();
    co_await succeeds(read_into(product_name, found));                 // some boards have no name
    if (board_.is_up_series()) co_await read_into(basic_info, found);  // now that it is known what the sensors mean
    bool is_up_board = false;
    if (!context().type_configured && may_be_up_board()) is_up_board = co_await up16s::answers(link());
    if (is_up_board) {
      spdlog::info("{}: a JBD UP board: left to the driver LltJbd_Up16s, which reads more of it", port());
      co_return false;
    }
    co_await read_settings(found);
    locks_ = locks_from(found, protection_);
    tell_unit();
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    const std::optional<unsigned> cells_before = battery().cell_count;
    co_await read_into(basic_info, next);
    if (next.cell_count == cells_before) {
      strange_count_repeats_ = 0;
    } else {
      check_cell_count(*next.cell_count);
    }
    co_await read_into(cell_voltages, next);
    distrust_cells_that_do_not_add_up(next);
    tell_unit();
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    require(request.size() >= 7 && request[0] == 0xDD, "no request of this protocol");
    const std::uint8_t reg = request[2];
    const Reply reply = co_await session_.exchange(request);
    if (reply.status != 0) {
      note()["status"] = reply.status;
      note()["rejected"] = true;
    } else if (request[1] == write_mark) {
      note()["ack"] = true;
      note().emplace("writes", boost::json::object());
      if (reg != factory_enter && reg != factory_leave) entry(note(), "writes", reg) = wire::u16be(request, 4);
      if (reg == function_bits) absorb(reg, request.subspan(4, 2), into);
    } else {
      absorb(reg, reply.data, into);
    }
  }

 private:
  asio::awaitable<void> read_into(std::uint8_t reg, Battery& into) {
    const Bytes data = co_await session_.read(reg);
    absorb(reg, data, into);
  }

  void absorb(std::uint8_t reg, Bytes data, Battery& into) {
    switch (reg) {
      case basic_info:
        protection_ = data.size() >= 18 ? wire::u16be(data, 16) : 0U;
        decode_basic_info(data, config(), board_, into, note());
        break;
      case cell_voltages: decode_cell_voltages(data, into); break;
      case product_name:
        board_.product_name = wire::text(data);
        into.identity.model = board_.product_name;
        note()["product_name"] = board_.product_name;
        break;
      case error_counters: decode_error_counters(data, note()); break;
      case cycle_capacity: note()["cycle_capacity"] = wire::u16be(data, 0) / board_.per_ah(); break;
      case charge_overcurrent: into.limits.charge_current = decode_trip_current(data, board_); break;
      case discharge_overcurrent: into.limits.discharge_current = decode_trip_current(data, board_); break;
      case function_bits:
        board_.function_bits = wire::u16be(data, 0);
        into.balance_fet = (*board_.function_bits & balancing_enabled_bit) != 0;
        note()["func_config"] = *board_.function_bits;
        break;
      default:
        if (data.size() == 2) entry(note(), "registers", reg) = wire::u16be(data, 0);
    }
  }

  // UP rack boards speak this protocol too, but tell only a part of what they know.
  [[nodiscard]] bool may_be_up_board() const {
    const std::string_view name = board_.product_name;
    return name.starts_with("UP") || name.starts_with("JBD-UP") || board_.sensors == 6;
  }

  // Limits and function bits; without them (password set, no answer) the battery works, limits stay unknown.
  asio::awaitable<void> read_settings(Battery& found) {
    try {
      co_await session_.in_factory_mode(read_factory_registers(found));
    } catch (const BmsError& error) {
      if (error.port_gone()) throw;
      spdlog::info("{}: JBD settings can't be read ({}): its current limits stay unknown", port(), error.what());
    }
  }

  asio::awaitable<bool> read_factory_registers(Battery& found) {
    // Function bits first: they hold the unit of the others. A register that a board has not must not hide the limits.
    for (const std::uint8_t reg : {function_bits, cycle_capacity, charge_overcurrent, discharge_overcurrent})
      co_await succeeds(read_into(reg, found));
    co_return false;
  }

  asio::awaitable<void> switch_fet(FetMask fet, std::optional<bool> Battery::*state, bool on) {
    const unsigned wanted = on ? locks_ & ~unsigned{fet} : locks_ | fet;
    co_await session_.lock_fets(wanted, fet);
    locks_ = wanted;
    if (on) co_return;                      // a released FET may stay off for a protection
    for (int look = 0; look < 3; ++look) {  // the status may lag behind the acknowledgement
      if (look > 0) co_await link().sleep(300ms);
      Battery after = battery();
      co_await read_into(basic_info, after);
      if (after.*state == false) co_return;
    }
    throw FrameError(Fault::rejected, "JBD: the FET is still on after the command");
  }

  // No capture has the big unit: if a board uses it, its user should compare with a meter.
  void tell_unit() {
    const bool big = board_.per_ah() == 10;
    const bool contradiction = board_.function_bits && big != board_.big_unit_announced;
    if ((!big && !contradiction) || std::exchange(unit_told_, true)) return;
    spdlog::warn("{}: JBD counts in {} A and Ah{}: compare with a meter", port(), big ? "0.1" : "0.01",
                 contradiction ? ", although another of its bits says otherwise" : "");
  }

  // A changed number of cells is refused until three frames in a row agree: then it is another board.
  void check_cell_count(unsigned cells) {
    strange_count_repeats_ = cells == strange_count_ ? strange_count_repeats_ + 1 : 1;
    strange_count_ = cells;
    if (strange_count_repeats_ < 3) throw FrameError(Fault::implausible, fmt::format("JBD: number of cells changed to {}", cells));
    spdlog::warn("{}: JBD now has {} cells", port(), cells);
    strange_count_repeats_ = 0;
  }

  void distrust_cells_that_do_not_add_up(Battery& next) {
    if (cells_match_pack(next)) {
      mismatches_ = 0;
      return;
    }
    if (++mismatches_ <= 10) return;
    if (mismatches_ == 11) spdlog::warn("{}: JBD cell voltages do not add up to the pack voltage: not used", port());
    for (Cell& cell : next.cells) cell.voltage.reset();
  }

  Session session_;
  Board board_;
  unsigned protection_ = 0;  // protection word of the last basic info
  unsigned locks_ = 0;  // our FET locks. Not derived from FET states: a FET that a protection switched off would then be locked for good.
  unsigned strange_count_ = 0;
  int strange_count_repeats_ = 0;
  int mismatches_ = 0;
  bool unit_told_ = false;
};

namespace {

constexpr Probe probes[] = {{.line = {9600}}};
const Registration registration{{.type = "LltJbd",
                                 .text = "LLT/JBD",
                                 .probes = probes,
                                 .rank = 30,
                                 .port_id_address = "0x00",
                                 .connection_address = true,
                                 .make = make_driver<LltJbd>}};

}  // namespace

}  // namespace serialbattery::lltjbd
