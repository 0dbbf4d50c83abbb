#include "serialbattery/errors.hpp"

namespace serialbattery {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::timeout: return "timeout";
    case Fault::closed: return "closed";
    case Fault::io: return "io";
    case Fault::checksum: return "checksum";
    case Fault::length: return "length";
    case Fault::rejected: return "rejected";
    case Fault::exception: return "exception";
    case Fault::implausible: return "implausible";
  }
  return "unknown";
}

}  // namespace serialbattery
