#include "link/replay_stream.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <stdexcept>

#include "link/spi_stream.hpp"

namespace serialbattery::link {

ReplayStream::ReplayStream(asio::io_context& io, const std::filesystem::path& file) : AnsweredStream(io, file.stem().string(), {}) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file.string() + ": can't be opened");
  ByteVector request;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      const boost::json::value entry = boost::json::parse(line);
      const std::string_view direction = entry.at("dir").as_string();
      if (direction != "tx" && direction != "rx") continue;
      auto bytes = wire::from_hex(std::string_view(entry.at("raw").as_string()));
      if (!bytes) throw std::runtime_error("\"raw\" is not hexadecimal");
      if (direction == "tx") {
        request = std::move(*bytes);
        conversation_[request].answers.emplace_back();
      } else if (!request.empty()) {
        ByteVector& answer = conversation_[request].answers.back();
        answer.insert(answer.end(), bytes->begin(), bytes->end());
      }
    } catch (const std::exception& error) {
      throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": no line of a capture (" + error.what() + ")");
    }
  }
  if (conversation_.empty()) throw std::runtime_error(file.string() + ": holds no recorded request");
}

Transport ReplayStream::transport() const {
  return is_spi_device(name()) ? Transport::spi : Transport::serial;
}

asio::awaitable<void> ReplayStream::write(Bytes data) {
  const auto known = conversation_.find(ByteVector(data.begin(), data.end()));
  if (known != conversation_.end()) {
    Recorded& recorded = known->second;
    set_answer(recorded.answers[recorded.next]);
    recorded.next = (recorded.next + 1) % recorded.answers.size();
  }
  co_return;
}

}  // namespace serialbattery::link
