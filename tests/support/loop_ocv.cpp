#include "support/loop_ocv.hpp"

#include <algorithm>
#include <cmath>

namespace serialbattery::loop {
namespace {

constexpr OcvCurve::Point lifepo4_points[] = {
    {-2, 1.80},    {-1, 2.10},  {0, 2.50},     {0.5, 2.68},   {1, 2.80},     {2, 2.95},   {3, 3.03},     {5, 3.11},
    {8, 3.175},    {10, 3.20},  {15, 3.225},   {20, 3.250},   {25, 3.268},   {30, 3.284}, {35, 3.290},   {40, 3.293},
    {50, 3.297},   {55, 3.302}, {60, 3.312},   {65, 3.325},   {70, 3.3295},  {80, 3.331}, {90, 3.333},   {94, 3.335},
    {96, 3.338},   {97, 3.342}, {97.5, 3.348}, {98, 3.360},   {98.5, 3.382}, {99, 3.415}, {99.3, 3.447}, {99.6, 3.498},
    {99.8, 3.555}, {100, 3.65}, {100.2, 3.78}, {100.5, 4.00}, {101, 4.40},   {104, 5.0},
};

/// Slopes at the points: mean of the neighbouring secants, bent down where the cubic would overshoot.
std::vector<double> slopes(std::span<const OcvCurve::Point> points) {
  const std::size_t intervals = points.size() - 1;
  std::vector<double> secant(intervals), slope(points.size());
  for (std::size_t i = 0; i < intervals; ++i) {
    secant[i] = (points[i + 1].voltage - points[i].voltage) / (points[i + 1].soc - points[i].soc);
  }
  slope.front() = secant.front();
  slope.back() = secant.back();
  for (std::size_t i = 1; i < intervals; ++i) slope[i] = secant[i - 1] * secant[i] <= 0 ? 0 : (secant[i - 1] + secant[i]) / 2;
  for (std::size_t i = 0; i < intervals; ++i) {
    const double length = std::hypot(slope[i] / secant[i], slope[i + 1] / secant[i]);
    if (length > 3) {
      slope[i] *= 3 / length;
      slope[i + 1] *= 3 / length;
    }
  }
  return slope;
}

double integral_within(const std::array<double, 4>& c, double u) {
  return u * (c[0] + u * (c[1] / 2 + u * (c[2] / 3 + u * c[3] / 4)));
}

}  // namespace

OcvCurve::OcvCurve(std::span<const Point> points) : first_(points.front().soc), last_(points.back().soc) {
  const auto slope = slopes(points);
  segments_.push_back({first_, {points.front().voltage, slope.front(), 0, 0}, 0});
  double total = 0;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const double width = points[i + 1].soc - points[i].soc;
    const double rise = (points[i + 1].voltage - points[i].voltage) / width;
    const Segment next{points[i].soc,
                       {points[i].voltage, slope[i], (3 * rise - 2 * slope[i] - slope[i + 1]) / width,
                        (slope[i] + slope[i + 1] - 2 * rise) / (width * width)},
                       total};
    total += integral_within(next.coefficients, width);
    segments_.push_back(next);
    const auto tenths = static_cast<std::size_t>(std::lround(width * 10));
    by_tenth_.insert(by_tenth_.end(), tenths, static_cast<std::uint8_t>(segments_.size() - 1));
  }
  segments_.push_back({last_, {points.back().voltage, slope.back(), 0, 0}, total});
}

const OcvCurve::Segment& OcvCurve::segment(double soc) const {
  if (soc < first_) return segments_.front();
  if (soc >= last_) return segments_.back();
  const auto tenth = std::min(static_cast<std::size_t>((soc - first_) * 10), by_tenth_.size() - 1);
  return segments_[by_tenth_[tenth]];
}

double OcvCurve::voltage(double soc) const {
  const Segment& s = segment(soc);
  const double u = soc - s.begin;
  const auto& c = s.coefficients;
  return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
}

double OcvCurve::integral(double soc) const {
  const Segment& s = segment(soc);
  return s.integral + integral_within(s.coefficients, soc - s.begin);
}

const OcvCurve& lifepo4() {
  static const OcvCurve curve(lifepo4_points);
  return curve;
}

}  // namespace serialbattery::loop
