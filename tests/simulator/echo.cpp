// A terminal, a loop-back plug or a shorted cable: everything comes back.
#include "simulator/device.hpp"

namespace serialbattery::simulator {

namespace {

class Echo final : public Device {
 public:
  using Device::Device;

 protected:
  Input recognise(Bytes input) const override { return Input::request(input.size()); }
  Answer answer(Bytes request, TimePoint /*now*/) override { return {Part{Duration::zero(), {request.begin(), request.end()}}}; }
};

const ModelRegistration registration{{"Echo", "returns everything", {9600}, 0, make_model<Echo>}};

}  // namespace

}  // namespace serialbattery::simulator
