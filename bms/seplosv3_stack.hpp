// A stack of Seplos V3 packs as its wire sounds: the master asks its slaves without pause, then tells its own values.
//
//   n 04 10 00 00 12 ..   n 04 24 <36 bytes>     request and answer of slave n (2..16): pack
//   n 04 11 00 00 1A ..   n 04 34 <52 bytes>     cells
//   n 01 12 00 00 90 ..   n 01 12 <18 bytes>     states
//                         1 ...                  the same three answers of the master itself, without requests
//
// About every 210 ms for two packs. Answers don't name their registers; the byte count tells. DIP address 0 is address 1 here.
#pragma once

#include <map>

#include "bms/seplosv3.hpp"

namespace serialbattery::seplosv3 {

/// What has been overheard on one line. Never sends. Shared by the drivers of all packs.
class Stack {
 public:
  /// Numbers of the frames that a pack's reading was made of: pack, cells, states.
  using Mark = std::array<std::uint64_t, 3>;

  /// Listens for a master, unless that was done just now.
  asio::awaitable<bool> is_talking(ByteLink& link);

  /// Waits for three frames of a pack that are newer than `known`. Throws LinkError(timeout) when the pack is silent.
  asio::awaitable<Mark> hear(ByteLink& link, std::uint8_t address, Mark known);

  /// Its three newest blocks.
  void copy(std::uint8_t address, modbus::Registers& into) const;

  [[nodiscard]] std::size_t packs() const { return packs_.size(); }
  /// "0x01, 0x02"
  [[nodiscard]] std::string address_list() const;

 private:
  struct Frame {
    std::uint64_t number = 0;  // counts up over all frames; 0: none yet
    TimePoint heard{};
    ByteVector data;
  };
  asio::awaitable<void> take_frame(ByteLink& link, TimePoint deadline);
  [[nodiscard]] bool is_newer(std::uint8_t address, const Mark& known, TimePoint now) const;

  std::map<std::uint8_t, std::array<Frame, 3>> packs_;
  std::uint64_t frames_ = 0;
  std::optional<TimePoint> listened_;
  bool talking_ = false;
};

/// Finds the next answer of any pack.
Scan scan_overheard(Bytes seen);

}  // namespace serialbattery::seplosv3
