// What the drivers of Modbus batteries share; see modbus_driver.hpp.
#include "bms/modbus_driver.hpp"

#include <fmt/format.h>

namespace serialbattery::modbus {

ModbusDriver::ModbusDriver(const DriverContext& context, const Timing& timing)
    : Driver(context), client_(context.link), normal_(timing), timing_(timing), address_(context.address), silence_(context) {}

std::string ModbusDriver::address_text() const {
  return fmt::format("0x{:02x}", address_);
}

std::string ModbusDriver::port_and_address() {
  return fmt::format("{}__0x{:02x}", port(), address_);
}

asio::awaitable<void> ModbusDriver::replay_exchange(Bytes request, Battery& into) {
  auto block = asked_block(request);
  require(block.has_value(), "no request of this protocol");
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
  Timing timing = timing_;
  timing.attempts = silence_.attempts(timing.attempts);
  try {
    const Bytes data = co_await client_.read(address_, block, timing);
    registers_of(address_).store(block, data);
    silence_.answered();
  } catch (const BmsError& error) {
    silence_.failed(error.fault());
    throw;
  }
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
      if (error.port_gone() || reading.instead.empty() || after == SplitAfter::refusal) throw;
    }
  }
  for (const Block& part : reading.instead) co_await read(part);
  if (!has_split(reading.block)) split_.push_back(reading.block);
}

asio::awaitable<bool> ModbusDriver::try_read(Block block, Otherwise otherwise) {
  const bool told = co_await succeeds(read(block));
  if (!told && otherwise == Otherwise::forget) registers_of(address_).forget(block);
  co_return told;
}

void ModbusDriver::offer_limits(const BmsLimits& told, Battery& into) {
  const auto unless_zero = [](const std::optional<double>& volts) { return volts == 0.0 ? std::nullopt : volts; };
  into.limits = {};
  if (config().use_bms_dvcc_values) {
    into.limits = told;
    into.limits.charge_voltage = unless_zero(told.charge_voltage);
    into.limits.low_voltage = unless_zero(told.low_voltage);
  }
  note()["limits"] = {{"cvl", or_null(told.charge_voltage)},
                      {"min_voltage", or_null(told.low_voltage)},
                      {"ccl", or_null(told.charge_current)},
                      {"dcl", or_null(told.discharge_current)}};
}

void ModbusDriver::begin_probe(Effort effort, Duration first_byte, int thorough_attempts) {
  registers_.clear();
  split_.clear();
  silence_.answered();
  timing_ = normal_;
  timing_.attempts = effort == Effort::quick ? 1 : thorough_attempts;
  if (effort == Effort::quick) timing_.first_byte = first_byte;
}

bool is_text(Bytes raw, std::size_t least) {
  const bool clean = std::ranges::all_of(raw, [](std::uint8_t c) { return c == 0 || (c >= 0x20 && c <= 0x7E); });
  return clean && wire::text(raw).size() >= least;
}

}  // namespace serialbattery::modbus
