// A pack between a charger and a load, behind a simulated BMS, in time-lapse: a minute of the pack is a fraction of a second of the clock.
// The program under test runs in real time and knows nothing of it.
#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

#include "e2e/rig.hpp"
#include "simulator/pack.hpp"

namespace serialbattery::test {

/// Even cells. The charger does what a GX device makes it do: it follows CVL and CCL, and stops when there is no battery on the bus.
class LapsedPack {
 public:
  static constexpr std::size_t cells = 4;
  static constexpr double capacity = 100;       // Ah
  static constexpr double lapse = 300;          // seconds of the pack per second of the clock
  static constexpr double resistance = 0.0005;  // Ohm per cell

  /// `soc`: the true one, %; what the BMS counts begins `counting_error` below it and drifts no further. `rig` outlives the pack.
  LapsedPack(Rig& rig, double soc, double counting_error = 0) : rig_(rig), timer_(rig.io()), soc_(soc) {
    rig_.set("cells", std::to_string(cells));
    rig_.set("soc", std::to_string(soc - counting_error));
    show();
    wait();
  }

  /// What the charger obeys from now on; nullptr: nothing, it stops. Outlives the pack, or is replaced before it ends.
  void follow(const BusClient* client) { client_ = client; }
  /// Ends the charge and draws this current, A.
  void draw(double amperes) { load_ = amperes; }

 private:
  static constexpr std::chrono::milliseconds tick{20};

  // A step has the same length however late it comes: a busy machine makes the pack slower, not jumpy.
  void wait() {
    timer_.expires_after(tick);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      step(std::chrono::duration<double>(tick).count() * lapse);
      wait();
    });
  }

  void step(double seconds) {
    current_ = load_ > 0 ? -load_ : charge_current();
    const double change = 100 * current_ * seconds / 3600 / capacity;
    soc_ = std::clamp(soc_ + change, 0.0, 100.0);
    rig_.set("soc", std::to_string(std::clamp(std::stod(rig_.host().bus().get("soc")) + change, 0.0, 100.0)));
    show();
  }

  [[nodiscard]] double charge_current() const {
    const bool battery = client_ != nullptr && !client_->owners().empty() && !client_->owners().back().empty();
    if (!battery) return 0;
    const double set_point = number(*client_, "/Info/MaxChargeVoltage").value_or(0) / cells;
    const double most = number(*client_, "/Info/MaxChargeCurrent").value_or(0);
    return std::clamp((set_point - simulator::open_circuit_voltage(soc_)) / resistance, 0.0, most);
  }

  void show() {
    const std::string volts = std::to_string(simulator::open_circuit_voltage(soc_) + current_ * resistance);
    for (std::size_t i = 1; i <= cells; ++i) rig_.set("cell" + std::to_string(i), volts);
    rig_.set("current", std::to_string(current_));
  }

  Rig& rig_;
  boost::asio::steady_timer timer_;
  const BusClient* client_ = nullptr;
  double soc_;
  double current_ = 0;
  double load_ = 0;
};

}  // namespace serialbattery::test
