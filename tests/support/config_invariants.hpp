// What must hold for every result of the configuration loader (config.md 12); shared by the property tests and the fuzz target.
#pragma once

#include <string>

#include "config/loader.hpp"

namespace serialbattery::config {

/// The first invariant that is broken, in words; empty when all hold.
std::string broken_invariant(const Loaded& loaded);

}  // namespace serialbattery::config
