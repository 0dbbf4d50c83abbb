#include "serialbattery/driver.hpp"

#include <cmath>

namespace serialbattery {

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
    if (error.fault() == Fault::closed || error.fault() == Fault::io) throw;
    co_return false;
  }
  if (implausible(found)) co_return false;
  battery_ = std::move(found);
  co_return true;
}

asio::awaitable<void> Driver::refresh() {
  next_ = battery_;
  co_await poll(next_);
  if (const char* what = implausible(next_)) throw FrameError(Fault::implausible, what);
  std::swap(battery_, next_);
}

asio::awaitable<void> Driver::replay(Bytes request) {
  Battery into = battery_;
  co_await replay_exchange(request, into);
  battery_ = std::move(into);
}

asio::awaitable<void> Driver::execute(const Command&) {
  throw FrameError(Fault::rejected, "this BMS has no such control");
  co_return;
}

}  // namespace serialbattery
