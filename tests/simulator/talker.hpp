// Base of devices that talk by themselves and listen to nobody.
#pragma once

#include "simulator/device.hpp"

namespace serialbattery::simulator {

class Talker : public Device {
 public:
  explicit Talker(std::uint8_t address) : Device(address) { properties().milliseconds("interval", interval_); }
  [[nodiscard]] Duration talk_interval() const override { return interval_; }

 protected:
  Input recognise(Bytes input) const override { return Input::noise(input.size()); }
  Answer answer(Bytes /*request*/, TimePoint /*now*/) override { return {}; }

 private:
  Duration interval_ = 1s;
};

}  // namespace serialbattery::simulator
