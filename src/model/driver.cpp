#include "serialbattery/driver.hpp"

#include <spdlog/spdlog.h>

#include <cmath>

namespace serialbattery {

namespace {

// "ttyUSB0 0x01", or the port alone.
std::string place(const Driver& driver, const std::string& port) {
  const std::string address = driver.address_text();
  return address.empty() ? port : port + " " + address;
}

}  // namespace

const char* implausible(const Battery& battery) {
  const auto outside = [](const std::optional<double>& value, double low, double high) {
    return value && std::isfinite(*value) && (*value < low || *value > high);
  };
  if (outside(battery.capacity, 0, 5000)) return "capacity outside 0..5000 Ah";
  if (outside(battery.current, -1000, 1000)) return "current outside -1000..1000 A";
  if (outside(battery.voltage, 0, 150)) return "pack voltage outside 0..150 V";
  if (outside(battery.soc, 0, 100)) return "SoC outside 0..100 %";
  return nullptr;
}

asio::awaitable<bool> Driver::identify(Effort effort) {
  Battery found;
  try {
    const bool mine = co_await probe(found, effort);
    if (!mine) co_return false;
  } catch (const BmsError& error) {
    if (error.port_gone()) throw;
    co_return false;
  }
  if (implausible(found)) co_return false;
  finish(found);
  battery_ = std::move(found);
  co_return true;
}

asio::awaitable<void> Driver::refresh() {
  next_ = battery_;
  co_await poll(next_);
  if (const char* what = implausible(next_)) throw FrameError(Fault::implausible, what);
  finish(next_);
  std::swap(battery_, next_);
}

asio::awaitable<void> Driver::replay(Bytes request) {
  Battery into = battery_;
  co_await replay_exchange(request, into);
  finish(into);
  battery_ = std::move(into);
}

// A state of charge that the program counts itself makes that of the BMS, and its alarm, meaningless.
void Driver::finish(Battery& reading) const {
  auto& low_soc = reading.alarms[Alarm::low_soc];
  if (config_.soc_calculation && low_soc) low_soc = AlarmLevel::ok;
}

asio::awaitable<bool> Driver::succeeds(asio::awaitable<void> step) {
  try {
    co_await std::move(step);
    co_return true;
  } catch (const BmsError& error) {
    if (error.port_gone()) throw;
    spdlog::debug("{}: {}", place(*this, port()), error.what());
  }
  co_return false;
}

void Driver::tell_new_bits(std::string_view what, std::uint64_t word, std::uint64_t silent, std::span<const NamedBit> names) {
  std::uint64_t& told = told_bits_[what];
  std::uint64_t fresh = word & ~silent & ~std::exchange(told, told | word);
  for (const NamedBit& named : names) {
    if (!wire::bit(fresh, named.bit)) continue;
    spdlog::warn("{}: {}: {}", place(*this, port()), what, named.name);
    fresh &= ~wire::bits(named.bit);
  }
  if (fresh != 0)
    spdlog::warn("{}: {}: bits 0x{:x} of unknown meaning: please report what the battery does", place(*this, port()), what, fresh);
}

asio::awaitable<void> Driver::execute(const Command&) {
  throw FrameError(Fault::rejected, "this BMS has no such control");
  co_return;
}

}  // namespace serialbattery
