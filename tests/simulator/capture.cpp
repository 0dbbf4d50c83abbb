#include "simulator/capture.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <sstream>

namespace serialbattery::simulator {

namespace {

namespace json = boost::json;

ByteVector hex(const json::value& text) {
  auto bytes = wire::from_hex(std::string_view(text.as_string()));
  if (!bytes) throw PropertyError(fmt::format("'{}' is not hex", std::string_view(text.as_string())));
  return std::move(*bytes);
}

Duration milliseconds(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
}

constexpr Duration usual_delay = 20ms;  // where the recording says nothing about time

Recording::Exchange exchange_of(const json::object& source) {
  Recording::Exchange exchange{hex(source.at("tx")), {}};
  if (const json::value* chunks = source.if_contains("rx_chunks")) {
    const json::value* gap = source.if_contains("chunk_gap_ms");
    const Duration pause = milliseconds(gap != nullptr ? gap->to_number<double>() : 5);
    for (const json::value& chunk : chunks->as_array()) {
      exchange.answer.push_back({exchange.answer.empty() ? usual_delay : pause, hex(chunk)});
    }
  } else if (ByteVector answer = hex(source.at("rx")); !answer.empty()) {
    exchange.answer.push_back({usual_delay, std::move(answer)});
  }
  return exchange;
}

Recording from_vectors(const json::object& file, std::string_view name) {
  Recording recording;
  recording.type = file.at("bms").as_string();
  for (const json::value& vector : file.at("vectors").as_array()) {
    if (!name.empty() && std::string_view(vector.at("name").as_string()) != name) continue;
    for (const json::value& exchange : vector.at("exchanges").as_array()) recording.exchanges.push_back(exchange_of(exchange.as_object()));
    return recording;
  }
  throw PropertyError(fmt::format("no vector '{}'", name));
}

/// Everything received up to the next request is its answer; pauses are kept.
Recording from_lines(std::string_view content) {
  Recording recording;
  double last = 0;
  std::istringstream lines{std::string(content)};
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const json::object entry = json::parse(line).as_object();
    const std::string_view direction = entry.at("dir").as_string();
    if (direction != "tx" && direction != "rx") continue;
    const double t = entry.at("t").to_number<double>();
    const double pause = std::clamp(t - last, 0.0, 10.0);
    last = t;
    if (direction == "tx") {
      recording.exchanges.push_back({hex(entry.at("raw")), {}});
    } else if (!recording.exchanges.empty()) {
      recording.exchanges.back().answer.push_back({milliseconds(pause * 1000), hex(entry.at("raw"))});
    }
  }
  return recording;
}

class Player final : public Device {
 public:
  explicit Player(Recording recording) {
    for (Recording::Exchange& exchange : recording.exchanges) known_[exchange.request].answers.push_back(std::move(exchange.answer));
  }

 protected:
  Input recognise(Bytes input) const override {
    const auto starts = [](Bytes text, Bytes with) { return std::equal(with.begin(), with.end(), text.begin()); };
    std::size_t longest = 0;
    bool may_grow = false;
    for (const auto& [request, takes] : known_) {
      if (request.size() <= input.size() && starts(input, request)) longest = std::max(longest, request.size());
      may_grow = may_grow || (request.size() > input.size() && starts(request, input));
    }
    if (longest > 0) return Input::request(longest);
    return may_grow ? Input::incomplete() : Input::noise();
  }

  Answer answer(Bytes request, TimePoint /*now*/) override {
    Takes& takes = known_.at(ByteVector(request.begin(), request.end()));
    return takes.answers[takes.next++ % takes.answers.size()];
  }

 private:
  struct Takes {
    std::vector<Answer> answers;
    std::size_t next = 0;
  };
  std::map<ByteVector, Takes> known_;
};

}  // namespace

Recording parse_recording(std::string_view content, std::string_view name) {
  Recording recording;
  try {
    json::error_code error;
    const json::value whole = json::parse(content, error);
    recording =
        !error && whole.is_object() && whole.as_object().contains("vectors") ? from_vectors(whole.as_object(), name) : from_lines(content);
  } catch (const PropertyError&) {
    throw;
  } catch (const std::exception& error) {
    throw PropertyError(fmt::format("neither a capture nor a file of vectors: {}", error.what()));
  }
  if (recording.exchanges.empty()) throw PropertyError("no exchange in it");
  return recording;
}

Recording load_recording(const std::filesystem::path& file, std::string_view name) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw PropertyError(fmt::format("cannot read {}", file.string()));
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  return parse_recording(content, name);
}

std::unique_ptr<Device> make_player(Recording recording) {
  return std::make_unique<Player>(std::move(recording));
}

}  // namespace serialbattery::simulator
