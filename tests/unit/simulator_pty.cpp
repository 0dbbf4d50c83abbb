// The pseudo-terminal and the control channel, as a program outside sees them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <filesystem>

#include "simulator/control.hpp"
#include "simulator/pty_host.hpp"
#include "simulator_helpers.hpp"

namespace serialbattery::simulator {
namespace {

namespace fs = std::filesystem;
using namespace asio::experimental::awaitable_operators;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto quiet = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view read_cells = "dda50400fffc77";
constexpr std::size_t cells_reply = 32 + 7;  // 16 cells

/// A program that opened the port.
class Program {
 public:
  Program(asio::io_context& io, const std::string& path, speed_t baud = B9600) : port_(io, open_port(path)) { set_baud(baud); }

  void set_baud(speed_t baud) {
    termios settings{};
    ASSERT_EQ(tcgetattr(port_.native_handle(), &settings), 0);
    cfmakeraw(&settings);
    cfsetspeed(&settings, baud);
    ASSERT_EQ(tcsetattr(port_.native_handle(), TCSANOW, &settings), 0);
  }

  asio::awaitable<void> send(std::string_view hex) {
    const ByteVector bytes = wire::from_hex(hex).value();
    co_await asio::async_write(port_, asio::buffer(bytes), asio::use_awaitable);
  }

  /// Reads until `size` bytes are there, the time is over, or the port is gone.
  asio::awaitable<std::string> receive(std::size_t size, Duration longest) {
    ByteVector bytes;
    asio::steady_timer timer(port_.get_executor(), longest);
    largest_piece_ = 0;
    co_await (collect(bytes, size) || timer.async_wait(asio::use_awaitable));
    co_return wire::to_hex(bytes);
  }

  asio::awaitable<std::string> ask(std::string_view hex, std::size_t size = cells_reply, Duration longest = 10s) {
    co_await send(hex);
    co_return co_await receive(size, longest);
  }

  [[nodiscard]] std::size_t largest_piece() const { return largest_piece_; }
  [[nodiscard]] bool gone() const { return gone_; }
  [[nodiscard]] int fd() { return port_.native_handle(); }

 private:
  static int open_port(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), path);
    return fd;
  }

  asio::awaitable<void> collect(ByteVector& bytes, std::size_t size) {
    std::array<std::uint8_t, 512> buffer;
    while (bytes.size() < size) {
      const auto [error, got] = co_await port_.async_read_some(asio::buffer(buffer), quiet);
      if (error) {
        gone_ = error != asio::error::operation_aborted;
        co_return;
      }
      largest_piece_ = std::max(largest_piece_, got);
      for (std::size_t i = 0; i < got; ++i) bytes.push_back(buffer[i]);
    }
  }

  asio::posix::stream_descriptor port_;
  std::size_t largest_piece_ = 0;
  bool gone_ = false;
};

class SimulatorPty : public testing::Test {
 protected:
  SimulatorPty() {
    std::string folder = (fs::temp_directory_path() / "simulator-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    folder_ = folder;
  }
  ~SimulatorPty() override { fs::remove_all(folder_); }

  void plug_in(std::string_view type, PtyOptions options = {}) {
    options.link = folder_ / "ttyUSB0";
    host_ = std::make_unique<PtyHost>(io_, Bus::of(type), options);
  }

  /// Runs the test's coroutine to its end.
  void run(asio::awaitable<void> test) {
    asio::co_spawn(io_, std::move(test), [this](const std::exception_ptr& failure) {
      host_.reset();
      io_.stop();
      if (failure) std::rethrow_exception(failure);
    });
    io_.run();
  }

  asio::awaitable<void> sleep(Duration time) {
    asio::steady_timer timer(io_, time);
    co_await timer.async_wait(asio::use_awaitable);
  }

  [[nodiscard]] std::string link() const { return (folder_ / "ttyUSB0").string(); }

  fs::path folder_;
  asio::io_context io_{1};
  std::unique_ptr<PtyHost> host_;
};

std::string good_cells() {
  return Host("LltJbd").ask(read_cells);
}

TEST_F(SimulatorPty, AnswersNoFasterThanTheLine) {
  plug_in("LltJbd");
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link());
    const TimePoint start = Clock::now();
    EXPECT_EQ(co_await program.ask(read_cells), good_cells());
    // 7 bytes there and 39 back at 10/9600 s each.
    EXPECT_GE(Clock::now() - start, 47ms);
    EXPECT_EQ(host_->statistics().bytes_in, 7U);
    EXPECT_EQ(host_->statistics().bytes_out, cells_reply);
  }());
}

TEST_F(SimulatorPty, DeliversInPiecesOfTheAdapter) {
  plug_in("LltJbd", {.chunk = 5, .latency = 100ms});
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link());
    EXPECT_EQ(co_await program.ask(read_cells), good_cells());
    EXPECT_LT(program.largest_piece(), cells_reply) << "not all at once";
  }());
}

TEST_F(SimulatorPty, UnderstandsOnlyItsOwnBaudRate) {
  plug_in("LltJbd");
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link(), B19200);
    EXPECT_EQ(co_await program.ask(read_cells, 1, 300ms), "");
    EXPECT_EQ(host_->bus().statistics().requests, 0U);
    program.set_baud(B9600);
    EXPECT_EQ(co_await program.ask(read_cells), good_cells());
  }());
}

TEST_F(SimulatorPty, ALineWithParityIsHeardAlthoughTheTerminalHasNone) {
  plug_in("Ecs");
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link(), B19200);
    const std::string id = co_await program.ask("010300000001840a", 7);
    EXPECT_EQ(id.substr(0, 10), "01030201f5") << "a meter of 250 A";
  }());
}

