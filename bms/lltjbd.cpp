// JBD boards by Shenzhen Jiabaida: SP, AP, DP, DH, SX series; sold as LLT Power, Overkill Solar, Xiaoxiang, and inside Liontron,
// Eco-Worthy, Vatrer, Epoch and many other batteries. UART, RS232 or RS485, 9600 baud 8N1, no address: one battery per port.
//
// A sleeping board does not answer the first frame, it only wakes up: everything is asked up to three times.
// Limits and function bits lie in EEPROM registers behind a "factory mode" that must be left on every path.
#include "bms/lltjbd.hpp"

#include <fmt/format.h>

#include "bms/lltjbd_up16s.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::lltjbd {

namespace {

constexpr Timing normal{.first_byte = 500ms, .between_bytes = 100ms, .expected = 87, .total = 1s, .gap = 50ms, .attempts = 3};
constexpr std::uint16_t factory_password = 0x5678;
constexpr std::uint16_t leave_plain = 0x0000;
constexpr std::uint16_t leave_and_save = 0x2828;  // also clears the protection counters
constexpr std::uint8_t status_unknown_register = 0x80;

Timing patience(Effort effort) {
  Timing timing = normal;
  if (effort == Effort::quick) {
    timing.first_byte = 300ms;
    timing.attempts = 2;  // the first may only wake the board up
  }
  return timing;
}

// Which FETs are locked, when the BMS only says that some lock is on: those that are off and that no protection explains.
unsigned locks_from(const Battery& battery, unsigned protection) {
  const auto bits = [](std::initializer_list<unsigned> list) {
    unsigned mask = 0;
    for (const unsigned bit : list) mask |= 1U << bit;
    return mask;
  };
  const unsigned explains_charge_off = bits({0, 2, 4, 5, 8});
  const unsigned explains_discharge_off = bits({1, 3, 6, 7, 9, 10});
  const unsigned off = (battery.charge_fet == false ? 1U : 0U) | (battery.discharge_fet == false ? 2U : 0U);
  unsigned unexplained = off;
  if (protection & explains_charge_off) unexplained &= ~1U;
  if (protection & explains_discharge_off) unexplained &= ~2U;
  return unexplained != 0 ? unexplained : off;
}

bool cells_match_pack(const Battery& battery) {
  double sum = 0;
  for (const Cell& cell : battery.cells) sum += cell.voltage.value_or(0);
  const double pack = battery.voltage.value_or(0);
  if (sum < 1 && pack < 1) return true;  // a board on the bench without cells
  return std::abs(sum - pack) <= std::max(1.0, 0.05 * pack);
}

}  // namespace

class LltJbd final : public Driver {
 public:
  using Driver::Driver;

  [[nodiscard]] Controls controls() const override {
    // SoC: no verified way to set it exists.
    return {.charge_switch = true, .discharge_switch = true, .balancer_switch = board_.function_bits.has_value()};
  }

