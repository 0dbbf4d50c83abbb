// The small files that outlive a run of the program: which BMS was found, what a board remembers, captures.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace serialbattery::link {

/// Gives `file` a new content; creates its folder. Written beside it and renamed: whatever fails, and whenever the program is killed, the
/// old content or the new one is there as a whole. Nothing is forced onto the medium, which could block for seconds: after a power
/// cut the file may be missing or empty. (ext4, which Venus OS has below /data, writes the content before it replaces a file.)
[[nodiscard]] std::error_code replace_file(const std::filesystem::path& file, std::string_view content);

/// A port's name or a MAC as a file's name: everything outside letters, digits, `_`, `-`, `.` becomes `_`.
[[nodiscard]] std::string file_name_of(std::string_view port_name);

}  // namespace serialbattery::link
