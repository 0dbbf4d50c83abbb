// What the command line offers to people besides serving: each prints to the terminal and returns the exit code.
#pragma once

#include <iosfwd>

#include "config/loader.hpp"
#include "daemon/options.hpp"

namespace serialbattery::daemon {

/// --list-bms: every supported type with its line settings and addresses.
int list_bms(std::ostream& out);

/// --list-services: what the configuration asks the start scripts for, one service a line (wanted_services.hpp).
int list_services(const config::Loaded& loaded, std::ostream& out);

/// --scan: asks for every type and tells what answered; 0 when a battery was found.
int scan(const Options& options, const config::Loaded& loaded, std::ostream& out);

/// --once: one reading as text or JSON; 0 when there was one.
int once(const Options& options, const config::Loaded& loaded, std::ostream& out);

/// --status: live view of all battery services on the bus.
int status(const Options& options);

}  // namespace serialbattery::daemon
