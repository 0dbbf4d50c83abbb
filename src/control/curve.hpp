// A curve over support points, linear or in steps: control.md 5.2. Prepared once, evaluated every poll.
#pragma once

#include <span>
#include <vector>

namespace serialbattery::control {

/// How a curve answers between two points. lower / upper: the value of the point below / above.
enum class Between { linear, lower, upper };

class Curve {
 public:
  /// An empty curve: always 0, the safe side of a limit.
  Curve() = default;

  /// `points` never fall or never rise; descending lists are turned round. `values` belong to the points and are multiplied by `scale`.
  /// Lists of different or no length give an empty curve.
  Curve(std::span<const double> points, std::span<const double> values, double scale = 1.0);

  /// Outside of the list the value of its end. At a step (equal neighbouring points) the value of the later point. `x` is finite.
  [[nodiscard]] double at(double x, Between between) const;

  [[nodiscard]] bool empty() const { return points_.empty(); }

 private:
  std::vector<double> points_;  // ascending
  std::vector<double> values_;
};

}  // namespace serialbattery::control
