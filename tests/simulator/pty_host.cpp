#include "simulator/pty_host.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <boost/asio.hpp>
#include <cstdlib>
#include <deque>
#include <system_error>

#include "simulator/pty_line.hpp"

namespace serialbattery::simulator {

namespace {

namespace fs = std::filesystem;

constexpr auto quiet = asio::as_tuple(asio::use_awaitable);

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Owns a file descriptor.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void close() { ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

int open_master() {
  const int fd = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || ::grantpt(fd) != 0 || ::unlockpt(fd) != 0) fail("posix_openpt");
  return fd;
}

std::string slave_name(int master) {
  std::array<char, 64> name{};
  if (::ptsname_r(master, name.data(), name.size()) != 0) fail("ptsname");
  return name.data();
}

int open_slave(const std::string& name) {
  const int fd = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) fail("open slave");
  return fd;
}

/// Replaces an older link in one step.
void link_to(const fs::path& link, const std::string& target) {
  if (link.has_parent_path()) fs::create_directories(link.parent_path());
  fs::path fresh = link;
  fresh += ".new";
  fs::remove(fresh);
  fs::create_symlink(target, fresh);
  fs::rename(fresh, link);
}

}  // namespace

/// One life of the pseudo-terminal, from plugging in to pulling out. Its coroutines keep it alive.
class PtyHost::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, std::shared_ptr<Bus> bus, const PtyOptions& options, std::shared_ptr<PtyStatistics> statistics)
      : io_(io),
        bus_(std::move(bus)),
        options_(options),
        statistics_(std::move(statistics)),
        master_(io, open_master()),
        name_(slave_name(master_.native_handle())),
        slave_(open_slave(name_)),
        reading_(io),
        writing_(io),
        talking_(io) {
    make_raw(slave_.get(), bus_->line());
  }

  void start() {
    asio::co_spawn(
        io_, [self = shared_from_this()] { return self->read(); }, asio::detached);
    asio::co_spawn(
        io_, [self = shared_from_this()] { return self->write(); }, asio::detached);
    asio::co_spawn(
        io_, [self = shared_from_this()] { return self->talk(); }, asio::detached);
  }

  void close() {
    closed_ = true;
    reading_.cancel();
    writing_.cancel();
    talking_.cancel();
    boost::system::error_code ignored;
    master_.close(ignored);
    slave_.close();
  }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Outgoing {
    TimePoint requested;  // the pause of the first part counts from here
    Answer answer;
  };

  asio::awaitable<void> read() {
    std::array<std::uint8_t, 512> buffer;
    while (!closed_) {
      const auto [error, size] = co_await master_.async_read_some(asio::buffer(buffer), quiet);
      if (closed_) co_return;
      if (error) {  // cannot happen while the slave is held open, but must not spin
        co_await wait(reading_, Clock::now() + 50ms);
        continue;
      }
      statistics_->bytes_in += size;
      // A program may hold the port exclusively; a real tty forgets that when it is closed, this one is never closed.
      ::ioctl(slave_.get(), TIOCNXCL);
      const Line sent_with = program_line();
      line_in_free_ = std::max(line_in_free_, Clock::now()) + scaled(byte_time(sent_with) * size);
      co_await wait(reading_, line_in_free_);
      if (closed_) co_return;
      const ByteVector seen = options_.check_line ? resample(Bytes(buffer).first(size), sent_with, bus_->line())
                                                  : ByteVector(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
      const TimePoint now = Clock::now();
      for (Answer& answer : bus_->receive(seen, now)) enqueue({now, std::move(answer)});
    }
  }

  asio::awaitable<void> talk() {
    while (!closed_) {
      const TimePoint now = Clock::now();
      for (Answer& message : bus_->talk(now)) enqueue({now, std::move(message)});
      co_await wait(talking_, now + (bus_->talks() ? 5ms : 100ms));  // talking may be switched on while we run
    }
  }

  asio::awaitable<void> write() {
    TimePoint line_free{};
    while (!closed_) {
      if (queue_.empty()) {
        idle_ = true;
        co_await wait(writing_, TimePoint::max());
        idle_ = false;
        continue;
      }
      const Outgoing next = std::move(queue_.front());
      queue_.pop_front();
      TimePoint from = next.requested;
      for (const Part& part : next.answer) {
        line_free = std::max(line_free, from + scaled(part.pause));
        line_free = co_await deliver(part.bytes, line_free);
        from = line_free;
      }
    }
  }

  /// Sends from `start` on; returns the end of the last byte.
  asio::awaitable<TimePoint> deliver(const ByteVector& bytes, TimePoint start) {
    const Duration each = scaled(byte_time(bus_->line()));
    const auto in_time = each > Duration::zero() ? static_cast<std::size_t>(options_.latency / each) : options_.chunk;
    const std::size_t chunk = std::clamp<std::size_t>(in_time, 1, std::max<std::size_t>(options_.chunk, 1));
    for (std::size_t begin = 0; begin < bytes.size(); begin += chunk) {
      const Bytes piece = Bytes(bytes).subspan(begin, std::min(chunk, bytes.size() - begin));
      start += each * piece.size();
      co_await wait(writing_, start);
      if (closed_) break;
      const Line read_with = options_.check_line ? program_line() : bus_->line();
      const ByteVector seen = resample(piece, bus_->line(), read_with);
      // A full buffer means that nobody reads; a real port drops bytes then.
      const auto written = ::write(master_.native_handle(), seen.data(), seen.size());
      if (written > 0) statistics_->bytes_out += static_cast<std::uint64_t>(written);
    }
    co_return start;
  }

  /// As the program has set it. The kernel lets no pseudo-terminal have a parity, so that is taken for right.
  [[nodiscard]] Line program_line() const { return {line_of(slave_.get()).baud, bus_->line().parity}; }

  void enqueue(Outgoing outgoing) {
    queue_.push_back(std::move(outgoing));
    if (idle_) writing_.cancel();
  }

  /// Returns at `moment`, or early when the timer is cancelled.
  asio::awaitable<void> wait(asio::steady_timer& timer, TimePoint moment) {
    if (closed_) co_return;
    timer.expires_at(moment);
    co_await timer.async_wait(quiet);
  }

  [[nodiscard]] Duration scaled(Duration time) const {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double, Duration::period>(time) * options_.pace);
  }

  asio::io_context& io_;
  std::shared_ptr<Bus> bus_;
  const PtyOptions options_;
  std::shared_ptr<PtyStatistics> statistics_;
  asio::posix::stream_descriptor master_;
  std::string name_;
  File slave_;
  asio::steady_timer reading_;
  asio::steady_timer writing_;
  asio::steady_timer talking_;
  std::deque<Outgoing> queue_;
  TimePoint line_in_free_{};
  bool idle_ = false;  // write() waits for an answer
  bool closed_ = false;
};

PtyHost::PtyHost(asio::io_context& io, std::unique_ptr<Bus> bus, PtyOptions options)
    : io_(io), bus_(std::move(bus)), options_(std::move(options)), replug_(io) {
  plug();
}

PtyHost::~PtyHost() {
  unplug();
}

std::string PtyHost::path() const {
  return options_.link.empty() ? slave() : options_.link.string();
}

std::string PtyHost::slave() const {
  return session_ ? session_->name() : std::string();
}

void PtyHost::plug() {
  if (session_) return;
  replug_.cancel();
  session_ = std::make_shared<Session>(io_, bus_, options_, statistics_);
  if (!options_.link.empty()) link_to(options_.link, session_->name());
  session_->start();
}

void PtyHost::unplug(Duration back_after) {
  replug_.cancel();
  if (session_) {
    std::exchange(session_, nullptr)->close();
    std::error_code ignored;
    if (!options_.link.empty()) fs::remove(options_.link, ignored);
  }
  if (back_after > Duration::zero()) {
    replug_.expires_after(back_after);
    replug_.async_wait([this](boost::system::error_code error) {
      if (!error) plug();
    });
  }
}

}  // namespace serialbattery::simulator
