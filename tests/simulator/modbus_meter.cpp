// An energy meter on Modbus RTU, as many are found at address 1: floats in input registers, a few settings in holding registers.
#include <bit>
#include <map>

#include "simulator/modbus.hpp"

namespace serialbattery::simulator {

namespace {

class ModbusMeter final : public modbus::Slave<Device> {
 public:
  explicit ModbusMeter(std::uint8_t address) : Slave(address) {
    properties().number("voltage", voltage_, {0, 500});
    properties().number("current", current_, {-200, 200});
    properties().number("energy", energy_, {0, 1e9});
    properties().number("fill", fill_);                    // content of registers without a meaning
    properties().number("last_register", last_register_);  // beyond: exception 02
  }

 protected:
  std::optional<std::vector<std::uint16_t>> registers(std::uint8_t function, std::uint16_t first, std::uint16_t count) override {
    if (first + count - 1 > last_register_) return std::nullopt;
    const std::map<unsigned, double> floats = function == modbus::read_input ? measurements() : settings();
    std::vector<std::uint16_t> result(count, fill_);
    for (const auto& [place, value] : floats) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
      for (unsigned half = 0; half < 2; ++half) {
        const unsigned at = place + half;
        if (at >= first && at < first + 0U + count) result[at - first] = static_cast<std::uint16_t>(half == 0 ? bits >> 16U : bits);
      }
    }
    return result;
  }

 private:
  [[nodiscard]] std::map<unsigned, double> measurements() const {
    const double power = voltage_ * current_;
    return {{0x00, voltage_}, {0x02, voltage_ + 1.1}, {0x04, voltage_ - 0.7}, {0x06, current_},  {0x08, current_}, {0x0A, current_},
            {0x0C, power},    {0x0E, power},          {0x10, power},          {0x34, 3 * power}, {0x46, 50.0},     {0x48, energy_},
            {0x4A, 0},        {0x156, energy_},       {0x158, 0.37 * energy_}};
  }

  static std::map<unsigned, double> settings() { return {{0x02, 60}, {0x0A, 3}, {0x0C, 100}, {0x12, 0}, {0x14, 1}, {0x18, 0}, {0x1C, 2}}; }

  double voltage_ = 230.4;
  double current_ = 3.2;
  double energy_ = 4321.5;  // kWh
  std::uint16_t fill_ = 0;
  std::uint16_t last_register_ = 0x1FF;
};

const ModelRegistration registration{{"ModbusMeter", "energy meter, Modbus RTU", {9600}, 1, make_model<ModbusMeter>}};

}  // namespace

}  // namespace serialbattery::simulator
