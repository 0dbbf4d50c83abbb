// Registers by number, as a model fills them for one answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "simulator/encode.hpp"

namespace serialbattery::simulator {

class RegisterImage {
 public:
  /// These registers exist; 0 unless put.
  void exist(unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; ++i) words_.try_emplace(first + i, std::uint16_t{0});
  }
  void put(unsigned reg, unsigned value) { words_[reg] = static_cast<std::uint16_t>(value); }
  void put_high_first(unsigned reg, std::uint32_t value) {
    put(reg, value >> 16U);
    put(reg + 1, value & 0xFFFFU);
  }
  void put_low_first(unsigned reg, std::uint32_t value) {
    put(reg, value & 0xFFFFU);
    put(reg + 1, value >> 16U);
  }
  /// `count` registers of text, first character in the high byte.
  void text(unsigned reg, std::string_view value, unsigned count, char pad = '\0') {
    ByteVector raw;
    put_text(raw, value, 2U * count, pad);
    for (unsigned i = 0; i < count; ++i) put(reg + i, wire::u16be(raw, 2U * i));
  }
  void list(unsigned reg, const std::vector<double>& values, double per_unit, double zero = 0, std::size_t most = 16) {
    for (std::size_t i = 0; i < std::min(most, values.size()); ++i) put(reg + static_cast<unsigned>(i), raw_i16(values[i], per_unit, zero));
  }

  /// nullopt when one of them doesn't exist.
  [[nodiscard]] std::optional<std::vector<std::uint16_t>> slice(unsigned first, unsigned count) const {
    std::vector<std::uint16_t> result;
    for (unsigned reg = first; reg < first + count; ++reg) {
      const auto found = words_.find(reg);
      if (found == words_.end()) return std::nullopt;
      result.push_back(found->second);
    }
    return result;
  }

 private:
  std::map<unsigned, std::uint16_t> words_;
};

}  // namespace serialbattery::simulator
