// A device that plays a recorded conversation.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/bus.hpp"

namespace serialbattery::simulator {

struct Recording {
  struct Exchange {
    ByteVector request;
    Answer answer;  // empty: no answer
  };
  std::string type;  // BMS type, if the file names it
  std::vector<Exchange> exchanges;
};

/// Reads `content`: a capture (JSON lines with t, dir tx/rx, raw) or a file of test vectors, of which `name` is taken (empty: the first).
/// Throws PropertyError when it is neither, or when no such vector or no exchange is in it.
Recording parse_recording(std::string_view content, std::string_view name = {});

/// As above, from a file.
Recording load_recording(const std::filesystem::path& file, std::string_view name = {});

/// Answers each known request with what was recorded; a request that was recorded several times gets its answers in turn.
std::unique_ptr<Device> make_player(Recording recording);

}  // namespace serialbattery::simulator
