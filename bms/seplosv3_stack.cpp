// Overheard Seplos V3 stacks; see seplosv3_stack.hpp.
#include "bms/seplosv3_stack.hpp"

#include <fmt/format.h>

namespace serialbattery::seplosv3 {

namespace {

constexpr Duration lost_after = 5s;
constexpr modbus::Block blocks[] = {pack, cells, states};
constexpr std::uint8_t last_address = 16;

std::uint8_t data_bytes(const modbus::Block& block) {
  return static_cast<std::uint8_t>(block.function == modbus::Function::read_coils ? block.quantity / 8 : 2 * block.quantity);
}

// Which of the three answers begins like this; their number if none does.
std::size_t kind_of(Bytes header) {
  std::size_t kind = 0;
  while (kind < std::size(blocks) &&
         (header[1] != static_cast<std::uint8_t>(blocks[kind].function) || header[2] != data_bytes(blocks[kind])))
    ++kind;
  return kind;
}

}  // namespace

Scan scan_overheard(Bytes seen) {
  for (std::size_t at = 0; at + 3 <= seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    if (rest[0] < 1 || rest[0] > last_address || kind_of(rest) == std::size(blocks)) continue;
    const std::size_t size = 5U + rest[2];
    if (rest.size() >= size && modbus::is_sealed(rest.first(size))) return Scan::found(at, at + size);
  }
  return Scan::searching();
}

asio::awaitable<void> Stack::take_frame(ByteLink& link, TimePoint deadline) {
  const Bytes frame = co_await link.receive(scan_overheard, deadline);
  const Bytes data = frame.subspan(3, frame[2]);
  packs_[frame[0]][kind_of(frame)] = {++frames_, link.now(), {data.begin(), data.end()}};
}

asio::awaitable<bool> Stack::is_talking(ByteLink& link) {
  constexpr Duration listen = 400ms;  // two rounds of a small stack
  constexpr Duration remember = 10s;
  const TimePoint start = link.now();
  if (listened_ && start - *listened_ < remember) co_return talking_;
  packs_.clear();
  const std::uint64_t before = frames_;
  try {
    while (link.now() < start + listen) co_await take_frame(link, start + listen);
  } catch (const LinkError& error) {
    if (error.fault() != Fault::timeout) throw;
  }
  talking_ = frames_ - before >= 2;
  listened_ = link.now();
  co_return talking_;
}

asio::awaitable<Stack::Mark> Stack::hear(ByteLink& link, std::uint8_t address, Mark known) {
  const TimePoint start = link.now();
  // What piled up since the last poll is old; while the first pack waits for a fresh round, those of the others are heard as well.
  if (known != Mark{} && !is_newer(address, known, start)) co_await link.drain(0ms, 50ms);
  while (!is_newer(address, known, link.now())) co_await take_frame(link, start + lost_after);
  Mark mark{};
  for (std::size_t kind = 0; kind < mark.size(); ++kind) mark[kind] = packs_.at(address)[kind].number;
  co_return mark;
}

bool Stack::is_newer(std::uint8_t address, const Mark& known, TimePoint now) const {
  constexpr Duration fresh = 1s;
  const auto found = packs_.find(address);
  if (found == packs_.end()) return false;
  for (std::size_t kind = 0; kind < known.size(); ++kind) {
    const Frame& frame = found->second[kind];
    if (frame.number <= known[kind] || now - frame.heard > fresh) return false;
  }
  return true;
}

void Stack::copy(std::uint8_t address, modbus::Registers& into) const {
  const auto& frames = packs_.at(address);
  for (std::size_t kind = 0; kind < frames.size(); ++kind) into.store(blocks[kind], frames[kind].data);
}

std::string Stack::address_list() const {
  std::string list;
  for (const auto& [address, frames] : packs_) list += fmt::format("{}0x{:02x}", list.empty() ? "" : ", ", address);
  return list;
}

}  // namespace serialbattery::seplosv3
