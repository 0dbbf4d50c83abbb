#include "support/vector_runner.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "simulator/max17853_frame.hpp"
#include "support/expectations.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace json = boost::json;

namespace {

std::string string_or(const json::object& object, std::string_view key, std::string_view fallback = {}) {
  const json::value* value = object.if_contains(key);
  if (!value) return std::string(fallback);
  if (value->is_string()) return std::string(value->as_string());
  return json::serialize(*value);
}

// Keys of the vector's "config" that are keys of config.ini, as text of such a file.
Config make_config(const json::object& vector) {
  std::string ini = "[DEFAULT]\n";
  if (const json::value* config = vector.if_contains("config")) {
    for (const auto& member : config->as_object()) {
      const std::string key(member.key());
      if (std::ranges::any_of(key, [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; })) continue;
      const json::value& value = member.value();
      ini += key + " = " + (value.is_bool() ? (value.as_bool() ? "True" : "False") : string_or(config->as_object(), key)) + "\n";
    }
  }
  const config::Source file{.name = "config.ini", .text = std::move(ini)};
  return config::load(std::span(&file, 1)).config;
}

ByteVector bytes_of(const std::string& hex, const char* what) {
  auto bytes = wire::from_hex(hex);
  if (!bytes) throw std::runtime_error(std::string("no hexadecimal text in ") + what + ": " + hex);
  return *bytes;
}

ScriptedStream::Answer answer_of(const json::object& exchange) {
  ScriptedStream::Answer answer;
  if (const json::value* chunks = exchange.if_contains("rx_chunks")) {
    for (const json::value& chunk : chunks->as_array()) answer.push_back({bytes_of(std::string(chunk.as_string()), "rx_chunks"), 5ms});
  } else {
    answer.push_back({bytes_of(string_or(exchange, "rx"), "rx"), 20ms});
  }
  return answer;
}

std::optional<long> address_of(const json::object& vector) {
  const json::value* config = vector.if_contains("config");
  std::string text = string_or(vector, "address");
  if (text.empty() && config) text = string_or(config->as_object(), "address");
  if (text.empty()) return std::nullopt;
  return std::stol(text, nullptr, 0);
}

Tolerance tolerance_of(const json::object& vector) {
  const json::value* given = vector.if_contains("tolerance");
  Tolerance tolerance;
  if (given && given->is_number()) tolerance.relative = given->to_number<double>();
  if (given && given->is_object()) tolerance.absolute = given->as_object();
  return tolerance;
}

// --- SPI: registers in place of answers ---

namespace chip = simulator::max17853;

/// The chip of a vector: its registers never change.
ByteVector register_answer(const json::object& image, Bytes frame) {
  const chip::Request request = chip::parse(frame);
  if (!request.is_good()) throw std::runtime_error("no access to the chip: " + wire::to_hex(frame));
  if (!request.read) return chip::reply_to_write(0);
  for (const auto& entry : image) {
    if (std::stoul(std::string(entry.key()), nullptr, 16) == request.reg)
      return chip::reply(0, static_cast<std::uint16_t>(std::stoul(std::string(entry.value().as_string()), nullptr, 16)));
  }
  return chip::reply(0, 0);
}

std::vector<std::string> compare_bits(const json::object& expect, Bytes frame) {
  const chip::Request sent = chip::parse(frame);
  const json::object got{
      {"rw", sent.read ? 1 : 0}, {"address", sent.reg}, {"crc_address", sent.head_crc}, {"data", sent.data}, {"crc_data", sent.data_crc}};
  std::vector<std::string> differences;
  for (const auto& member : expect) {
    if (got.at(member.key()).to_number<int>() != member.value().to_number<int>()) differences.push_back("tx_bits: " + json::serialize(got));
  }
  return differences;
}

class VectorRun {
 public:
  /// `expect`: nullptr when nothing is expected of the battery. `address`: instead of the one that the vector names.
  VectorRun(const DriverEntry& entry, const json::object& vector, const json::object* expect, std::optional<long> address)
      : vector_(vector), expect_(expect), config_(make_config(vector)), link_(stream_), driver_(entry.make(context(entry, address))) {
    const json::value* settings = vector.if_contains("config");
    const json::value* count = settings ? settings->as_object().if_contains("cell_count") : nullptr;
    if (count) {
      Battery known;
      known.cell_count = count->to_number<unsigned>();
      known.cells.resize(*known.cell_count);
      driver_->assume(known);
    }
  }

  std::vector<std::string> run(std::size_t bytes_per_read) {
    stream_.set_read_limit(bytes_per_read);
    const json::value* registers = vector_.if_contains("registers");
    const auto error = registers ? measure(registers->as_object()) : converse();
    const json::value* expected_error = vector_.if_contains("expect_error");
    if (expected_error) {
      if (!error) return {"error: expected " + std::string(expected_error->as_string()) + ", got a good answer"};
      if (to_string(*error) != expected_error->as_string()) {
        return {"error: expected " + std::string(expected_error->as_string()) + ", got " + std::string(to_string(*error))};
      }
    } else if (error) {
      return {"error: expected none, got " + std::string(to_string(*error)) + " (" + error_text_ + ")"};
    }
    if (!expect_) return {};
    if (registers && !expected_error) {
      if (auto missing = exchanges_not_made(); !missing.empty()) return missing;
    }
    if (const json::value* bits = expect_->if_contains("tx_bits")) return compare_bits(bits->as_object(), first_request());
    return compare(*expect_, driver_->battery(), driver_->details(), tolerance_of(vector_));
  }

