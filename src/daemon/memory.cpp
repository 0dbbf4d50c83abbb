#include "daemon/memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>

namespace serialbattery::daemon {

namespace {

// Segments of the program and its libraries that nobody may ever write to: code and constants. Nothing can be lost by giving them back.
// What the loader relocated and made read-only afterwards belongs to a writable segment and stays.
int release_segments(dl_phdr_info* object, std::size_t, void*) {
  if (object->dlpi_addr == getauxval(AT_SYSINFO_EHDR)) return 0;  // the kernel's own
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (const ElfW(Phdr) & segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t first = object->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t begin = (first + page - 1) / page * page;
    const std::uintptr_t end = (first + segment.p_memsz) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void release_startup_memory() {
  malloc_trim(0);
  dl_iterate_phdr(release_segments, nullptr);
}

}  // namespace serialbattery::daemon
