// Boards of Daren (docs: BASEN/Daren communication protocol): YD/T 1363, version 22, class 4A. Under the name KS48100 the start byte is
// '>' and answers carry the command in the place of CID1.
//
//   42 reading with all states   47 parameters   4D clock   4F version   51 names   83 event counters   B0 serial numbers, counters
#include "simulator/encode.hpp"
#include "simulator/yd1363.hpp"

namespace serialbattery::simulator {

namespace {

class Daren : public yd1363::Slave {
 public:
  explicit Daren(std::uint8_t address, const yd1363::Language& language = {'~', 0x22, 0x4A}) : Slave(address, language) {
    pack().temperatures = {22, 23, 24, 25};
    Properties& table = properties();
    table.number("voltage_state", voltage_);
    table.number("current_state", current_);
    table.number("temperature_state", temperature_);
    table.number("warning_state", warning_);
    table.number("fet_state", fets_);  // bits 0 and 1 are made from the pack
    table.number("charge_limit", charge_limit_, {0, 655});
    table.number("cell_count", announced_cells_);   // in the parameters; 0: as in the reading
    table.number("asleep", asleep_);                // so many requests are not heard
    table.number("reading_size", reading_size_);    // cuts the reading; 0: whole
    table.flag("own_group_only", own_group_only_);  // refuses another group than its address
    table.flag("coarse_current", coarse_current_);  // in 0.1 A, with the flags that say so
    table.text("serial", serial_, 30);
    table.flag("no_serial", no_serial_);
    table.number("charged", charged_);                   // Ah
    table.number("discharged", discharged_);             // Ah
    table.number("energy_in", energy_in_, {0, 6553});    // kWh
    table.number("energy_out", energy_out_, {0, 6553});  // kWh
  }

 protected:
  bool awake() override { return asleep_ == 0 || asleep_-- == 0; }

  std::optional<ByteVector> content(std::uint8_t command, Bytes info, std::uint8_t& refusal) override {
    switch (command) {
      case 0x42:
      case 0x47:
        if (own_group_only_ && (info.size() != 1 || info[0] != address())) {
          refusal = yd1363::invalid_data;
          return std::nullopt;
        }
        return command == 0x42 ? reading() : parameters();
      case 0x4D: return ByteVector{0x07, 0xEA, 11, 21, 12, 0, 0};
      case 0x4F: return ByteVector{0xC8};
      case 0x51: return names();
      case 0x83: {
        ByteVector data = {0x83, 0x01};
        data.resize(30);
        return data;
      }
      case 0xB0:
        if (info.size() >= 3 && info[1] == 1 && (info[2] == 3 || info[2] == 4)) return production(info[2]);
        refusal = yd1363::invalid_data;
        return std::nullopt;
      default: return std::nullopt;
    }
  }

 private:
  [[nodiscard]] ByteVector reading() const {
    const Pack& p = pack();
    ByteVector data = {0};
    wire::put_u16be(data, raw_u16(p.soc, 100));
    wire::put_u16be(data, raw_u16(p.voltage(), 100));
    data.push_back(static_cast<std::uint8_t>(p.cells.size()));
    for (const double volts : p.cells) wire::put_u16be(data, raw_u16(volts, 1000));
    const auto celsius = [&data](double t) { wire::put_u16be(data, raw_i16(t, 10)); };
    celsius(26);
    celsius(23.5);
    celsius(p.mos_temperature);
    data.push_back(static_cast<std::uint8_t>(p.temperatures.size()));
    for (const double t : p.temperatures) celsius(t);
    wire::put_u16be(data, raw_i16(p.current, coarse_current_ ? 10 : 100));
    wire::put_u16be(data, 0);
    wire::put_u16be(data, raw_u16(p.soh));
    data.push_back(coarse_current_ ? 0 : 1);
    wire::put_u16be(data, raw_u16(p.capacity, 100));
    wire::put_u16be(data, raw_u16(p.remaining(), 100));
    wire::put_u16be(data, p.cycles);
    wire::put_u16be(data, voltage_);
    wire::put_u16be(data, current_ | (coarse_current_ ? 0x0400U : 0U));
    wire::put_u16be(data, temperature_);
    wire::put_u16be(data, warning_);
    wire::put_u16be(data, (fets_ & 0xFFFCU) | (p.charge_fet ? 1U : 0U) | (p.discharge_fet ? 2U : 0U));
    data.resize(data.size() + 8);
    wire::put_u16be(data, static_cast<unsigned>(p.balancing & 0xFFFFU));
    wire::put_u16be(data, static_cast<unsigned>(p.balancing >> 16U & 0xFFFFU));
    data.resize(data.size() + 8);
    data.push_back(0x04);
    wire::put_u16be(data, 0x4000);
    if (reading_size_ != 0) data.resize(std::min<std::size_t>(data.size(), reading_size_));
    return data;
  }

