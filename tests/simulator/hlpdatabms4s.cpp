// HLP Data BMS4S: text commands ended by LF, 9600 baud; the device echoes what it is sent and answers with lines ended by CR LF.
//
//   pv  BMS4S sw 4.1.89
//   ps  settings, a line each: Name= value unit
//   m1  four cells, current, SoC, charging allowed, load allowed, second battery, SoC now, adjustment, beeper, LED, sensors "name value"
#include <spdlog/fmt/fmt.h>

#include "simulator/device.hpp"

namespace serialbattery::simulator {

namespace {

class HlpDataBms4s final : public Bms {
 public:
  explicit HlpDataBms4s(std::uint8_t address) : Bms(address) {
    pack().cells.assign(4, 3.3);
    Properties& table = properties();
    table.flag("echo", echo_);
    table.flag("decimal_comma", decimal_comma_);  // in ps
    table.flag("other_device", other_device_);    // speaks alike, but is no BMS4S
    table.text("version", version_, 60);
    table.text("prompt", prompt_, 20);  // in front of each answer
    table.text("more_sensors", more_sensors_, 80);
    table.number("beeper", beeper_);
    table.number("volt_high", volt_high_, {0, 10});
    table.number("volt_low", volt_low_, {0, 10});
  }

 protected:
  Input recognise(Bytes input) const override {
    const auto end = std::find(input.begin(), input.end(), std::uint8_t{'\n'});
    if (end != input.end()) return Input::request(static_cast<std::size_t>(end - input.begin()) + 1);
    constexpr std::size_t longest_command = 80;
    return input.size() > longest_command ? Input::noise(input.size()) : Input::incomplete();
  }

  Duration patience() const override { return 1h; }  // a user may type slowly

  Answer answer(Bytes request, TimePoint /*now*/) override {
    const std::string command(request.begin(), request.end() - 1);
    std::string text = prompt_;
    if (echo_) text += command + "\r\n";
    if (!command.empty()) text += reply(command);
    if (text.empty()) return {};
    return {Part{20ms, {text.begin(), text.end()}}};
  }

 private:
  [[nodiscard]] std::string reply(const std::string& command) const {
    if (other_device_) return "unknown command\r\n";
    if (command == "pv") return fmt::format("BMS4S {}\r\n", version_);
    if (command == "ps") return setup();
    if (command == "m1") return status();
    return "?\r\n";
  }

  [[nodiscard]] std::string setup() const {
    const auto line = [](std::string_view name, double value) { return fmt::format("{}= {:.3f} V\r\n", name, value); };
    std::string text = fmt::format("Setup\r\nBatterySize= {:.0f} Ah\r\n", pack().capacity);
    text += line("VoltHigh", volt_high_) + line("VoltLow", volt_low_) + line("VoltBalance", 3.5) + line("VoltDifference", 0.02);
    for (int i = 1; text.size() < 760; ++i) text += line(fmt::format("Parameter{:02}", i), 0);
    if (decimal_comma_) std::replace(text.begin(), text.end(), '.', ',');
    return text;
  }

  [[nodiscard]] std::string status() const {
    std::string text = echo_ ? "" : "m1 ";  // the echo may be off, the word stays
    for (const double cell : pack().cells) text += fmt::format("{:.3f},", cell);
    text += fmt::format("{:.3f},{:.0f},{:d},{:d},13.133,41,0,{},0", pack().current, pack().soc, pack().charge_fet, pack().discharge_fet,
                        beeper_);
    for (std::size_t i = 0; i < pack().temperatures.size(); ++i) text += fmt::format(",b{} {:g}", i + 1, pack().temperatures[i]);
    return text + more_sensors_ + "\r\n";
  }

  bool echo_ = true;
  bool decimal_comma_ = false;
  bool other_device_ = false;
  std::string version_ = "sw 4.1.89";
  std::string prompt_;
  std::string more_sensors_;
  unsigned beeper_ = 0;
  double volt_high_ = 3.6;
  double volt_low_ = 2.9;
};

const ModelRegistration registration{{"HLPdataBMS4S", "HLP Data BMS4S, text commands", {9600}, 0, make_model<HlpDataBms4s>}};

}  // namespace

}  // namespace serialbattery::simulator
