// For the tests of the simulators: ask a bus at a moment of choice, read the vector files.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <string>
#include <string_view>

#include "serialbattery/wire.hpp"
#include "simulator/bus.hpp"

namespace serialbattery::simulator {

/// Moments of a test, counted from an arbitrary start.
inline TimePoint at(Duration since_start) {
  return TimePoint(1h) + since_start;
}

inline ByteVector joined(const std::vector<Answer>& answers) {
  ByteVector bytes;
  for (const Answer& answer : answers) {
    for (const Part& part : answer) bytes.insert(bytes.end(), part.bytes.begin(), part.bytes.end());
  }
  return bytes;
}

/// A host that asks one question a second.
class Host {
 public:
  explicit Host(std::string_view type, const std::vector<std::uint8_t>& addresses = {}) : bus_(Bus::of(type, addresses)) {}

  Bus& bus() { return *bus_; }
  std::vector<Answer> answers(Bytes request) { return bus_->receive(request, at(time_ += 1s)); }
  std::vector<Answer> answers(std::string_view hex) { return answers(wire::from_hex(hex).value()); }
  ByteVector ask(Bytes request) { return joined(answers(request)); }
  std::string ask(std::string_view hex) { return wire::to_hex(joined(answers(hex))); }

 private:
  std::unique_ptr<Bus> bus_;
  Duration time_{};
};

inline boost::json::array vectors_of(std::string_view file) {
  std::ifstream stream(std::string(SB_TEST_VECTORS) + "/" + std::string(file));
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  return boost::json::parse(content).at("vectors").as_array();
}

inline ByteVector bytes_of(const boost::json::value& hex) {
  return wire::from_hex(std::string_view(hex.as_string())).value();
}

}  // namespace serialbattery::simulator
