// The charger (and inverter) of the closed-loop simulation: set points with lag, a voltage error of its own, slopes of the current.
#pragma once

#include <cstdint>
#include <string_view>

#include "support/loop_pack.hpp"

namespace serialbattery::loop {

enum class ChargerKind : std::uint8_t {
  a,  // obeys CVL and CCL
  b,  // DC-coupled solar with feed-in: obeys CVL only, draws current out of the battery to get down to it
};
std::string_view to_string(ChargerKind kind);

/// What the controller wants.
struct Limits {
  double cvl = 0;  // V
  double ccl = 0;  // A
  double dcl = 0;  // A
};

/// What sun and load would do to the battery without any limit.
struct Supply {
  double surplus = 0;  // A into the battery, negative: out of it
  double load = 0;     // A
};

class Charger {
 public:
  /// `offset`: V by which the charger's own measurement lies too low; it regulates to CVL + offset.
  Charger(ChargerKind kind, double offset) : kind_(kind), offset_(offset) {}

  /// Battery current of the next `dt` seconds, A.
  double step(const Limits& limits, const Supply& supply, const Pack& pack, double dt);

 private:
  void follow(const Limits& limits, double dt);

  ChargerKind kind_;
  double offset_;
  bool started_ = false;
  double cvl_ = 0, ccl_ = 0, current_ = 0;
  double lag_for_ = -1, lag_ = 0;  // share of a difference that remains after lag_for_ seconds
};

}  // namespace serialbattery::loop
