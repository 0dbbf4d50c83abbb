// Configurations for tests, made by the real loader from keys and values as a user writes them.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "serialbattery/config.hpp"

namespace serialbattery::test {

/// `changes`: key -> text as in config.ini, layered over the defaults.
[[nodiscard]] Config config_from(const boost::json::object& changes);

}  // namespace serialbattery::test
