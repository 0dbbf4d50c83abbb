#include "simulator/control.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <list>

namespace serialbattery::simulator {

const std::string_view command_help = R"(Commands, one a line; the answer is "ok", "ok VALUE" or "error REASON":
  set NAME VALUE       change a property: set cell3 3.51, set current -20, set 2/soc 40 (only the unit at address 2)
  get NAME             read a property
  list                 names of all properties
  fault NAME VALUE     switch a fault: fault silence on, fault 2/truncate 20, fault delay 600
  fault NAME           read a fault's value
  faults               names of all faults
  unplug [MS]          pull the adapter out (hang-up); with MS plug it in again after that time
  plug                 plug it in again: a new pseudo-terminal under the same link
  path                 what a program has to open
  stats                requests seen, answers, bytes dropped as no request, bytes in and out, age of the last request
  help                 this text
  quit                 end the simulator
Faults: every N (strike every n-th request), count N (strike the next n only), answer_every N (answer every n-th only), silence,
  wrong_address, exception CODE, checksum, flip BITS, truncate K (first K bytes; -K: without the last K), lose K (byte K),
  noise_before/noise_inside/noise_after N, prefix HEX, suffix HEX, stale (previous answer first), previous (instead),
  delay MS, gap MS with chunk N (slow bytes), echo (adapter returns the request), echo_skip N (without its first n bytes),
  wrong_byte_count (Modbus devices))";

namespace {

constexpr auto quiet = asio::as_tuple(asio::use_awaitable);

/// Cuts the first word off `rest`.
std::string_view word(std::string_view& rest) {
  const auto begin = std::min(rest.find_first_not_of(" \t\r"), rest.size());
  const auto end = std::min(rest.find_first_of(" \t\r", begin), rest.size());
  const std::string_view result = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  const auto end = text.find_last_not_of(" \t\r");
  return begin == text.size() ? std::string_view() : text.substr(begin, end - begin + 1);
}

std::string statistics(PtyHost& host) {
  const Statistics device = host.bus().statistics();
  const PtyStatistics& line = host.statistics();
  std::string age = "never";
  if (device.last_request) {
    age = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *device.last_request).count());
  }
  return fmt::format("requests={} answers={} dropped={} bytes_in={} bytes_out={} last_request_ms={}", device.requests, device.answers,
                     device.dropped, line.bytes_in, line.bytes_out, age);
}

/// The value of a successful command; throws PropertyError.
std::string carry_out(PtyHost& host, std::string_view line, const std::function<void()>& on_quit) {
  const std::string_view command = word(line);
  if (command == "help") return std::string(command_help);
  if (command == "list") return fmt::format("{}", fmt::join(host.bus().names(), " "));
  if (command == "faults") return fmt::format("{}", fmt::join(host.bus().fault_names(), " "));
  if (command == "path") return host.path();
  if (command == "stats") return statistics(host);
  if (command == "plug") return host.plug(), "";
  if (command == "unplug") {
    const std::string_view time = word(line);
    const double ms = time.empty() ? 0 : parse_number(time);
    return host.unplug(std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms))), "";
  }
  if (command == "quit") {
    if (on_quit) on_quit();
    return "";
  }
  if (command != "set" && command != "get" && command != "fault") throw PropertyError(fmt::format("no command '{}', try help", command));

  const std::string_view name = word(line);
  const std::string_view value = trimmed(line);
  if (name.empty()) throw PropertyError("name missing");
  host.bus().advance(Clock::now());
  if (command == "get") return host.bus().get(name);
  if (command == "set") return host.bus().set(name, value), "";
  if (value.empty()) return host.bus().get_fault(name);
  return host.bus().set_fault(name, value), "";
}

/// Answers the complete lines of `stream` until it ends.
template <typename Stream, typename Write>
asio::awaitable<void> converse(Stream& stream, PtyHost& host, const std::function<void()>& on_quit, Write write) {
  std::string buffer;
  for (;;) {
    const auto [error, size] = co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer, 65536), '\n', quiet);
    if (error) co_return;
    const std::string line = buffer.substr(0, size - 1);
    buffer.erase(0, size);
    if (trimmed(line).empty()) continue;
    co_await write(execute(host, line, on_quit) + "\n");
  }
}

}  // namespace

std::string execute(PtyHost& host, std::string_view line, const std::function<void()>& on_quit) {
  try {
    const std::string value = carry_out(host, line, on_quit);
    return value.empty() ? "ok" : "ok " + value;
  } catch (const std::exception& error) {
    return std::string("error ") + error.what();
  }
}

void serve_descriptor(asio::io_context& io, PtyHost& host, int descriptor, int answers, std::function<void()> on_quit) {
  const auto serve = [](asio::io_context& context, PtyHost& target, int input, int output,
                        std::function<void()> quit) -> asio::awaitable<void> {
    asio::posix::stream_descriptor stream(context, input);
    const auto print = [output](std::string text) -> asio::awaitable<void> {
      if (::write(output, text.data(), text.size()) < 0) co_return;  // nobody listens any more
    };
    co_await converse(stream, target, quit, print);
  };
  asio::co_spawn(io, serve(io, host, descriptor, answers, std::move(on_quit)), asio::detached);
}

/// Kept alive by its coroutines; forgets the host when the server ends.
class ControlServer::Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Protocol = asio::local::stream_protocol;

  Listener(asio::io_context& io, PtyHost& host, const std::filesystem::path& path, std::function<void()> on_quit)
      : io_(io), host_(host), path_(path), on_quit_(std::move(on_quit)), acceptor_(io) {
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    std::filesystem::remove(path);
    const Protocol::endpoint endpoint(path.string());
    acceptor_.open(endpoint.protocol());
    acceptor_.bind(endpoint);
    acceptor_.listen();
  }

  void start() {
    asio::co_spawn(
        io_, [self = shared_from_this()] { return self->accept(); }, asio::detached);
  }

  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (Protocol::socket& client : clients_) client.close(ignored);
    std::error_code missing;
    std::filesystem::remove(path_, missing);
  }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(quiet);
      if (error) co_return;
      clients_.push_back(std::move(socket));
      asio::co_spawn(
          io_, [self = shared_from_this(), client = std::prev(clients_.end())] { return self->serve(client); }, asio::detached);
    }
  }

  asio::awaitable<void> serve(std::list<Protocol::socket>::iterator client) {
    const auto send = [client](std::string text) -> asio::awaitable<void> {
      co_await asio::async_write(*client, asio::buffer(text), quiet);
    };
    co_await converse(*client, host_, on_quit_, send);
    clients_.erase(client);
  }

  asio::io_context& io_;
  PtyHost& host_;
  const std::filesystem::path path_;
  const std::function<void()> on_quit_;
  Protocol::acceptor acceptor_;
  std::list<Protocol::socket> clients_;
};

ControlServer::ControlServer(asio::io_context& io, PtyHost& host, std::filesystem::path socket, std::function<void()> on_quit)
    : listener_(std::make_shared<Listener>(io, host, socket, std::move(on_quit))) {
  listener_->start();
}

ControlServer::~ControlServer() {
  listener_->close();
}

}  // namespace serialbattery::simulator
