// Readings as lines of JSON through the real controllers.
#include "support/control_stream.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <cmath>
#include <stdexcept>

namespace serialbattery::test {
namespace {

namespace json = boost::json;

constexpr std::int64_t kEpoch = 1700000000;  // wall clock at t = 0
constexpr double kLatest = 1e9;              // s: far inside the range of the clock
constexpr auto kOrigin = TimePoint{} + std::chrono::hours(1000);

Now moment(const json::object& line) {
  const auto* t = line.if_contains("t");
  if (t == nullptr || !t->is_number()) throw std::invalid_argument("t (seconds) is missing");
  const double seconds = t->to_number<double>();
  if (!std::isfinite(seconds) || std::fabs(seconds) > kLatest) throw std::invalid_argument("t is out of range");
  return {kOrigin + std::chrono::round<Duration>(std::chrono::duration<double>(seconds)),
          kEpoch + static_cast<std::int64_t>(std::floor(seconds))};
}

json::object parse(std::string_view line) {
  boost::system::error_code error;
  json::value value = json::parse(line, error);
  if (error) throw std::invalid_argument("not JSON: " + error.message());
  if (!value.is_object()) throw std::invalid_argument("not a JSON object");
  return std::move(value.get_object());
}

std::string quoted(const std::string& text) {
  return json::serialize(json::string(text));
}

// Plain decimal numbers: easier to read than those of the JSON library.
std::string limits(const control::Snapshot& out) {
  return fmt::format(R"({{"cvl":{},"ccl":{},"dcl":{},"charge_mode":{},"ccl_text":{},"dcl_text":{},"soc":{}}})", out.cvl, out.ccl, out.dcl,
                     quoted(out.charge_mode), quoted(out.charge_limitation), quoted(out.discharge_limitation),
                     out.soc ? fmt::format("{}", *out.soc) : "null");
}

}  // namespace

ControlStream::ControlStream(const Config& config) : controller_(config, {.poll_interval = std::chrono::seconds(1)}, {}) {}

std::string ControlStream::answer(std::string_view line) {
  try {
    const json::object reading = parse(line);
    const Now now = moment(reading);
    inputs_.clear();
    inputs_.set(reading);
    const auto environment = inputs_.environment();
    if (inputs_.ok()) return limits(controller_.good_poll(inputs_.reading(), environment, now));
    return limits(controller_.failed_poll(environment, now));
  } catch (const std::exception& error) {
    return json::serialize(json::object{{"error", error.what()}});
  }
}

}  // namespace serialbattery::test
