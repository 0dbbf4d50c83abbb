// A Victron solar charger on VE.Direct in text mode: a block of fields once a second, 19200 baud.
//
//   CR LF name TAB value ... CR LF "Checksum" TAB byte: the sum of all bytes of the block is 0 modulo 256
#include <spdlog/fmt/fmt.h>

#include "simulator/encode.hpp"
#include "simulator/talker.hpp"

namespace serialbattery::simulator {

namespace {

class VeDirect final : public Talker {
 public:
  explicit VeDirect(std::uint8_t address) : Talker(address) {
    properties().number("voltage", voltage_, {0, 300});
    properties().number("current", current_, {-300, 300});
    properties().number("panel_voltage", panel_voltage_, {0, 500});
    properties().number("state", state_);
  }

 protected:
  Answer announce(TimePoint /*now*/) override {
    const double power = voltage_ * current_;
    const std::string fields = fmt::format(
        "\r\nPID\t0xA053\r\nFW\t159\r\nSER#\tHQ2132QY2KR\r\nV\t{:.0f}\r\nI\t{:.0f}\r\nVPV\t{:.0f}\r\nPPV\t{:.0f}\r\nCS\t{}\r\nMPPT\t2\r\n"
        "OR\t0x00000000\r\nERR\t0\r\nLOAD\tON\r\nIL\t0\r\nH19\t1234\r\nH20\t12\r\nH21\t345\r\nH22\t23\r\nH23\t456\r\nHSDS\t17\r\nChecksum"
        "\t",
        voltage_ * 1000, current_ * 1000, panel_voltage_ * 1000, power, state_);
    ByteVector block(fields.begin(), fields.end());
    block.push_back(static_cast<std::uint8_t>(0x100U - (wire::sum(block) & 0xFFU)));
    return {Part{Duration::zero(), std::move(block)}};
  }

 private:
  double voltage_ = 26.6;
  double current_ = 4.2;
  double panel_voltage_ = 71.5;
  unsigned state_ = 3;  // bulk
};

const ModelRegistration registration{{"VeDirect", "solar charger, VE.Direct text", {19200}, 0, make_model<VeDirect>}};

}  // namespace

}  // namespace serialbattery::simulator
