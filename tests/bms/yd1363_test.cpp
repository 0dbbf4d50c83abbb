// Frames of YD/T 1363: what the search for an answer skips, refuses and finds.
#include "bms/yd1363.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/scripted_stream.hpp"

namespace serialbattery::yd1363 {

namespace {

constexpr std::uint8_t classes[] = {0x46};
constexpr Dialect dialect{.start = '~', .version = 0x20, .classes = classes, .request_class = 0x46};

ByteVector bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

const ByteVector request = bytes("~20004642E00200FD37\r");
const std::string answer = "~25004600C0040D01FCC3\r";  // of a Pace pack

Scan search(const ByteVector& received, const Dialect& language = dialect) {
  return scan(language, request, received, [](const Message& message) { return message.address == 0; });
}

// A frame with this body and the right checksum.
ByteVector sealed(const std::string& body) {
  const unsigned sum = wire::sum(bytes(body)) & 0xFFFFU;
  return bytes(fmt::format("~{}{:04X}\r", body, (0x10000U - sum) & 0xFFFFU));
}

constexpr Dialect pace{.start = '~', .version = 0x25, .classes = classes, .request_class = 0x46};

}  // namespace

TEST(Yd1363, FormsTheRequestsOfTheDocuments) {
  EXPECT_EQ(encode(dialect, {0x20, 0, 0x46, 0x42, {0x00}}), request);
  EXPECT_EQ(encode(dialect, {0x20, 0, 0x46, 0x51, {}}), bytes("~200046510000FDAE\r"));
  EXPECT_EQ(encode(pace, {0x25, 1, 0x46, 0x42, {0x01}}), bytes("~25014642E00201FD30\r"));
}

TEST(Yd1363, FindsTheAnswer) {
  const Scan found = search(bytes("\r~~2" + answer), pace);
  EXPECT_EQ(found.status, Scan::Status::complete);
  EXPECT_EQ(found.begin, 4U);
  EXPECT_EQ(found.end, 4 + answer.size());
}

TEST(Yd1363, SkipsEchoOtherDialectsAndOtherMasters) {
  EXPECT_EQ(search(request).status, Scan::Status::searching);
  EXPECT_EQ(search(bytes(answer)).status, Scan::Status::searching);
  const ByteVector search_for_slaves = encode(pace, {0x25, 0, 0x46, 0x90, {}});
  EXPECT_EQ(search(search_for_slaves, pace).status, Scan::Status::searching);
  EXPECT_EQ(search(search_for_slaves, pace).fault, Fault::timeout);
  EXPECT_NE(search(search_for_slaves, pace).detail, "");  // the log tells that somebody else talks
  EXPECT_EQ(search(request).detail, "");
}

TEST(Yd1363, ReportsTheFirstDamageAtTheDeadline) {
  ByteVector damaged = bytes(answer);
  damaged[14] = '2';
  EXPECT_EQ(search(damaged, pace).fault, Fault::checksum);
  damaged.insert(damaged.end(), answer.begin(), answer.end());
  EXPECT_EQ(search(damaged, pace).status, Scan::Status::complete);
}

TEST(Yd1363, ReportsTheFirstOfSeveralKindsOfDamage) {
  const ByteVector odd = sealed("25004600F0010");  // one digit of content
  EXPECT_EQ(search(odd, pace).fault, Fault::length);
  ByteVector both = odd;
  ByteVector wrong_sum = bytes(answer);
  wrong_sum[14] = '2';
  both.insert(both.end(), wrong_sum.begin(), wrong_sum.end());
  EXPECT_EQ(search(both, pace).fault, Fault::length);
}

// The master of a stack may answer for all of it at once.
TEST(Yd1363, TheLongestFrameBehindItsEchoFitsIntoTheLink) {
  const ByteVector question = encode(pace, {0x25, 0, 0x46, 0x42, {0xFF}});
  const Message stack{.version = 0x25, .address = 0, .device = 0x46, .code = 0, .info = ByteVector(2047, 0xA5)};
  ByteVector line = question;
  const ByteVector frame = encode(pace, stack);
  line.insert(line.end(), frame.begin(), frame.end());
  test::ScriptedStream stream([&](Bytes) { return test::ScriptedStream::Answer{{line, Duration{}}}; });
  ByteLink link(stream);
  const auto framing = [&](Bytes seen) { return scan(pace, question, seen, [](const Message&) { return true; }); };
  const auto conversation = [&]() -> asio::awaitable<std::size_t> {
    const Bytes answer = co_await link.transact(question, framing, {.first_byte = 500ms, .between_bytes = 60ms, .total = 10s});
    co_return answer.size();
  };
  EXPECT_EQ(test::run(conversation()), frame.size());
  EXPECT_EQ(frame.size(), 4112U) << "4094 characters of contents: pairs of digits";
}

TEST(Yd1363, WhatIsNoTextIsNoise) {
  EXPECT_EQ(search(sealed("25004600C0040D0G"), pace).fault, Fault::implausible) << "text, but no digits";
  const ByteVector noise = sealed("25004600C0040D0\x80");
  EXPECT_EQ(search(noise, pace).status, Scan::Status::searching);
  EXPECT_EQ(search(noise, pace).fault, Fault::timeout);
}

TEST(Yd1363, ARefusalEndsTheSearch) {
  const Scan refused = search(encode(dialect, {0x20, 0, 0x46, 0x04, {}}));
  EXPECT_EQ(refused.status, Scan::Status::refused);
  EXPECT_EQ(refused.fault, Fault::rejected);
}

RC_GTEST_PROP(Yd1363, WhatIsEncodedIsFoundAndParsed, (const std::vector<std::uint8_t>& content, std::uint8_t address)) {
  RC_PRE(content.size() <= 2000);
  const Message message{0x20, address, 0x46, 0, content};
  const ByteVector frame = encode(dialect, message);
  const auto parsed = parse(dialect, frame);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(parsed->info == content);
  const Scan found = scan(dialect, request, frame, [&](const Message& seen) { return seen.address == address; });
  RC_ASSERT(found.status == Scan::Status::complete);
}

RC_GTEST_PROP(Yd1363, SurvivesAnyBytes, (const std::vector<std::uint8_t>& noise)) {
  const Scan result = search(noise);
  RC_ASSERT(result.status != Scan::Status::complete || result.end <= noise.size());
}

}  // namespace serialbattery::yd1363