 private:
  DriverContext context(const DriverEntry& entry, std::optional<long> address) {
    DriverContext context{.link = link_, .config = config_};
    if (!address) address = address_of(vector_);
    context.address = address ? static_cast<std::uint8_t>(*address) : entry.probes.front().address;
    if (const json::value* list = vector_.if_contains("configured_addresses")) {
      context.address_configured = true;
      context.shared_line = list->as_array().size() > 1;
    }
    if (!entry.probes.empty()) stream_.configure(entry.probes.front().line);
    return context;
  }

  // One measurement of a chip with these registers.
  std::optional<Fault> measure(const json::object& image) {
    stream_.set_responder([this, &image](Bytes request) {
      ByteVector answer = register_answer(image, request);
      made_[wire::to_hex(request)] = wire::to_hex(answer);
      return ScriptedStream::Answer{{std::move(answer), 100us}};
    });
    try {
      test::run(driver_->refresh());
    } catch (const BmsError& error) {
      error_text_ = error.what();
      return error.fault();
    }
    return std::nullopt;
  }

  /// The exchanges of the vector must be part of the measurement.
  [[nodiscard]] std::vector<std::string> exchanges_not_made() const {
    std::vector<std::string> differences;
    for (const json::value& exchange : vector_.at("exchanges").as_array()) {
      const auto made = made_.find(string_or(exchange.as_object(), "tx"));
      if (made == made_.end() || made->second != string_or(exchange.as_object(), "rx"))
        differences.push_back("exchange not made: " + json::serialize(exchange));
    }
    return differences;
  }

  [[nodiscard]] ByteVector first_request() const {
    return bytes_of(string_or(vector_.at("exchanges").as_array().front().as_object(), "tx"), "tx");
  }

  // The fault of the exchange that decides; silence and damaged answers that are asked again later do not.
  std::optional<Fault> converse() {
    std::multiset<std::string> still_to_come;
    const json::array& exchanges = vector_.at("exchanges").as_array();
    for (const json::value& exchange : exchanges) still_to_come.insert(string_or(exchange.as_object(), "tx"));
    for (const json::value& item : exchanges) {
      const json::object& exchange = item.as_object();
      const std::string tx = string_or(exchange, "tx");
      still_to_come.erase(still_to_come.find(tx));
      stream_.set_responder([&exchange](Bytes) { return answer_of(exchange); });
      if (tx.empty()) {  // overheard: the bytes come unasked
        for (auto& chunk : answer_of(exchange)) stream_.push(std::move(chunk.bytes), chunk.delay);
      }
      const Battery before = driver_->battery();
      try {
        test::run(driver_->replay(bytes_of(tx, "tx")));
      } catch (const BmsError& error) {
        if (!(driver_->battery() == before)) throw std::runtime_error("a refused answer changed the battery");
        const bool silence = vector_.if_contains("expect") && exchanges.size() > 1 && string_or(exchange, "rx").empty();
        if (silence || still_to_come.contains(tx)) continue;
        error_text_ = error.what();
        return error.fault();
      }
    }
    return std::nullopt;
  }

  const json::object& vector_;
  const json::object* expect_;
  Config config_;
  ScriptedStream stream_;
  ByteLink link_;
  std::unique_ptr<Driver> driver_;
  std::string error_text_;
  std::map<std::string, std::string> made_;  // requests and answers of a measurement
};

// "packs" expects something of each battery of a stack, by its address.
std::vector<std::string> run_packs(const DriverEntry& entry, const json::object& vector, std::size_t bytes_per_read) {
  const json::value* expect = vector.if_contains("expect");
  const json::object* all = expect ? &expect->as_object() : nullptr;
  const json::value* packs = all ? all->if_contains("packs") : nullptr;
  if (!packs) return VectorRun(entry, vector, all, std::nullopt).run(bytes_per_read);
  std::vector<std::string> differences;
  for (const auto& pack : packs->as_object()) {
    VectorRun one(entry, vector, &pack.value().as_object(), std::stol(std::string(pack.key()), nullptr, 0));
    for (const std::string& difference : one.run(bytes_per_read))
      differences.push_back("pack " + std::string(pack.key()) + ": " + difference);
  }
  return differences;
}

VectorResult run_vector(const DriverEntry* entry, const std::string& bms, const json::object& vector) {
  VectorResult result{string_or(vector, "name"), VectorResult::Outcome::passed, {}};
  if (!entry) return {result.name, VectorResult::Outcome::skipped, {"no driver " + bms}};
  if (!vector.if_contains("exchanges")) return {result.name, VectorResult::Outcome::skipped, {"no serial exchanges"}};
  try {
    result.differences = run_packs(*entry, vector, 0);
    if (result.differences.empty()) {
      for (const std::string& difference : run_packs(*entry, vector, 1)) result.differences.push_back("byte by byte: " + difference);
    }
  } catch (const std::exception& error) {
    result.differences.push_back(error.what());
  }
  if (!result.differences.empty()) result.outcome = VectorResult::Outcome::failed;
  return result;
}

}  // namespace

std::size_t VectorFileResult::count(VectorResult::Outcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(results, outcome, &VectorResult::outcome));
}

VectorFileResult run_vector_file(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file.string() + ": can't be opened");
  std::stringstream text;
  text << stream.rdbuf();
  VectorFileResult result;
  try {
    const json::value document = json::parse(text.str());
    result.bms = string_or(document.as_object(), "bms");
    const DriverEntry* entry = find_driver(result.bms);
    for (const json::value& vector : document.at("vectors").as_array())
      result.results.push_back(run_vector(entry, result.bms, vector.as_object()));
  } catch (const std::exception& error) {
    throw std::runtime_error(file.string() + ": " + error.what());
  }
  return result;
}

}  // namespace serialbattery::test
