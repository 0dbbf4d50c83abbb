#include "support/private_bus.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <stdexcept>

namespace serialbattery::test {
namespace {

std::filesystem::path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "serialbattery-bus-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

void write_configuration(const std::filesystem::path& file, const std::filesystem::path& socket) {
  std::ofstream(file) << "<busconfig><listen>unix:path=" << socket.string() << "</listen><auth>EXTERNAL</auth>\n"
                      << "<policy context=\"default\"><allow own=\"*\"/><allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
                      << "<allow receive_sender=\"*\"/><allow send_type=\"method_call\"/></policy></busconfig>\n";
}

}  // namespace

PrivateBus::PrivateBus() : folder_(make_folder()) {
  const auto configuration = folder_ / "bus.conf";
  write_configuration(configuration, folder_ / "bus.sock");
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string option = "--config-file=" + configuration.string();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a crashed test leaves no daemon behind
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    ::execlp("dbus-daemon", "dbus-daemon", option.c_str(), "--nofork", "--print-address", nullptr);
    ::_exit(127);
  }
  ::close(pipe[1]);
  if (pid_ < 0) throw std::runtime_error("dbus-daemon can not be started");
  char byte = 0;  // the address line comes when the socket listens
  while (::read(pipe[0], &byte, 1) == 1 && byte != '\n') address_ += byte;
  ::close(pipe[0]);
  if (address_.empty()) throw std::runtime_error("dbus-daemon did not start");
  ::setenv("DBUS_SYSTEM_BUS_ADDRESS", address_.c_str(), 1);
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

PrivateBus::~PrivateBus() {
  kill();
  ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PrivateBus::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace serialbattery::test