  [[nodiscard]] ByteVector parameters() const {
    ByteVector data = {0};
    for (const unsigned value : {3650U, 2500U, 115U, 45U, 12000U, 3650U, 2500U}) wire::put_u16be(data, value);
    wire::put_u16be(data, announced_cells_ != 0 ? announced_cells_ : static_cast<unsigned>(pack().cells.size()));
    wire::put_u16be(data, raw_u16(charge_limit_, 100));
    wire::put_u16be(data, raw_u16(pack().capacity, 100));
    wire::put_u16be(data, 30);
    wire::put_u16be(data, 0);
    data.insert(data.end(), 20, 0xFF);
    put_text(data, "DJM2205180061", 20);
    return data;
  }

  [[nodiscard]] static ByteVector names() {
    ByteVector data;
    put_text(data, "T1_G", 10, ' ');
    put_text(data, "HUANY04", 10, ' ');
    put_text(data, "16S100A", 10, ' ');
    append(data, ByteVector{1, 0, 2, 1, 1});
    return data;
  }

  [[nodiscard]] ByteVector production(std::uint8_t module) const {
    ByteVector data = {0xB0, address(), 0x01, module, 0xFF, 0x00};
    if (module == 3) {
      if (no_serial_) {
        data.insert(data.end(), 30, 0xFF);
      } else {
        put_text(data, serial_, 30, ' ');
      }
      data.insert(data.end(), 60, 0xFF);
      append(data, ByteVector{22, 5, 18});
      put_text(data, "DAREN", 20, ' ');
      return data;
    }
    for (const double hours : {pack().remaining(), pack().capacity, pack().capacity}) wire::put_u16be(data, raw_u16(hours, 100));
    wire::put_u32be(data, charged_);
    wire::put_u32be(data, discharged_);
    wire::put_u16be(data, raw_u16(energy_in_, 10));
    wire::put_u16be(data, raw_u16(energy_out_, 10));
    return data;
  }

  std::uint16_t voltage_ = 0, current_ = 0, temperature_ = 0, warning_ = 0, fets_ = 0x20;
  double charge_limit_ = 120;
  unsigned announced_cells_ = 0, asleep_ = 0, reading_size_ = 0;
  bool coarse_current_ = false, own_group_only_ = false, no_serial_ = false;
  std::string serial_ = "JD2M02150860 2";
  std::uint32_t charged_ = 237, discharged_ = 153;
  double energy_in_ = 12.9, energy_out_ = 8.0;
};

class Ks48100 final : public Daren {
 public:
  explicit Ks48100(std::uint8_t address) : Daren(address, {'>', 0x22, 0x4A}) {
    properties().flag("older_requests_only", older_requests_only_);
  }

 protected:
  [[nodiscard]] std::uint8_t answer_class(std::uint8_t command) const override { return command; }
  [[nodiscard]] bool accepts_class(std::uint8_t device) const override { return device == 0x42 || device == 0x4A; }
  Answer answer(Bytes request, TimePoint now) override {
    // Earlier drivers ask for serial numbers and counters as documented, for everything else with another class.
    const bool documented = request[6] == 'A', production = request[7] == 'B';
    if (older_requests_only_ && documented != production) return {};
    return Slave::answer(request, now);
  }

 private:
  bool older_requests_only_ = false;
};

const ModelRegistration daren{{"Daren485", "Daren boards, YD/T 1363", {9600}, 1, make_model<Daren>}};
const ModelRegistration ks48100{{"KS48100", "KS48100 boards, YD/T 1363 with '>'", {9600}, 1, make_model<Ks48100>}};

}  // namespace

}  // namespace serialbattery::simulator
