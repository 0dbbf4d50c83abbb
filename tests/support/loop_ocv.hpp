// Open-circuit voltage of a LiFePO4 cell over its state of charge, and the energy below that curve.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace serialbattery::loop {

/// Monotone cubic interpolation (Fritsch and Carlson) through support points on a raster of 0.1 %; straight outside.
class OcvCurve {
 public:
  struct Point {
    double soc;      // %
    double voltage;  // V
  };

  explicit OcvCurve(std::span<const Point> points);

  /// V at `soc` (%).
  [[nodiscard]] double voltage(double soc) const;
  /// Integral of the voltage from the first support point to `soc`, V x %.
  [[nodiscard]] double integral(double soc) const;

 private:
  struct Segment {
    double begin;                          // %
    std::array<double, 4> coefficients{};  // voltage = c0 + c1 u + c2 u^2 + c3 u^3, u = soc - begin
    double integral = 0;                   // from the first support point to `begin`
  };
  [[nodiscard]] const Segment& segment(double soc) const;

  double first_, last_;
  std::vector<Segment> segments_;       // [0] before the first point, then one per interval, last behind the last point
  std::vector<std::uint8_t> by_tenth_;  // raster of 0.1 % -> index into segments_
};

/// The LiFePO4 curve of the simulation.
const OcvCurve& lifepo4();

}  // namespace serialbattery::loop
