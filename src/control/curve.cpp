// A curve over support points.
#include "control/curve.hpp"

#include <algorithm>

namespace serialbattery::control {

Curve::Curve(std::span<const double> points, std::span<const double> values, double scale) {
  if (points.empty() || points.size() != values.size()) return;
  points_.assign(points.begin(), points.end());
  values_.reserve(values.size());
  for (const double value : values) values_.push_back(value * scale);
  if (points_.front() > points_.back()) {
    std::reverse(points_.begin(), points_.end());
    std::reverse(values_.begin(), values_.end());
  }
}

double Curve::at(double x, Between between) const {
  if (points_.empty()) return 0;
  if (x >= points_.back()) return values_.back();  // first: if all points are equal the later value counts
  if (x <= points_.front()) return values_.front();
  const auto n = static_cast<std::size_t>(std::upper_bound(points_.begin(), points_.end(), x) - points_.begin());
  const double below = values_[n - 1];
  const double above = values_[n];
  if (between == Between::lower) return below;
  if (between == Between::upper) return above;
  const double value = above + (x - points_[n]) / (points_[n - 1] - points_[n]) * (below - above);
  return std::clamp(value, std::min(below, above), std::max(below, above));
}

}  // namespace serialbattery::control
