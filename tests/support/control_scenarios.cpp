// The kinds "scenario" and "limits" of the control vectors: real controllers on a virtual clock.
#include <boost/json.hpp>
#include <cmath>

#include "support/config_text.hpp"
#include "support/control_inputs.hpp"
#include "support/control_outputs.hpp"
#include "support/control_vectors.hpp"

namespace serialbattery::test {
namespace {

namespace json = boost::json;
using control::Controller;
using control::Persisted;
using control::Traits;

// The origin of the monotonic clock is arbitrary: this one is.
constexpr auto kOrigin = TimePoint{} + std::chrono::hours(12345);

template <typename T>
T member(const json::object& object, std::string_view name, T otherwise) {
  const auto* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? otherwise : json::value_to<T>(*value);
}

const json::object& object_member(const json::object& object, std::string_view name) {
  static const json::object kEmpty;
  const auto* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? kEmpty : value->as_object();
}

Persisted restored(const json::object& initial) {
  Persisted result;
  result.allow_max_voltage = member(initial, "allow_max_voltage", true);
  if (initial.contains("max_voltage_start_time"))
    result.max_voltage_start_time = initial.at("max_voltage_start_time").to_number<std::int64_t>();
  if (initial.contains("soc_calc")) result.soc_calc = initial.at("soc_calc").to_number<double>();
  result.soc_reset_last_reached = member<std::int64_t>(initial, "soc_reset_last_reached", 0);
  for (const auto& [name, value] : object_member(initial, "history"))
    result.history[history_named(name).value()] = value.to_number<double>();
  return result;
}

Traits traits(const json::object& initial) {
  Traits result;
  result.poll_interval = std::chrono::round<Duration>(std::chrono::duration<double>(member(initial, "poll_interval", 1.0)));
  if (const auto* names = initial.if_contains("history_exclude")) {
    for (const auto& name : names->as_array()) result.counted_by_bms[history_named(name.as_string()).value()] = true;
  }
  return result;
}

Config configuration(const json::object& changes, const json::object& initial) {
  Config config = config_from(changes);
  const auto block = member<std::string>(initial, "config_block", "");
  // Whether the configuration counts as wrong stands in `initial` alone: some cases use odd values to reach a corner.
  config.blocked = {.charge = block == "charge" || block == "both", .discharge = block == "discharge" || block == "both"};
  config.has_errors = !block.empty() || member(initial, "config_error", false);
  return config;
}

// One case: a controller, its inputs and its clock.
class Scenario {
 public:
  Scenario(const json::object& file, const json::object& one)
      : initial_(object_member(one, "initial")),
        controller_(configuration(object_member(one, "config"), initial_), traits(initial_), restored(initial_)),
        epoch0_(member<double>(file, "epoch0", 1700000000)),
        dt_(member<double>(one, "dt", 1.0)) {
    inputs_.set(object_member(file, "base"));
    inputs_.set(object_member(one, "base"));
  }

  void run_step(const json::object& step, std::size_t index, VectorResult& result) {
    inputs_.set(object_member(step, "set"));
    const double dt = member<double>(step, "dt", dt_);
    const int polls = member(step, "n", 1);
    for (int i = 0; i < polls; ++i) {
      if (polled_) elapsed_ += dt;
      polled_ = true;
      const Now now = clock();
      if (i == 0) write_from_gui(step, now);
      poll(now);
    }
    for (const auto& [name, expected] : object_member(step, "expect")) {
      const auto text = difference(name, expected, control_output(controller_, name, clock()));
      if (!text.empty()) result.problems.push_back("step " + std::to_string(index) + ", " + text);
    }
  }

 private:
  [[nodiscard]] Now clock() const {
    const auto mono = kOrigin + std::chrono::round<Duration>(std::chrono::duration<double>(elapsed_));
    return {mono, static_cast<std::int64_t>(std::floor(epoch0_ + elapsed_)) + inputs_.wall_offset()};
  }

  void write_from_gui(const json::object& step, const Now& now) {
    if (const auto* soc = step.if_contains("user_soc")) controller_.set_soc(soc->to_number<double>());
    if (const auto* group = step.if_contains("history_clear")) controller_.clear_history(group->to_number<int>(), now);
  }

  void poll(const Now& now) {
    if (inputs_.ok()) {
      controller_.good_poll(inputs_.reading(), inputs_.environment(), now);
    } else {
      controller_.failed_poll(inputs_.environment(), now);
    }
  }

  const json::object& initial_;
  Controller controller_;
  ControlInputs inputs_;
  double epoch0_;
  double dt_;
  double elapsed_ = 0;
  bool polled_ = false;
};

}  // namespace

std::vector<VectorResult> run_scenarios(const json::object& file) {
  std::vector<VectorResult> results;
  for (const auto& value : file.at("cases").as_array()) {
    const auto& one = value.as_object();
    VectorResult result{std::string(one.at("id").as_string()), {}};
    try {
      Scenario scenario(file, one);
      std::size_t index = 0;
      for (const auto& step : one.at("steps").as_array()) scenario.run_step(step.as_object(), index++, result);
    } catch (const std::exception& error) {
      result.problems.emplace_back(error.what());
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<VectorResult> run_single_polls(const json::object& file) {
  std::vector<VectorResult> results;
  std::size_t group_number = 0;
  for (const auto& value : file.at("groups").as_array()) {
    const auto& group = value.as_object();
    std::size_t row_number = 0;
    for (const auto& entry : group.at("rows").as_array()) {
      const auto& row = entry.as_object();
      json::object one{{"config", object_member(group, "config")}};
      VectorResult result{"group " + std::to_string(group_number) + " row " + std::to_string(row_number++), {}};
      Scenario scenario(file, one);
      scenario.run_step({{"set", row.at("in")}, {"expect", row.at("out")}}, 0, result);
      results.push_back(std::move(result));
    }
    ++group_number;
  }
  return results;
}

}  // namespace serialbattery::test
