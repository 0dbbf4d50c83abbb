// The conversation with the MAX17853.
#include "bms/mnb_chip.hpp"

#include <spdlog/spdlog.h>

#include <cmath>

namespace serialbattery::mnb {

namespace {

constexpr Duration between_looks = 5ms;   // at the state of a scan
constexpr Duration longest_scan = 200ms;  // it takes a few ms
constexpr std::uint16_t all_switches = 0x01FE, start_balancer = 0x2002;

// Thresholds: volts per count as the board's first driver has them, so that the chip trips where it always did.
std::uint16_t threshold(double volts, double volts_per_count) {
  const double whole = std::clamp(std::trunc(volts / volts_per_count), 0.0, 16383.0);
  return static_cast<std::uint16_t>(static_cast<unsigned>(whole) << 2U);
}

// Makes the chip measure this board and watch its limits; the order matters.
std::vector<Access> set_up_writes(double cell_max, double cell_min) {
  constexpr double cell_step = 0.000305, block_step = 0.003967;
  const double pack_max = cell_max * cell_count, pack_min = cell_min * cell_count;
  const std::pair<std::uint8_t, std::uint16_t> writes[] = {
      {0x01, 0},
      {0x02, 0},
      {0x03, 0},
      {0x04, 0},
      {0x05, 0},
      {0x06, 0},                                       // forget the power-on reset
      {0x14, 0x0002},                                  // alert pin: SPI interrupt
      {0x15, 0x0004},                                  // no SPI time-out
      {0x16, 0x0000},                                  // auxiliary inputs are analogue
      {0x18, 0x2999},                                  // top channel: cells + 1
      {0x19, 0x3FAF},                                  // alerts in use
      {0x1A, 0x41FE},                                  // over-voltage alerts: block, cells
      {0x1B, 0x41FE},                                  // under-voltage
      {0x1C, 0x000F},                                  // auxiliary inputs
      {0x1D, 0x000F},                                  //
      {0x1F, threshold(cell_max - 0.1, cell_step)},    // cell over-voltage ends, begins
      {0x20, threshold(cell_max, cell_step)},          //
      {0x21, threshold(cell_min + 0.1, cell_step)},    // cell under-voltage
      {0x22, threshold(cell_min, cell_step)},          //
      {0x23, 0x0514},                                  // mismatch: 0.1 V
      {0x28, threshold(pack_max - 0.25, block_step)},  // block over-voltage
      {0x29, threshold(pack_max, block_step)},         //
      {0x2A, threshold(pack_min + 0.25, block_step)},  // block under-voltage
      {0x2B, threshold(pack_min, block_step)},         //
      {0x30, 0x8584},                                  // cold ends at 20 degrees Celsius,
      {0x31, 0x9378},                                  // begins at 15
      {0x32, 0x6314},                                  // hot ends at 35,
      {0x33, 0x59B4},                                  // begins at 40
      {0x5F, 0x0001},                                  // channel 1 is bipolar
      {0x62, 0x4800},                                  // acquisition
      {0x63, 0x0303},                                  // pause after balancing: 3 x 96 us
      {0x64, 0x41FF},                                  // measure block, current, cells
      {0x65, 0x803F},                                  // six auxiliary inputs
      {scan_control, start_scan},                      //
      {balance_control, 0},                            //
      {balance_switches, 0x01FE},                      //
      {0x7E, 0x0001},                                  // balance down to the lowest cell
      {0x6B, 0x0001},                                  // die temperature to `die`
  };
  std::vector<Access> list;
  for (const auto& [reg, value] : writes) list.push_back({Access::Kind::write, reg, value});
  return list;
}

}  // namespace

asio::awaitable<Reply> Chip::transfer(Access access, Duration gap) {
  const Timing timing{.first_byte = 50ms, .expected = Frame().size(), .gap = gap};
  const Frame frame = encode(access);
  const auto whole = [](Bytes seen) { return seen.size() < Frame().size() ? Scan::started() : Scan::found(0, Frame().size()); };
  const Reply reply = parse_reply(co_await link_.transact(frame, whole, timing));
  if (access.kind == Access::Kind::read && !reply.checked) ++mismatches_;
  co_return reply;
}

asio::awaitable<std::uint16_t> Chip::read(std::uint8_t reg, Duration gap) {
  const Reply reply = co_await transfer({Access::Kind::read, reg}, gap);
  co_return reply.data;
}

asio::awaitable<unsigned> Chip::write(std::uint8_t reg, std::uint16_t value) {
  const Reply reply = co_await transfer({Access::Kind::write, reg, value});
  co_return reply.flags;
}

asio::awaitable<void> Chip::read_into(Image& image, std::uint8_t reg) {
  const std::uint16_t value = co_await read(reg);
  image.store(reg, value);
}

asio::awaitable<void> Chip::set_up(CellLimits limits) {
  for (const Access& access : set_up_writes(limits.max, limits.min)) co_await transfer(access);
  needs_set_up_ = false;
}

asio::awaitable<void> Chip::measure(Image& image) {
  co_await write(scan_control, start_scan);
  co_await scan_finished();
  co_await read_into(image, die);
  co_await write(manual_transfer, 1);
  const unsigned flags = co_await write(scan_control, transfer_and_scan);
  if (flags != 0) co_await read_status(image);
  for (std::size_t i = 0; i < cell_count; ++i) co_await read_into(image, static_cast<std::uint8_t>(first_cell + i));
  for (const std::uint8_t reg : {current_sense, block, total}) co_await read_into(image, reg);
  for (std::size_t i = 0; i < sensor_count; ++i) co_await read_into(image, static_cast<std::uint8_t>(first_sensor + i));
  co_await read_status(image);
}

asio::awaitable<void> Chip::scan_finished() {
  const TimePoint end = link_.now() + longest_scan;
  std::uint16_t state = 0;
  while ((state & data_ready) == 0 && link_.now() < end) state = co_await read(scan_control, between_looks);
  constexpr std::uint16_t stuck_high = 0xFFFF;
  if ((state & data_ready) != 0 && state != stuck_high) co_return;
  const std::uint16_t model = co_await read(version);
  require(!is_dead_bus(model), "MNB: no chip on the SPI bus, or a data line is stuck");
  throw LinkError(Fault::timeout, "MNB: the chip does not finish its scan");
}

// Bits stay set in the chip until they are cleared, so that none is cleared unseen.
asio::awaitable<void> Chip::read_status(Image& image) {
  for (const std::uint8_t reg : {status1, status2, fmea1}) {
    const std::uint16_t bits = co_await read(reg);
    image.add(reg, bits);
  }
  for (unsigned reg = status1; reg <= last_status; ++reg) co_await write(static_cast<std::uint8_t>(reg), 0);
  if ((*image[status1] & power_on_reset) == 0 || needs_set_up_) co_return;
  spdlog::warn("{}: MNB: the chip was without supply; it is set up again", link_.stream().name());
  needs_set_up_ = true;
}

asio::awaitable<Chip::Balancing> Chip::balancing() {
  const std::uint16_t control = co_await read(balance_control);
  co_return static_cast<Balancing>(control >> 14U);
}

asio::awaitable<bool> Chip::start_balancing(BalancePlan plan) {
  co_await write(balance_control, 0);
  bool taken = true;
  for (std::size_t i = 0; i < cell_count; ++i) {
    const auto reg = static_cast<std::uint8_t>(balance_timers + i);
    co_await write(reg, plan.timers[i]);
    const std::uint16_t now = co_await read(reg);
    taken = taken && now == plan.timers[i];
  }
  if (!taken || !plan.any()) co_return false;
  co_await write(balance_switches, all_switches);
  co_await write(balance_control, static_cast<std::uint16_t>(start_balancer + (plan.duty << 4U)));
  co_return true;
}

asio::awaitable<void> Chip::stop_balancing() {
  co_await write(balance_control, 0);
  co_await write(balance_switches, 0);
}

asio::awaitable<void> Chip::clear_balancing() {
  for (unsigned reg = balance_switches; reg <= balance_control; ++reg) co_await write(static_cast<std::uint8_t>(reg), 0);
}

}  // namespace serialbattery::mnb
