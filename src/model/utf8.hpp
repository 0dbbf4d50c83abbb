// Well-formed UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace serialbattery {

/// Length of the well-formed sequence at the start of `text` (no overlong forms, no surrogates); 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace serialbattery
