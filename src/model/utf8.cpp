#include "model/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace serialbattery {

std::size_t utf8_length(std::string_view text) {
  struct Form {
    std::uint8_t first_low, first_high, second_low, second_high;
    std::size_t length;
  };
  // Table 3-7 of the Unicode standard.
  constexpr Form forms[] = {
      {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
      {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  if (text.empty()) return 0;
  const auto byte_at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte_at(0);
  const auto* form = std::ranges::find_if(forms, [first](const Form& f) { return first >= f.first_low && first <= f.first_high; });
  if (form == std::end(forms) || text.size() < form->length) return 0;
  for (std::size_t k = 1; k < form->length; ++k) {
    const std::uint8_t low = k == 1 ? form->second_low : 0x80;
    const std::uint8_t high = k == 1 ? form->second_high : 0xBF;
    if (byte_at(k) < low || byte_at(k) > high) return 0;
  }
  return form->length;
}

}  // namespace serialbattery
