// See ecs_modules.hpp.
#include "bms/ecs_modules.hpp"

#include <spdlog/spdlog.h>

namespace serialbattery::ecs {

namespace {

constexpr modbus::Block cycle[] = {modbus::holding(100, 1), modbus::holding(102, 1), modbus::holding(101, 1)};
constexpr unsigned first_type = 100, last_type = 104;
constexpr unsigned not_balancing = 50;  // of register 102, balancing power
constexpr Duration search_every = 5min, longest_silence = 30s;

bool is_module(unsigned id) {
  return id >= first_type && id <= last_type;
}

bool is_cell_voltage(double volts) {
  return volts >= 1.5 && volts <= 4.5;
}

}  // namespace

void Modules::clear() {
  modules_.clear();
  cells_.clear();
  silent_since_.reset();
  next_search_.reset();
}

asio::awaitable<void> Modules::look_for(int address, Timing timing) {
  timing.first_byte = 100ms;
  timing.attempts = 1;
  const auto at = static_cast<std::uint8_t>(address);
  try {
    const Bytes data = co_await client_.read(at, device_type, timing);
    if (is_module(wire::u16be(data, 0))) modules_[at].registers.store(device_type, data);
  } catch (const BmsError& error) {
    if (error.port_gone()) throw;
  }
  if (cells_.empty() || !modules_.contains(at)) co_return;
  const auto free = std::ranges::find(cells_, 0);
  spdlog::info("{}: LiPro module {} found{}", port_, address, free == cells_.end() ? "; no cell is without one: not used" : "");
  if (free != cells_.end()) *free = at;
}

asio::awaitable<void> Modules::search(Timing timing, TimePoint now) {
  search_again_ = now + search_every;
  for (int at = config_.lipro_start_address; at <= config_.lipro_end_address; ++at) co_await look_for(at, timing);
}

asio::awaitable<void> Modules::search_missing(Timing timing, TimePoint now) {
  if (now >= search_again_) {
    search_again_ = now + search_every;
    next_search_ = config_.lipro_start_address;
  }
  // One address per call: absent ones cost their time-out.
  while (next_search_ && modules_.contains(static_cast<std::uint8_t>(*next_search_))) advance_search();
  if (!next_search_) co_return;
  const int address = *next_search_;
  advance_search();
  co_await look_for(address, timing);
}

void Modules::advance_search() {
  if (++*next_search_ > config_.lipro_end_address) next_search_.reset();
}

bool Modules::assign_cells(double pack_voltage) {
  const std::size_t found = modules_.size();
  const auto configured = static_cast<std::size_t>(config_.lipro_cell_count);
  const auto fits = [pack_voltage](std::size_t count) { return count > 0 && is_cell_voltage(pack_voltage / static_cast<double>(count)); };
  if (found != configured) spdlog::info("{}: {} LiPro modules found, LIPRO_CELL_COUNT is {}", port_, found, configured);
  const std::size_t count = fits(found) ? found : configured;
  if (!fits(count)) return false;
  cells_.assign(count, 0);
  std::size_t cell = 0;
  for (const auto& [at, module] : modules_) {
    if (cell < count) cells_[cell++] = at;
  }
  return true;
}

asio::awaitable<void> Modules::read(Timing timing, TimePoint now) {
  bool answered = false, expected = false;
  for (const std::uint8_t at : cells_) {
    if (at == 0) continue;
    expected = true;
    co_await read_one(at, modules_[at], timing);
    answered = answered || !modules_[at].silent;
  }
  if (answered || !expected) {
    silent_since_.reset();
  } else if (!silent_since_) {
    silent_since_ = now;
  } else if (now - *silent_since_ >= longest_silence) {
    throw LinkError(Fault::timeout, "all LiPro modules are silent");
  }
}

asio::awaitable<void> Modules::read_one(std::uint8_t address, Module& module, Timing timing) {
  timing.attempts = module.silent ? 1 : 2;
  module.silent = true;
  for (const modbus::Block& part : cycle) module.registers.forget(part);
  try {
    for (const modbus::Block& part : cycle) module.registers.store(part, co_await client_.read(address, part, timing));
    module.silent = false;
  } catch (const BmsError& error) {
    if (error.port_gone()) throw;
  }
}

void Modules::decode(Battery& into, boost::json::object& details) const {
  const auto answering = std::ranges::count_if(modules_, [](const auto& entry) {
    const auto id = entry.second.registers.word(0);
    require(!id || is_module(*id), "no LiPro module");
    return id.has_value();
  });
  details["cells_found"] = answering;
  std::vector<std::uint8_t> order = cells_;
  if (order.empty()) {  // a recording without the search
    for (const auto& [at, module] : modules_) order.push_back(at);
  }
  boost::json::array temperatures;
  into.cells.assign(order.size(), {});
  if (!cells_.empty()) into.cell_count = static_cast<unsigned>(cells_.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] == 0) continue;
    const modbus::Registers& module = modules_.at(order[i]).registers;
    into.cells[i].voltage = module.scaled(100, wire::Type::u16be, 1000);
    if (const auto power = module.word(102)) into.cells[i].balancing = *power > not_balancing;
    const auto celsius = module.scaled(101, wire::Type::i16be, 100);
    temperatures.emplace_back(celsius ? boost::json::value(*celsius) : boost::json::value(nullptr));
  }
  details["cell_temperatures"] = std::move(temperatures);
  if (!into.cells.empty()) into.balancing = std::ranges::any_of(into.cells, [](const Cell& cell) { return cell.balancing == true; });
}

}  // namespace serialbattery::ecs
