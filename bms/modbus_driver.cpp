// What the drivers of Modbus batteries share; see modbus_driver.hpp.
#include "bms/modbus_driver.hpp"

#include <fmt/format.h>

namespace serialbattery::modbus {

ModbusDriver::ModbusDriver(const DriverContext& context, const Timing& timing)
    : Driver(context), client_(context.link), normal_(timing), timing_(timing), address_(context.address) {}

std::string ModbusDriver::address_text() const {
  return fmt::format("0x{:02x}", address_);
}

std::string ModbusDriver::port_and_address() {
  return fmt::format("{}__0x{:02x}", link().stream().name(), address_);
}

asio::awaitable<void> ModbusDriver::replay_exchange(Bytes request, Battery& into) {
  auto block = asked_block(request);
  if (!block) throw FrameError(Fault::implausible, "no request of this protocol");
  address_ = request[0];
  block->byte_count = byte_count_of(*block);
  const Bytes frame = co_await client_.transact(request, block->byte_count, normal_);
  Registers& target = registers_of(request[0]);
  const Registers before = target;
  target.store(*block, frame.subspan(3, frame[2]));
  try {
    decode(into);
  } catch (const BmsError&) {
    target = before;
    throw;
  }
}

asio::awaitable<void> ModbusDriver::read(const Block& block) {
  const Bytes data = co_await client_.read(address_, block, timing_);
  registers_of(address_).store(block, data);
}

bool ModbusDriver::has_split(const Block& block) const {
  return std::ranges::find(split_, block) != split_.end();
}

asio::awaitable<void> ModbusDriver::read(const Reading& reading, SplitAfter after) {
  if (!has_split(reading.block)) {
    try {
      co_return co_await read(reading.block);
    } catch (const Exception& refusal) {
      if (reading.instead.empty() || (after == SplitAfter::refusal && !refusal.about_block())) throw;
    } catch (const BmsError& error) {
      const bool gone = error.fault() == Fault::closed || error.fault() == Fault::io;
      if (gone || reading.instead.empty() || after == SplitAfter::refusal) throw;
    }
  }
  for (const Block& part : reading.instead) co_await read(part);
  if (!has_split(reading.block)) split_.push_back(reading.block);
}

asio::awaitable<bool> ModbusDriver::try_read(Block block, Otherwise otherwise) {
  try {
    co_await read(block);
    co_return true;
  } catch (const BmsError& error) {
    if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
  }
  if (otherwise == Otherwise::forget) registers_of(address_).forget(block);
  co_return false;
}

void ModbusDriver::begin_probe(Effort effort, Duration first_byte, int thorough_attempts) {
  registers_.clear();
  split_.clear();
  timing_ = normal_;
  timing_.attempts = effort == Effort::quick ? 1 : thorough_attempts;
  if (effort == Effort::quick) timing_.first_byte = first_byte;
}

void require(bool plausible, const char* what) {
  if (!plausible) throw FrameError(Fault::implausible, what);
}

bool is_text(Bytes raw, std::size_t least) {
  const bool clean = std::ranges::all_of(raw, [](std::uint8_t c) { return c == 0 || (c >= 0x20 && c <= 0x7E); });
  return clean && wire::text(raw).size() >= least;
}

double sum_of_cells(const Battery& battery) {
  double sum = 0;
  for (const Cell& cell : battery.cells) sum += cell.voltage.value_or(0);
  return sum;
}

}  // namespace serialbattery::modbus
