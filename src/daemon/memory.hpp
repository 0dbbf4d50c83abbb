// Memory of start-up.
#pragma once

namespace serialbattery::daemon {

/// Gives back what only start-up needed: free heap, and code pages that were used once (command line, configuration, detection of all
/// types). They stay in the page cache and come back on use; the process no longer counts them as resident. Called after each stage of the
/// start, so that the peak stays low too: eight drivers start at once on a small device. Takes a millisecond or two.
void release_startup_memory();

}  // namespace serialbattery::daemon