TEST_F(SimulatorPty, CanBeOpenedAgain) {
  plug_in("LltJbd");
  run([&]() -> asio::awaitable<void> {
    {
      Program first(io_, link());
      ::ioctl(first.fd(), TIOCEXCL);
      EXPECT_EQ(co_await first.ask(read_cells), good_cells());
    }
    Program second(io_, link());
    EXPECT_EQ(co_await second.ask(read_cells), good_cells());
  }());
}

TEST_F(SimulatorPty, UnplugHangsUpAndPlugMakesANewTerminal) {
  plug_in("LltJbd");
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link());
    EXPECT_EQ(co_await program.ask(read_cells), good_cells());
    host_->unplug();
    EXPECT_FALSE(host_->plugged());
    EXPECT_FALSE(fs::exists(fs::symlink_status(link())));
    co_await program.receive(1, 10s);
    EXPECT_TRUE(program.gone());
    EXPECT_EQ(::write(program.fd(), "x", 1), -1);
    EXPECT_EQ(errno, EIO);

    host_->plug();
    Program again(io_, link());
    EXPECT_EQ(co_await again.ask(read_cells), good_cells());
    host_->unplug(20ms);
    while (!host_->plugged()) co_await sleep(5ms);
    Program third(io_, link());
    EXPECT_EQ(co_await third.ask(read_cells), good_cells());
  }());
}

TEST_F(SimulatorPty, UnplugInTheMiddleOfAnAnswer) {
  plug_in("LltJbd");
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link());
    co_await program.send(read_cells);
    EXPECT_NE(co_await program.receive(1, 10s), "");
    host_->unplug();
    co_await program.receive(cells_reply, 10s);
    EXPECT_TRUE(program.gone());
  }());
}

TEST_F(SimulatorPty, ALateAnswerArrivesDuringTheNextRequest) {
  plug_in("LltJbd");
  host_->bus().set_fault("delay", "300");
  host_->bus().set_fault("count", "1");
  run([&]() -> asio::awaitable<void> {
    Program program(io_, link());
    EXPECT_EQ(co_await program.ask("dda50500fffb77", 1, 150ms), "");
    const std::string both = co_await program.ask(read_cells, 33 + cells_reply);
    EXPECT_THAT(both, StartsWith("dd05"));
    EXPECT_THAT(both, HasSubstr(good_cells()));
  }());
}

TEST_F(SimulatorPty, CommandsReachTheDevice) {
  plug_in("LltJbd");
  EXPECT_EQ(execute(*host_, "set cell3 3.51"), "ok");
  EXPECT_EQ(execute(*host_, "get cell3"), "ok 3.51");
  EXPECT_EQ(execute(*host_, "  set   product_name  My battery \r"), "ok");
  EXPECT_EQ(execute(*host_, "get product_name"), "ok My battery");
  EXPECT_EQ(execute(*host_, "fault silence on"), "ok");
  EXPECT_EQ(execute(*host_, "fault silence"), "ok on");
  EXPECT_THAT(execute(*host_, "set soc full"), StartsWith("error "));
  EXPECT_THAT(execute(*host_, "set soc"), StartsWith("error "));
  EXPECT_THAT(execute(*host_, "set"), StartsWith("error "));
  EXPECT_THAT(execute(*host_, "explode"), StartsWith("error "));
  EXPECT_THAT(execute(*host_, "unplug soon"), StartsWith("error "));
  EXPECT_THAT(execute(*host_, "list"), HasSubstr("product_name"));
  EXPECT_THAT(execute(*host_, "faults"), HasSubstr("echo_skip"));
  EXPECT_THAT(execute(*host_, "stats"), StartsWith("ok requests=0 answers=0 dropped=0 bytes_in=0 bytes_out=0 last_request_ms=never"));
  EXPECT_EQ(execute(*host_, "path"), "ok " + link());
  EXPECT_EQ(execute(*host_, "unplug"), "ok");
  EXPECT_FALSE(host_->plugged());
  EXPECT_EQ(execute(*host_, "plug"), "ok");
  EXPECT_TRUE(host_->plugged());
}

TEST_F(SimulatorPty, EveryFaultIsDescribed) {
  plug_in("LltJbd");
  for (const std::string& name : host_->bus().fault_names()) EXPECT_THAT(std::string(command_help), HasSubstr(name));
}

TEST_F(SimulatorPty, ControlSocketServesSeveralClients) {
  plug_in("LltJbd");
  bool quit = false;
  const fs::path socket = folder_ / "control";
  auto server = std::make_unique<ControlServer>(io_, *host_, socket, [&] { quit = true; });
  run([&]() -> asio::awaitable<void> {
    using Socket = asio::local::stream_protocol::socket;
    const auto ask = [](Socket& client, std::string text) -> asio::awaitable<std::string> {
      co_await asio::async_write(client, asio::buffer(text), asio::use_awaitable);
      std::string answer;
      co_await asio::async_read_until(client, asio::dynamic_buffer(answer), '\n', asio::use_awaitable);
      co_return answer;
    };
    Socket first(io_);
    Socket second(io_);
    co_await first.async_connect(socket.string(), asio::use_awaitable);
    co_await second.async_connect(socket.string(), asio::use_awaitable);
    EXPECT_EQ(co_await ask(first, "set soc 42\n"), "ok\n");
    EXPECT_EQ(co_await ask(second, "get soc\n"), "ok 42\n");
    first.close();
    EXPECT_EQ(co_await ask(second, "get nothing\n"), "error no property 'nothing'\n");
    EXPECT_EQ(co_await ask(second, "quit\n"), "ok\n");
    server.reset();
  }());
  EXPECT_TRUE(quit);
  EXPECT_FALSE(fs::exists(socket));
}

}  // namespace
}  // namespace serialbattery::simulator
