#include "daemon/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace serialbattery::daemon {

namespace {

struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  bool of_file = false;
  bool writable = true;
};

// The first line of a mapping in smaps: "55d0c000-55d10000 r-xp 00002000 08:01 1234  /usr/bin/x".
std::optional<Mapping> parse_mapping(const std::string& line) {
  std::istringstream fields(line);
  Mapping mapping;
  char dash = 0;
  std::string rights, offset, device, inode, file;
  fields >> std::hex >> mapping.begin >> dash >> mapping.end >> rights >> offset >> device >> inode >> file;
  if (fields.fail() && rights.size() != 4) return std::nullopt;
  mapping.of_file = file.starts_with('/');
  mapping.writable = rights.size() != 4 || rights[1] == 'w';
  return mapping;
}

}  // namespace

void release_startup_memory() {
  malloc_trim(0);
  std::ifstream maps("/proc/self/smaps");
  Mapping current;
  for (std::string line; std::getline(maps, line);) {
    if (const bool is_field = line.find(": ") < line.find('-'); !is_field) {
      if (const auto mapping = parse_mapping(line)) current = *mapping;
      continue;
    }
    if (!line.starts_with("Anonymous:")) continue;
    // Pages of files that nobody wrote to, relocations included: nothing can be lost.
    const bool unchanged = line.find(" 0 kB") != std::string::npos;
    if (current.of_file && !current.writable && unchanged)
      madvise(reinterpret_cast<void*>(current.begin), current.end - current.begin, MADV_DONTNEED);
  }
}

}  // namespace serialbattery::daemon
