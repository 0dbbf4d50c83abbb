// The LiPro modules of an ECS battery: one on each cell, with an address of its own.
#pragma once

#include <boost/json/object.hpp>
#include <map>

#include "bms/modbus_rtu.hpp"
#include "serialbattery/battery.hpp"
#include "serialbattery/config.hpp"

namespace serialbattery::ecs {

constexpr modbus::Block device_type = modbus::holding(0, 1);

class Modules {
 public:
  /// All references outlive this.
  Modules(modbus::Client& client, const Config& config, const std::string& port) : client_(client), config_(config), port_(port) {}

  void clear();
  /// Asks each address of the configured range once.
  asio::awaitable<void> search(Timing timing, TimePoint now);
  /// As many cells as modules, if the pack voltage agrees; else LIPRO_CELL_COUNT: only some cells may have a module in the range.
  /// False when neither fits.
  bool assign_cells(double pack_voltage);
  /// A silent module costs its cell, not the reading; all silent for long is a broken cable: throws LinkError(timeout).
  asio::awaitable<void> read(Timing timing, TimePoint now);
  /// Every few minutes looks for those that were not there, one a call. One that is found takes the first cell without a module.
  asio::awaitable<void> search_missing(Timing timing, TimePoint now);

  [[nodiscard]] std::size_t size() const { return modules_.size(); }
  modbus::Registers& registers_of(std::uint8_t address) { return modules_[address].registers; }
  /// Cells and what they are doing. Throws FrameError(implausible).
  void decode(Battery& into, boost::json::object& details) const;

 private:
  struct Module {
    modbus::Registers registers;
    bool silent = false;
  };
  asio::awaitable<void> look_for(int address, Timing timing);
  asio::awaitable<void> read_one(std::uint8_t address, Module& module, Timing timing);
  void advance_search();

  modbus::Client& client_;
  const Config& config_;
  const std::string& port_;
  std::map<std::uint8_t, Module> modules_;
  std::vector<std::uint8_t> cells_;  // address of the module of each cell; 0: none
  std::optional<TimePoint> silent_since_;
  TimePoint search_again_{};
  std::optional<int> next_search_;
};

}  // namespace serialbattery::ecs
