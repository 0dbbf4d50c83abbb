// Typed failures of a conversation with a BMS. Thrown by links and drivers, caught in one place: the poll cycle.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace serialbattery {

/// Why an exchange failed.
enum class Fault {
  timeout,      // nothing, only noise, or only the echo of the request
  closed,       // the port is gone (adapter unplugged, hang-up)
  io,           // another error of the operating system
  checksum,     // an answer with the right header failed its checksum or end mark
  length,       // an answer was cut, or announces an impossible length
  rejected,     // the BMS answered "no" with a status of its own
  exception,    // a Modbus exception answer
  implausible,  // a correct frame with impossible content, or of another kind than asked for
};

/// The name used in logs, statistics and test vectors.
std::string_view to_string(Fault fault);

/// Base of all conversation failures.
class BmsError : public std::runtime_error {
 public:
  BmsError(Fault fault, const std::string& what) : std::runtime_error(what), fault_(fault) {}
  [[nodiscard]] Fault fault() const { return fault_; }
  /// Nothing can be asked any more; any other failure concerns one exchange only.
  [[nodiscard]] bool port_gone() const { return fault_ == Fault::closed || fault_ == Fault::io; }
  /// Lost or damaged: the same question may get its answer. Not after a refusal.
  [[nodiscard]] bool worth_asking_again() const { return !port_gone() && fault_ != Fault::rejected && fault_ != Fault::exception; }

 private:
  Fault fault_;
};

/// The transport failed: timeout, closed, io.
class LinkError : public BmsError {
 public:
  using BmsError::BmsError;
};

/// An answer came and was refused: checksum, length, rejected, exception, implausible.
class FrameError : public BmsError {
 public:
  using BmsError::BmsError;
};

/// Throws FrameError(fault, what) unless `good`.
inline void require(bool good, const char* what, Fault fault = Fault::implausible) {
  if (!good) throw FrameError(fault, what);
}

}  // namespace serialbattery
