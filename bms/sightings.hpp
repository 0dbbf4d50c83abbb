// What a search for an answer has seen besides it: that decides what a failure is called.
#pragma once

#include "serialbattery/link.hpp"

namespace serialbattery {

struct Sightings {
  bool damaged = false;       // the right header, but a wrong checksum or end mark
  bool wrong_length = false;  // the right header, but a length that can't be
  bool incomplete = false;    // the beginning of an answer
  bool of_others = false;     // whole good frames that answer something else

  [[nodiscard]] Scan verdict() const {
    const Fault fault = damaged                      ? Fault::checksum
                        : incomplete || wrong_length ? Fault::length
                        : of_others                  ? Fault::implausible
                                                     : Fault::timeout;
    return incomplete ? Scan::started(fault) : Scan::searching(fault);
  }
};

}  // namespace serialbattery