  asio::awaitable<void> execute(const Command& command) override {
    switch (command.kind) {
      case Command::Kind::charge: co_return co_await lock_fet(1U, command.value == 0);
      case Command::Kind::discharge: co_return co_await lock_fet(2U, command.value == 0);
      case Command::Kind::balance: co_return co_await switch_balancer(command.value != 0);
      default: throw FrameError(Fault::rejected, "JBD boards have no such control");
    }
  }

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    timing_ = patience(effort);
    co_await read_into(basic_info, found);
    if (!found.capacity) co_return false;
    co_await read_into(cell_voltages, found);
    if (!cells_match_pack(found)) co_return false;
    timing_ = normal;
    try {
      co_await read_into(product_name, found);
      if (!board_.product_name.empty()) co_await read_into(basic_info, found);  // the name may change what the sensors mean
    } catch (const FrameError&) {                                               // some boards have no name
    } catch (const LinkError& error) {
      if (error.fault() != Fault::timeout) throw;
    }
    bool is_up_board = false;
    if (!context().type_configured && may_be_up_board()) is_up_board = co_await up16s::answers(link());
    if (is_up_board) {
      spdlog::info("{}: a JBD UP board: left to the driver LltJbd_Up16s, which reads more of it", link().stream().name());
      co_return false;
    }
    co_await read_settings(found);
    locks_ = software_locked() ? locks_from(found, protection_) : 0;
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    const std::optional<unsigned> cells_before = battery().cell_count;
    co_await read_into(basic_info, next);
    if (next.cell_count != cells_before) check_cell_count(*next.cell_count);
    co_await read_into(cell_voltages, next);
    distrust_cells_that_do_not_add_up(next);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    if (request.size() < 7 || request[0] != 0xDD) throw FrameError(Fault::implausible, "no request of this protocol");
    const bool write = request[1] == 0x5A;
    const std::uint8_t reg = request[2];
    const Bytes frame = co_await link().transact(
        request, [&](Bytes seen) { return scan_reply(seen, reg, write ? Access::write : Access::read); }, timing_);
    const Reply reply = parse_reply(frame);
    if (reply.status != 0) {
      note()["status"] = reply.status;
      note()["rejected"] = true;
    } else if (write) {
      note()["ack"] = true;
      auto& writes = note()["writes"];
      if (!writes.is_object()) writes.emplace_object();
      if (reg != factory_enter && reg != factory_leave) writes.as_object()[fmt::format("0x{:02X}", reg)] = wire::u16be(request, 4);
      if (reg == function_bits) absorb(reg, request.subspan(4, 2), into);
    } else {
      absorb(reg, reply.data, into);
    }
  }

 private:
  asio::awaitable<Bytes> request(std::uint8_t reg, Access access, ByteVector bytes) {
    const Bytes frame = co_await link().transact(
        bytes, [reg, access](Bytes seen) { return scan_reply(seen, reg, access); }, timing_);
    const Reply reply = parse_reply(frame);
    if (reply.status != 0) {
      refused_with_ = reply.status;
      throw FrameError(Fault::rejected, fmt::format("JBD: register 0x{:02X} refused with status 0x{:02X}", reg, reply.status));
    }
    co_return reply.data;
  }

  asio::awaitable<void> read_into(std::uint8_t reg, Battery& into) {
    const Bytes data = co_await request(reg, Access::read, read_request(reg));
    absorb(reg, data, into);
  }

  asio::awaitable<void> write(std::uint8_t reg, std::uint16_t value) { co_await request(reg, Access::write, write_request(reg, value)); }

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
        if (data.size() == 2) {
          auto& registers = note()["registers"];
          if (!registers.is_object()) registers.emplace_object();
          registers.as_object()[fmt::format("0x{:02X}", reg)] = wire::u16be(data, 0);
        }
    }
  }

  // UP rack boards speak this protocol too, but tell only a part of what they know.
  [[nodiscard]] bool may_be_up_board() const {
    const std::string_view name = board_.product_name;
    return name.starts_with("UP") || name.starts_with("JBD-UP") || board_.sensors == 6;
  }

  [[nodiscard]] bool software_locked() const { return (protection_ >> 12U) & 1U; }

  // Limits and function bits; without them (password set, no answer) the battery works, limits stay unknown.
  asio::awaitable<void> read_settings(Battery& found) {
    std::exception_ptr gone;
    try {
      co_await write(factory_enter, factory_password);
      // Function bits first: they hold the unit of the others.
      for (const std::uint8_t reg : {function_bits, cycle_capacity, charge_overcurrent, discharge_overcurrent})
        co_await read_into(reg, found);
    } catch (const BmsError& error) {
      spdlog::info("{}: JBD settings can't be read ({}): its current limits stay unknown", link().stream().name(), error.what());
      if (error.fault() == Fault::closed || error.fault() == Fault::io) gone = std::current_exception();
    }
    if (gone) std::rethrow_exception(gone);
    co_await leave_factory_mode(leave_plain);
  }

  // Up to three times: a board left in factory mode is a hazard. Its failure must not hide what was done before.
  asio::awaitable<void> leave_factory_mode(std::uint16_t how) {
    try {
      co_await write(factory_leave, how);
    } catch (const BmsError& error) {
      if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
      spdlog::warn("{}: JBD did not confirm the end of factory mode ({})", link().stream().name(), error.what());
    }
  }

  asio::awaitable<void> lock_fet(unsigned mask, bool lock) {
    const unsigned wanted = lock ? locks_ | mask : locks_ & ~mask;
    bool newest_firmware = false;
    refused_with_.reset();
    try {
      co_await write(fet_lock, static_cast<std::uint16_t>(wanted));
    } catch (const FrameError&) {
      if (refused_with_ != status_unknown_register) throw;
      newest_firmware = true;
    }
    if (newest_firmware) {
      const unsigned which = mask == 1U ? 0x0100U : 0x0000U;
      co_await write(fet_lock_newest, static_cast<std::uint16_t>(which | (lock ? 1U : 0U)));
    }
    locks_ = wanted;
    co_await leave_factory_mode(leave_plain);  // as the vendor's app does after each; heals a session left open
    if (!lock) co_return;                      // a released FET may stay off for a protection
    Battery after = battery();
    co_await read_into(basic_info, after);
    const bool off = (mask == 1U ? after.charge_fet : after.discharge_fet) == false;
    if (!off) throw FrameError(Fault::rejected, "JBD: the FET is still on after the command");
  }

  asio::awaitable<std::uint16_t> read_function_bits() {
    const Bytes data = co_await request(function_bits, Access::read, read_request(function_bits));
    co_return wire::u16be(data, 0);
  }

  // One factory session that leaves the bit as wanted; true if it was so already.
  asio::awaitable<bool> write_balancer_bit(bool enable, std::uint16_t leave) {
    std::exception_ptr failure;
    bool already = false;
    try {
      co_await write(factory_enter, factory_password);
      const std::uint16_t before = co_await read_function_bits();
      const auto wanted = static_cast<std::uint16_t>(enable ? before | balancing_enabled_bit : before & ~balancing_enabled_bit);
      already = before == wanted;
      if (!already) co_await write(function_bits, wanted);
      board_.function_bits = wanted;
    } catch (const BmsError&) {
      failure = std::current_exception();
    }
    co_await leave_factory_mode(already || failure ? leave_plain : leave);
    if (failure) std::rethrow_exception(failure);
    co_return already;
  }

  asio::awaitable<void> switch_balancer(bool enable) {
    // The plain leave keeps the protection counters; boards that forget the value then get the saving leave.
    for (const std::uint16_t leave : {leave_plain, leave_and_save}) {
      const bool already = co_await write_balancer_bit(enable, leave);
      if (already) co_return;
      const bool kept = co_await balancer_is(enable);
      if (kept) co_return;
    }
    throw FrameError(Fault::rejected, "JBD: the balancer switch was not kept");
  }

  asio::awaitable<bool> balancer_is(bool enabled) {
    std::exception_ptr failure;
    std::uint16_t bits = 0;
    try {
      co_await write(factory_enter, factory_password);
      bits = co_await read_function_bits();
    } catch (const BmsError&) {
      failure = std::current_exception();
    }
    co_await leave_factory_mode(leave_plain);
    if (failure) std::rethrow_exception(failure);
    co_return ((bits & balancing_enabled_bit) != 0) == enabled;
  }

  // A changed number of cells is refused until three frames in a row agree: then it is another board.
  void check_cell_count(unsigned cells) {
    strange_count_repeats_ = cells == strange_count_ ? strange_count_repeats_ + 1 : 1;
    strange_count_ = cells;
    if (strange_count_repeats_ < 3) throw FrameError(Fault::implausible, fmt::format("JBD: number of cells changed to {}", cells));
    spdlog::warn("{}: JBD now has {} cells", link().stream().name(), cells);
    strange_count_repeats_ = 0;
  }

  void distrust_cells_that_do_not_add_up(Battery& next) {
    if (cells_match_pack(next)) {
      mismatches_ = 0;
      return;
    }
    if (++mismatches_ <= 10) return;
    if (mismatches_ == 11) spdlog::warn("{}: JBD cell voltages do not add up to the pack voltage: not used", link().stream().name());
    for (Cell& cell : next.cells) cell.voltage.reset();
  }

  Timing timing_ = normal;
  Board board_;
  unsigned protection_ = 0;  // protection word of the last basic info
  unsigned locks_ = 0;       // our FET locks: bit 0 charging, bit 1 discharging. Not derived from FET states: a FET that a protection
                             // switched off would then be locked for good.
  std::optional<std::uint8_t> refused_with_;
  unsigned strange_count_ = 0;
  int strange_count_repeats_ = 0;
  int mismatches_ = 0;
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
