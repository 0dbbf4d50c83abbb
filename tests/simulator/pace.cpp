// Pace BMS (docs: PACE-RS232-TY16S, 2018-07-05): YD/T 1363, version 25, class 46.
//
//   42 voltages, temperatures, current, capacities   44 states   C1 version   C2 serial numbers   90 number of packs   A6 capacities
#include "simulator/encode.hpp"
#include "simulator/yd1363.hpp"

namespace serialbattery::simulator {

namespace {

class Pace final : public yd1363::Slave {
 public:
  explicit Pace(std::uint8_t address) : Slave(address, language) {
    pack().temperatures = {22, 23, 24, 25};
    Properties& table = properties();
    table.number("protect1", protect_[0]);
    table.number("protect2", protect_[1]);
    table.number("fault", fault_);
    table.number("warn1", warn_[0]);
    table.number("warn2", warn_[1]);
    table.number("sensor_count", sensors_, {0, 6});
    table.bytes("analog_tail", analog_tail_);  // what some makers append
    table.bytes("states_tail", states_tail_);
    table.text("hardware", version_, 20);
    table.text("serial", serial_, 20);
    table.number("packs", packs_, {1, 8});  // in an answer about all packs
    table.flag("all_only", all_only_);      // refuses to answer about a single pack
    table.flag("searching", searching_);    // looks for slaves, as a master on RS485 does
  }

  [[nodiscard]] Duration talk_interval() const override { return searching_ ? 300ms : Duration::zero(); }

 protected:
  Answer announce(TimePoint /*now*/) override { return {Part{Duration::zero(), yd1363::frame(language, 0x0B, language.device, 0x90, {})}}; }

  std::optional<ByteVector> content(std::uint8_t command, Bytes info, std::uint8_t& refusal) override {
    switch (command) {
      case 0x42:
      case 0x44: {
        const std::uint8_t wanted = info.empty() ? std::uint8_t{1} : info[0];
        if (wanted != 0xFF && (all_only_ || (wanted != 1 && wanted != address()))) {
          refusal = yd1363::invalid_data;
          return std::nullopt;
        }
        const unsigned blocks = wanted == 0xFF ? packs_ : 1;
        ByteVector data = {0, wanted == 0xFF ? static_cast<std::uint8_t>(packs_) : wanted};
        for (unsigned i = 0; i < blocks; ++i) command == 0x42 ? put_analog(data) : put_states(data);
        return data;
      }
      case 0x90: return ByteVector{static_cast<std::uint8_t>(packs_)};
      case 0xA6: {
        ByteVector data;
        wire::put_u16be(data, raw_u16(pack().remaining(), 100));
        wire::put_u16be(data, raw_u16(pack().capacity, 100));
        wire::put_u16be(data, raw_u16(pack().capacity, 100));
        return data;
      }
      case 0xC1: {
        ByteVector data;
        put_text(data, version_, 20, ' ');
        return data;
      }
      case 0xC2: {
        ByteVector data;
        put_text(data, serial_, 20, ' ');
        put_text(data, "", 20, ' ');
        return data;
      }
      default: return std::nullopt;
    }
  }

 private:
  static constexpr yd1363::Language language{'~', 0x25, 0x46};

  void put_analog(ByteVector& data) const {
    const Pack& p = pack();
    data.push_back(static_cast<std::uint8_t>(p.cells.size()));
    for (const double volts : p.cells) wire::put_u16be(data, raw_u16(volts, 1000));
    data.push_back(static_cast<std::uint8_t>(sensors_));
    for (std::size_t i = 0; i < sensors_; ++i) {
      const double cell = i < p.temperatures.size() ? p.temperatures[i] : 20;
      wire::put_u16be(data, raw_u16(i < 4 ? cell : i == 4 ? p.mos_temperature : 26, 10, 2730));
    }
    wire::put_u16be(data, raw_i16(p.current, 100));
    wire::put_u16be(data, raw_u16(p.voltage(), 1000));
    wire::put_u16be(data, raw_u16(p.remaining(), 100));
    data.push_back(static_cast<std::uint8_t>(3 + analog_tail_.size()));
    wire::put_u16be(data, raw_u16(p.capacity, 100));
    wire::put_u16be(data, p.cycles);
    wire::put_u16be(data, raw_u16(p.capacity, 100));
    append(data, analog_tail_);
  }

  void put_states(ByteVector& data) const {
    const Pack& p = pack();
    data.push_back(static_cast<std::uint8_t>(p.cells.size()));
    data.resize(data.size() + p.cells.size());
    data.push_back(static_cast<std::uint8_t>(sensors_));
    data.resize(data.size() + sensors_ + 3);
    data.push_back(protect_[0]);
    data.push_back(protect_[1]);
    data.push_back(static_cast<std::uint8_t>((p.charge_fet ? 2U : 0U) | (p.discharge_fet ? 4U : 0U) | 8U));
    data.push_back(0);
    data.push_back(fault_);
    data.push_back(static_cast<std::uint8_t>(p.balancing));
    data.push_back(static_cast<std::uint8_t>(p.balancing >> 8U));
    data.push_back(warn_[0]);
    data.push_back(warn_[1]);
    append(data, states_tail_);
  }

  std::uint8_t protect_[2] = {}, warn_[2] = {}, fault_ = 0;
  std::size_t sensors_ = 6;
  ByteVector analog_tail_, states_tail_;
  std::string version_ = "P16S100A-1812-1.00";
  std::string serial_ = "1812101380309D";
  unsigned packs_ = 1;
  bool all_only_ = false;
  bool searching_ = false;
};

const ModelRegistration registration{{"Pace", "Pace BMS, YD/T 1363", {9600}, 0, make_model<Pace>}};

}  // namespace

}  // namespace serialbattery::simulator
