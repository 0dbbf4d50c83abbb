// Seplos V2 (docs: "SEPLOS BMS Communication Protocol V2.0"): YD/T 1363, version 20, class 46.
//
//   42 voltages, temperatures, current, capacities   44 states and alarms   51 names   4F version; everything else is refused
#include "simulator/encode.hpp"
#include "simulator/yd1363.hpp"

namespace serialbattery::simulator {

namespace {

class SeplosV2 final : public yd1363::Slave {
 public:
  explicit SeplosV2(std::uint8_t address) : Slave(address, {'~', 0x20, 0x46}) {
    pack().temperatures = {22, 23, 24, 25};
    Properties& table = properties();
    table.bytes("events", events_);               // event bytes 1 to 8
    table.number("broken_wires", broken_wires_);  // bit 0 = cell 1
    table.flag("heater", heater_);
    table.number("environment", environment_, {-60, 150});
    table.number("rated", rated_, {0, 655});
    table.text("device_name", device_name_, 10);
    table.flag("group_one_only", group_one_only_);  // silent when asked for another group
  }

 protected:
  std::optional<ByteVector> content(std::uint8_t command, Bytes info, std::uint8_t& refusal) override {
    switch (command) {
      case 0x42:
      case 0x44:
        if (info.size() != 1 || (info[0] != 1 && (group_one_only_ || info[0] != address()))) {
          refusal = yd1363::invalid_data;
          return std::nullopt;
        }
        return command == 0x42 ? analog(info[0]) : states(info[0]);
      case 0x4F: return ByteVector{};
      case 0x51: return names();
      default: return std::nullopt;
    }
  }

 private:
  [[nodiscard]] ByteVector analog(std::uint8_t group) const {
    const Pack& p = pack();
    ByteVector data = {0, group, static_cast<std::uint8_t>(p.cells.size())};
    for (const double volts : p.cells) wire::put_u16be(data, raw_u16(volts, 1000));
    data.push_back(6);
    const auto celsius = [&data](double t) { wire::put_u16be(data, raw_u16(t, 10, 2731)); };
    for (std::size_t i = 0; i < 4; ++i) celsius(i < p.temperatures.size() ? p.temperatures[i] : -50);
    celsius(environment_);
    celsius(p.mos_temperature);
    wire::put_u16be(data, raw_i16(p.current, 100));
    wire::put_u16be(data, raw_u16(p.voltage(), 100));
    wire::put_u16be(data, raw_u16(p.remaining(), 100));
    data.push_back(10);
    wire::put_u16be(data, raw_u16(p.capacity, 100));
    wire::put_u16be(data, raw_u16(p.soc, 10));
    wire::put_u16be(data, raw_u16(rated_, 100));
    wire::put_u16be(data, p.cycles);
    wire::put_u16be(data, raw_u16(p.soh, 10));
    wire::put_u16be(data, raw_u16(p.voltage(), 100));
    data.resize(data.size() + 8);
    return data;
  }

  [[nodiscard]] ByteVector states(std::uint8_t group) const {
    const Pack& p = pack();
    const auto event = [this](std::size_t number) { return number <= events_.size() ? events_[number - 1] : std::uint8_t{0}; };
    ByteVector data = {0, group, static_cast<std::uint8_t>(p.cells.size())};
    data.resize(data.size() + p.cells.size());
    data.push_back(6);
    data.resize(data.size() + 8);
    data.push_back(20);
    for (std::size_t number = 1; number <= 6; ++number) data.push_back(event(number));
    data.push_back(static_cast<std::uint8_t>((p.discharge_fet ? 1U : 0U) | (p.charge_fet ? 2U : 0U) | (heater_ ? 8U : 0U)));
    data.push_back(static_cast<std::uint8_t>(p.balancing));
    data.push_back(static_cast<std::uint8_t>(p.balancing >> 8U));
    data.push_back(p.current < 0 ? 1 : p.current > 0 ? 2 : 16);
    data.push_back(static_cast<std::uint8_t>(broken_wires_));
    data.push_back(static_cast<std::uint8_t>(broken_wires_ >> 8U));
    data.push_back(event(7));
    data.push_back(event(8));
    data.resize(data.size() + 6);
    return data;
  }

  [[nodiscard]] ByteVector names() const {
    ByteVector data;
    put_text(data, device_name_, 10, ' ');
    data.push_back(2);
    data.push_back(7);
    put_text(data, "CANProtocol:Victron", 20, ' ');
    return data;
  }

  ByteVector events_;
  std::uint16_t broken_wires_ = 0;
  bool heater_ = false;
  double environment_ = 26;
  double rated_ = 100;
  std::string device_name_ = "1101-SP15";
  bool group_one_only_ = false;
};

const ModelRegistration registration{{"Seplos", "Seplos BMS V2, YD/T 1363", {19200}, 0, make_model<SeplosV2>}};

}  // namespace

}  // namespace serialbattery::simulator
