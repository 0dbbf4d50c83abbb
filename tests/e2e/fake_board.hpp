// The board behind tests/preload/fake_spidev.cpp: a simulated chip on the SPI bus, and the pins that the program switches.
#pragma once

#include <array>
#include <boost/asio.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "simulator/bus.hpp"

namespace serialbattery::test {

class FakeBoard {
 public:
  FakeBoard(boost::asio::io_context& io, std::filesystem::path socket)
      : socket_(std::move(socket)), acceptor_(io, boost::asio::local::stream_protocol::endpoint(socket_.string())) {
    boost::asio::co_spawn(io, accept(), boost::asio::detached);
  }

  /// For the program that shall find the board.
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    const char* sanitizer = std::getenv("ASAN_OPTIONS");
    return {{"LD_PRELOAD", SB_BINARY_DIR "/tests/libfake-spidev.so"},
            {"FAKE_SPIDEV", socket_.string()},
            {"ASAN_OPTIONS", (sanitizer ? std::string(sanitizer) + ":" : "") + "verify_asan_link_order=0"}};
  }

  simulator::Bus& chip() { return *chip_; }
  /// Levels as the board sees them; outputs are those that the program has set.
  std::map<unsigned, bool> pins{{2, true}, {3, true}, {4, false}, {17, false}};
  std::set<unsigned> outputs;
  std::size_t transfers = 0;

 private:
  using Message = std::array<std::uint8_t, 8>;

  boost::asio::awaitable<void> accept() {
    while (true) {
      auto connection = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      boost::asio::co_spawn(acceptor_.get_executor(), serve(std::move(connection)), boost::asio::detached);
    }
  }

  // Ends with the exception of a closed connection.
  boost::asio::awaitable<void> serve(boost::asio::local::stream_protocol::socket connection) {
    while (true) {
      Message message{};
      co_await boost::asio::async_read(connection, boost::asio::buffer(message), boost::asio::use_awaitable);
      message = answer(message);
      co_await boost::asio::async_write(connection, boost::asio::buffer(message), boost::asio::use_awaitable);
    }
  }

  Message answer(const Message& asked) {
    Message reply{1};
    const unsigned pin = asked[1];
    if (asked[0] == 'L') reply[1] = pins[pin] ? 1 : 0;
    if (asked[0] == 'P') {
      pins[pin] = asked[2] != 0;
      outputs.insert(pin);
    }
    if (asked[0] != 'S') return reply;
    ++transfers;
    const auto answers = chip_->receive(Bytes(asked).subspan(4), Clock::now());
    if (answers.empty()) return {};
    const ByteVector& bytes = answers.front().front().bytes;
    std::copy_n(bytes.begin(), 4, reply.begin() + 4);
    return reply;
  }

  std::filesystem::path socket_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::unique_ptr<simulator::Bus> chip_ = simulator::Bus::of("MNB");
};

}  // namespace serialbattery::test
