// Seplos BMS 3.0 ("V3", made by XZH-ElecTech): 8 to 16 cells, 100 to 200 A; Mason and "Seplos Kit" boxes with that board. Not the
// boards V1 and V2, which speak an ASCII protocol. RS485, Modbus RTU, 19200 baud 8N1; addresses by DIP switch: 0 is a pack alone or the
// master of a stack (and no broadcast), 1..15 are slaves.
//
//   function 4  0x1000  18 registers  pack             each cycle
//               0x1100  26 registers  cells            each cycle
//   function 1  0x1200  144 coils     states, alarms   each cycle
//   function 4  0x1300  106 registers parameters       once a minute
//               0x1700                names            once
//
// A master polls its slaves itself, about five times a second, and publishes its own values under address 1. Whoever asks in between
// only disturbs: such a stack is overheard (seplosv3_stack.hpp).
// Quirks: some firmware has 17 pack registers and refuses the parameters in one piece. Sources: vendor's "XZH BMS Modbus RTU Protocol"
// V0.1, captures of three packs.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "bms/modbus_driver.hpp"
#include "bms/seplosv3_stack.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::seplosv3 {

namespace {

using modbus::Block;
using modbus::inputs;
using modbus::Reading;

constexpr Timing normal{.first_byte = 400ms, .between_bytes = 100ms, .expected = 217, .gap = 20ms, .attempts = 3};
constexpr Duration parameters_every = 60s;

constexpr Block shorter_pack[] = {inputs(pack.start, 17)};
constexpr Block half_parameters[] = {inputs(0x1300, 53), inputs(0x1335, 53)};
constexpr Reading pack_reading{pack, shorter_pack};
constexpr Reading parameters{inputs(0x1300, 106), half_parameters};

}  // namespace

class SeplosV3 final : public modbus::ModbusDriver {
 public:
  explicit SeplosV3(const DriverContext& context) : ModbusDriver(context, normal), stack_(context.link.common<Stack>()) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    // The master of a stack is at 0, a pack alone may be at 1. The other addresses are searched when there is time.
    const bool likely = context().address_configured || address() <= 1;
    if (!likely && effort == Effort::quick) co_return false;
    begin_probe(effort, 200ms, likely ? 2 : 1);  // 14 unlikely places shall not keep the port for long
    cells_seen_ = 0;
    passive_ = co_await stack_.is_talking(link());
    if (passive_) co_return co_await probe_stack(found);
    if (context().busy_line) co_return false;
    co_await read(factory_name);
    settle();
    co_await read(device_name);
    co_await read(firmware);
    co_await read(serial);
    co_await read(parameters, SplitAfter::any_failure);
    co_await read_cycle(SplitAfter::any_failure);
    decode(found);
    parameters_due_ = link().now() + parameters_every;
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    if (passive_) co_return co_await poll_stack(next);
    co_await read_cycle(SplitAfter::refusal);
    if (link().now() >= parameters_due_) {
      for (const Block& part : has_split(parameters.block) ? parameters.instead : std::span(&parameters.block, 1))
        co_await try_read(part, Otherwise::keep);
      parameters_due_ = link().now() + parameters_every;
    }
    decode(next);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    if (!request.empty()) co_return co_await ModbusDriver::replay_exchange(request, into);
    passive_ = true;  // overheard
    co_await poll_stack(into);
  }

  void decode(Battery& into) override {
    seplosv3::decode(registers(), count_cells(), into, note());
    if (registers().has(serial))
      into.identity.unique_id = into.identity.serial_number.empty() ? port_and_address() : into.identity.serial_number;
    tell_new_bits("Seplos faults", events_of(registers()), quiet_events, fault_names);
  }

 private:
  asio::awaitable<void> read_cycle(SplitAfter after) {
    co_await read(pack_reading, after);
    co_await read(cells);
    co_await read(states);
  }

  asio::awaitable<bool> probe_stack(Battery& found) {
    if (!context().address_configured && address() > 1) co_return false;
    const std::uint8_t wanted = address() == 0 && !context().address_configured ? std::uint8_t{1} : address();
    if (wanted == 0) {
      spdlog::warn("{}: a Seplos stack whose master polls: its packs are 0x01 (master), 0x02, ... in BATTERY_ADDRESSES, none is 0x00",
                   port());
      co_return false;
    }
    listen_to_ = wanted;
    heard_ = {};
    co_await poll_stack(found);
    if (!context().address_configured && stack_.packs() > 1) {
      spdlog::warn("{}: a Seplos stack with {} packs; only the first is used. List all in BATTERY_ADDRESSES: {}", port(), stack_.packs(),
                   stack_.address_list());
    }
    co_return true;
  }

  asio::awaitable<void> poll_stack(Battery& next) {
    const std::uint8_t from = listen_to_.value_or(address());
    heard_ = co_await stack_.hear(link(), from, heard_);
    stack_.copy(from, registers());
    decode(next);
    next.identity.hardware_version = "Seplos v3";
    next.identity.unique_id = fmt::format("{}__0x{:02x}", port(), from);
  }

  // Without the parameters (a stack that is overheard) the cells with a voltage count. A broken sense wire doesn't make the pack smaller.
  [[nodiscard]] unsigned count_cells() {
    if (const auto told = told_cells(registers())) return *told;
    return cells_seen_ = std::max(cells_seen_, seen_cells(registers()));
  }

  Stack& stack_;
  bool passive_ = false;                   // a master polls: listen only
  std::optional<std::uint8_t> listen_to_;  // address of our pack in a stack
  Stack::Mark heard_{};                    // what of it is known already
  unsigned cells_seen_ = 0;
  TimePoint parameters_due_{};
};

namespace {

constexpr auto probes = [] {
  std::array<Probe, 16> list{};
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = {.line = {19200}, .address = static_cast<std::uint8_t>(i)};
  return list;
}();
const Registration registration{{.type = "Seplosv3",
                                 .text = "Seplos v3",
                                 .probes = probes,
                                 .addressable = true,
                                 .listens = true,
                                 .rank = 160,
                                 .make = make_driver<SeplosV3>}};

}  // namespace

}  // namespace serialbattery::seplosv3
