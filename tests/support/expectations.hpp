// Compares a battery with the "expect" object of a test vector.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "serialbattery/battery.hpp"

namespace serialbattery::test {

/// How far a number may be off: a share of it, but for the keys of `absolute` the difference that stands there.
struct Tolerance {
  double relative = 1e-6;
  boost::json::object absolute = {};
};

/// One line per difference: "soc: expected 50, got 49". Keys that the model does not hold are looked up in `details`.
std::vector<std::string> compare(const boost::json::object& expect, const Battery& battery, const boost::json::object& details,
                                 const Tolerance& tolerance);

}  // namespace serialbattery::test
