#include "support/spawned.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace serialbattery::test {

namespace {

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void pause_briefly() {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "sb-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Spawned::Spawned(std::vector<std::string> command, std::map<std::string, std::string> environment) {
  std::string name = (std::filesystem::temp_directory_path() / "sb-log-XXXXXX").string();
  const int log = mkstemp(name.data());
  if (log < 0) throw std::runtime_error("no temporary file");
  log_ = name;
  pid_ = fork();
  if (pid_ == 0) {
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    for (const auto& [key, value] : environment) setenv(key.c_str(), value.c_str(), 1);
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(log);
}

Spawned::~Spawned() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove(log_, ignored);
}

bool Spawned::running() {
  if (code_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) code_ = code_of(status);
  return !code_;
}

void Spawned::signal(int number) const {
  kill(pid_, number);
}

std::optional<int> Spawned::wait(std::chrono::milliseconds limit) {
  eventually([this] { return !running(); }, limit);
  return code_;
}

std::string Spawned::output() const {
  std::ifstream stream(log_);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

bool Spawned::wait_for_output(const std::string& text, std::chrono::milliseconds limit) {
  return eventually([&] { return output().find(text) != std::string::npos; }, limit);
}

}  // namespace serialbattery::test
