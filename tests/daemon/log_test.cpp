// The log: a pipe whose reader may stop reading, or be gone; faults that repeat.
#include "daemon/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <array>
#include <csignal>
#include <string>

namespace serialbattery::test {

namespace {

using testing::EndsWith;
using testing::StartsWith;

class LogPipe : public testing::Test {
 protected:
  LogPipe() : before_(spdlog::default_logger()) {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    daemon::set_up_log("INFO", ends_[1]);
  }
  ~LogPipe() override {
    spdlog::set_default_logger(before_);
    close_reader();
    ::close(ends_[1]);
  }

  std::string read_all() {
    std::string text;
    std::array<char, 65536> buffer;
    for (ssize_t count = 0; (count = ::read(ends_[0], buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(std::exchange(ends_[0], -1));
  }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace

TEST_F(LogPipe, LinesAreThereAtOnce) {
  spdlog::debug("not this");
  spdlog::info("one");
  spdlog::error("two");
  EXPECT_EQ(read_all(), "info: one\nerror: two\n");
}

TEST_F(LogPipe, AReaderThatStopsIsNotWaitedForAndLearnsWhatIsMissing) {
  for (int i = 0; i < 100'000; ++i) spdlog::info("line {}", i);  // far more than a pipe holds; would never return if it waited
  const std::string held = read_all();
  EXPECT_THAT(held, StartsWith("info: line 0\ninfo: line 1\n"));
  EXPECT_THAT(held, EndsWith("\n"));
  const auto kept = std::count(held.begin(), held.end(), '\n');
  spdlog::info("again");
  EXPECT_EQ(read_all(), "warning: " + std::to_string(100'000 - kept) + " lines of the log are lost: nobody took them\ninfo: again\n");
  spdlog::info("told once");
  EXPECT_EQ(read_all(), "info: told once\n");
}

TEST_F(LogPipe, ALongLineIsCutAndStaysOneLine) {
  spdlog::info(std::string(10'000, 'x'));
  const std::string line = read_all();
  EXPECT_EQ(line.size(), 4096U);
  EXPECT_THAT(line, EndsWith("x\n"));
}

TEST_F(LogPipe, AReaderThatIsGoneDoesNoHarm) {
  close_reader();
  spdlog::info("nobody hears this");
}

class Faults : public testing::Test {
 protected:
  std::string occurs(const char* what, std::chrono::seconds at) { return faults_.occurred(what, TimePoint(at)); }
  std::string works(std::chrono::seconds at) { return faults_.recovered(TimePoint(at)); }
  daemon::RepeatedFault faults_;
};

TEST_F(Faults, AreToldAtOnceThenOnceAMinute) {
  EXPECT_EQ(works(1s), "");
  EXPECT_EQ(occurs("timeout", 10s), "timeout");
  for (int second = 11; second < 70; ++second) EXPECT_EQ(occurs("timeout", std::chrono::seconds(second)), "");
  EXPECT_EQ(occurs("timeout", 70s), "timeout (again, 60 times since the last such line)");
  EXPECT_EQ(occurs("checksum", 71s), "checksum") << "another cause is news";
  EXPECT_EQ(works(72s), "reads again after 62 failed polls in 62 s");
}

TEST_F(Faults, ThatComeAndGoAreAFewLinesAMinute) {
  int lines = 0;
  for (int second = 0; second < 600; second += 3) {
    for (const char* what : {"timeout", "checksum"}) lines += occurs(what, std::chrono::seconds(second)).empty() ? 0 : 1;
    lines += works(std::chrono::seconds(second + 1)).empty() ? 0 : 1;
  }
  EXPECT_LE(lines, 3 * 10);
  EXPECT_GE(lines, 3 * 9);
}

TEST_F(Faults, ThatAreNeverTheSameDoNotFillTheLog) {
  int lines = 0;
  for (int second = 0; second < 600; ++second)
    lines += occurs(std::to_string(second).c_str(), std::chrono::seconds(second)).empty() ? 0 : 1;
  EXPECT_LE(lines, 8 * 10 + 8);
  EXPECT_GE(lines, 10);
}

}  // namespace serialbattery::test
