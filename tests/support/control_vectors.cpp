// Control vector files: reading, comparing, and the kinds without time.
#include "support/control_vectors.hpp"

#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "control/curve.hpp"
#include "control/duration_text.hpp"
#include "control/numbers.hpp"
#include "control/poll_interval.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::test {
namespace {

namespace json = boost::json;
using namespace control;

constexpr double kTolerance = 1e-6;  // absolute or relative

std::vector<double> numbers(const json::value& list) {
  return json::value_to<std::vector<double>>(list);
}

Duration duration(const json::value& seconds) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds.to_number<double>()));
}

double seconds(Duration duration_value) {
  return std::chrono::duration<double>(duration_value).count();
}

void note(VectorResult& result, std::string_view name, const json::value& expected, const json::value& got) {
  const auto text = difference(name, expected, got);
  if (!text.empty()) result.problems.push_back(text);
}

std::vector<VectorResult> run_list(const json::object& file, std::string_view list, const auto& one) {
  std::vector<VectorResult> results;
  for (const auto& entry : file.at(list).as_array()) {
    VectorResult result{std::string(list) + " " + std::to_string(results.size()), {}};
    if (const auto* id = entry.as_object().if_contains("id")) result.id = std::string(id->as_string());
    one(entry.as_object(), result);
    results.push_back(std::move(result));
  }
  return results;
}

void run_poll_interval(const json::object& entry, VectorResult& result) {
  PollInterval interval(duration(entry.at("start_s")));
  for (const auto& item : entry.at("polls").as_array()) {
    const auto& poll = item.as_object();
    const auto verdict = interval.finished(duration(poll.at("refresh")), duration(poll.at("runtime")));
    note(result, "slow_count", poll.at("slow_count"), interval.slow_polls());
    note(result, "warning_remaining", poll.at("warning_remaining"), verdict.polls_left ? json::value(*verdict.polls_left) : nullptr);
    note(result, "interval_s", poll.at("interval_s"), seconds(interval.interval()));
    note(result, "changed", poll.at("changed"), verdict.raised);
  }
}

void run_plausibility(const json::object& entry, VectorResult& result) {
  const auto value = [&entry](std::string_view name) {
    const auto& member = entry.at(name);
    return member.is_null() ? std::nullopt : std::optional(member.to_number<double>());
  };
  Battery battery;
  battery.capacity = value("capacity");
  battery.current = value("current");
  battery.voltage = value("voltage");
  battery.soc = value("soc");
  note(result, "valid", entry.at("valid"), implausible(battery) == nullptr);
}

}  // namespace

json::object read_vector_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error || !value.is_object()) throw std::runtime_error(file.string() + " is not a JSON object: " + error.message());
  return std::move(value.as_object());
}

std::string difference(std::string_view name, const json::value& expected, const json::value& got) {
  bool equal = expected == got;
  if (expected.is_number() && got.is_number()) {
    const double a = expected.to_number<double>();
    const double b = got.to_number<double>();
    equal = std::fabs(a - b) <= kTolerance || std::fabs(a - b) <= kTolerance * std::max(std::fabs(a), std::fabs(b));
  }
  if (equal) return {};
  return std::string(name) + ": expected " + json::serialize(expected) + ", got " + json::serialize(got);
}

std::vector<VectorResult> run_pure_functions(const json::object& file) {
  std::vector<VectorResult> results;
  const auto append = [&results](std::vector<VectorResult> more) { std::move(more.begin(), more.end(), std::back_inserter(results)); };
  append(run_list(file, "linear", [](const json::object& e, VectorResult& r) {
    note(r, "y", e.at("y"), Curve(numbers(e.at("xs")), numbers(e.at("ys"))).at(e.at("x").to_number<double>(), Between::linear));
  }));
  append(run_list(file, "step", [](const json::object& e, VectorResult& r) {
    const auto between = e.at("upper").as_bool() ? Between::upper : Between::lower;
    note(r, "y", e.at("y"), Curve(numbers(e.at("xs")), numbers(e.at("ys"))).at(e.at("x").to_number<double>(), between));
  }));
  append(run_list(file, "round", [](const json::object& e, VectorResult& r) {
    const double rounded = round_to(e.at("x").to_number<double>(), e.at("digits").to_number<int>());
    if (rounded != e.at("y").to_number<double>()) note(r, "y", e.at("y").to_number<double>(), std::to_string(rounded).c_str());
  }));
  append(run_list(file, "seconds_text", [](const json::object& e, VectorResult& r) {
    const auto precision = static_cast<Precision>(e.at("precision").to_number<int>());
    note(r, "text", e.at("text"), json::string(duration_text(e.at("seconds").to_number<std::int64_t>(), precision)));
  }));
  append(run_list(file, "poll_interval", run_poll_interval));
  append(run_list(file, "plausibility", run_plausibility));
  return results;
}

std::vector<VectorResult> run_control_vectors(const json::object& file) {
  const std::string kind(file.at("kind").as_string());
  if (kind == "scenario") return run_scenarios(file);
  if (kind == "limits") return run_single_polls(file);
  if (kind == "pure") return run_pure_functions(file);
  if (kind == "config") return run_config_cases(file);
  if (kind == "config-keys") return run_config_keys(file);
  throw std::runtime_error("unknown kind of vectors: " + kind);
}

}  // namespace serialbattery::test
