// Whether the tests are built with AddressSanitizer, which makes them an order of magnitude slower and brings its own operator new.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define SB_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SB_SANITIZED 1
#endif
#endif
#ifndef SB_SANITIZED
#define SB_SANITIZED 0
#endif

namespace serialbattery::test {

constexpr bool kSanitized = SB_SANITIZED != 0;

}  // namespace serialbattery::test
