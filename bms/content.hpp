// What the contents of many BMSs have in common, and what is checked in all of them.
#pragma once

#include <map>
#include <string>

#include "serialbattery/battery.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery {

/// Walks through big endian content. Reading past its end throws FrameError(implausible).
class Reader {
 public:
  explicit Reader(Bytes data) : rest_(data) {}
  Bytes take(std::size_t count);
  std::uint8_t u8() { return take(1)[0]; }
  std::uint16_t u16() { return wire::u16be(take(2), 0); }
  std::int16_t i16() { return wire::i16be(take(2), 0); }
  std::uint32_t u32() { return wire::u32be(take(4), 0); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  Bytes rest_;
};

/// The number of cells. Throws FrameError(implausible) outside `least`..`most`, and when it was another one before: a running
/// battery keeps its cells.
void set_cell_count(Battery& battery, std::size_t count, std::size_t least, std::size_t most);

/// Balancing flags, lowest bit first; bits of cells that don't exist mean nothing. Cells from `bits` on, to which no bit belongs, are
/// unknown.
void set_balancing(Battery& battery, std::uint64_t mask, std::size_t bits = 64);

/// Sum of the known cell voltages, V.
double sum_of_cells(const Battery& battery);

/// What no good reading of cells, pack voltage and SoC breaks: cells up to 5 V and not all 0, pack voltage above 0 and within 10 %
/// of their sum (unless a cell reads 0), SoC up to 100 % (100.5 counts as 100). Throws FrameError(implausible).
void check_reading(Battery& reading);

/// A sensor that is not fitted reads something outside -50 < t <= 150.
std::optional<double> fitted_sensor(double celsius);

/// Identifiers in use on one line (ByteLink::common()): equal packs must not share one.
struct Identifiers {
  std::map<std::string, std::uint8_t> owners;
  /// False when a battery at another address has it already.
  bool claim(const std::string& id, std::uint8_t address) { return owners.try_emplace(id, address).first->second == address; }
};

}  // namespace serialbattery
