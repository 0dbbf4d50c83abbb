// The conversation rules of ByteLink: gaps, deadlines, framing, echo, bounded buffers.
#include <gtest/gtest.h>

#include "serialbattery/link.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

// Frames of this test: '<' ... '>'.
Scan angle_brackets(Bytes seen) {
  for (std::size_t begin = 0; begin < seen.size(); ++begin) {
    if (seen[begin] != '<') continue;
    for (std::size_t end = begin; end < seen.size(); ++end) {
      if (seen[end] == '>') return Scan::found(begin, end + 1);
    }
    return Scan::started();
  }
  return Scan::searching();
}

ByteVector bytes(std::string_view text) {
  return {text.begin(), text.end()};
}
std::string text(Bytes data) {
  return {data.begin(), data.end()};
}

class Link : public testing::Test {
 protected:
  std::string ask(std::string_view request = "?", Timing timing = {.first_byte = 500ms, .between_bytes = 100ms, .expected = 10}) {
    return text(run(link_.transact(bytes(request), angle_brackets, timing)));
  }
  Fault fault_of_asking(Timing timing = {.first_byte = 500ms, .between_bytes = 100ms, .expected = 10}) {
    try {
      ask("?", timing);
    } catch (const BmsError& error) {
      return error.fault();
    }
    ADD_FAILURE() << "no error";
    return Fault::io;
  }
  void answer(ScriptedStream::Answer chunks) {
    stream_.set_responder([chunks](Bytes) { return chunks; });
  }

  ScriptedStream stream_;
  ByteLink link_{stream_};
};

}  // namespace

TEST_F(Link, ReturnsTheFrameOutOfNoise) {
  answer({{bytes("xx"), 10ms}, {bytes("<a"), 10ms}, {bytes("b>yy"), 10ms}});
  EXPECT_EQ(ask(), "<ab>");
}

// Text without an end mark: good from the third byte on, complete when silence follows or the time is over.
class GrowingText : public Link {
 protected:
  std::string ask_for_text() {
    const auto framing = [](Bytes seen) { return seen.size() < 3 ? Scan::searching() : Scan::growing(0, seen.size()); };
    return text(run(link_.transact(bytes("?"), framing, {.first_byte = 500ms, .between_bytes = 100ms, .total = 500ms})));
  }
};

TEST_F(GrowingText, EndsWithSilence) {
  answer({{bytes("ab"), 50ms}, {bytes("cd"), 150ms}, {bytes("ef"), 90ms}, {bytes("gh"), 110ms}});
  const TimePoint start = stream_.now();
  EXPECT_EQ(ask_for_text(), "abcdef");
  EXPECT_LT(stream_.now() - start, 400ms);
}

TEST_F(GrowingText, EndsWithItsTime) {
  answer({{bytes("ab"), 10ms}, {bytes("c"), 400ms}, {bytes("d"), 85ms}, {bytes("e"), 85ms}});
  EXPECT_EQ(ask_for_text(), "abcd");
}

TEST_F(GrowingText, TooShortIsNoAnswer) {
  answer({{bytes("ab"), 10ms}});
  EXPECT_THROW(ask_for_text(), LinkError);
}

TEST_F(Link, DropsStaleInputBeforeAsking) {
  stream_.push(bytes("<old>"));
  answer({{bytes("<new>"), 10ms}});
  EXPECT_EQ(ask(), "<new>");
}

TEST_F(Link, SilenceEndsWithTheFirstByteTimeAndWireTime) {
  const TimePoint before = link_.now();
  EXPECT_EQ(fault_of_asking(), Fault::timeout);
  EXPECT_GE(link_.now() - before, 500ms);
  EXPECT_LT(link_.now() - before, 520ms);
}

TEST_F(Link, NoiseDoesNotShortenTheWaitForTheAnswer) {
  answer({{bytes("x"), 10ms}, {bytes("<late>"), 400ms}});
  EXPECT_EQ(ask(), "<late>");
}

TEST_F(Link, NoiseDoesNotProlongTheWaitForTheAnswer) {
  ScriptedStream::Answer chatter;
  for (int i = 0; i < 100; ++i) chatter.push_back({bytes("x"), 50ms});
  answer(chatter);
  const TimePoint before = link_.now();
  EXPECT_EQ(fault_of_asking(), Fault::timeout);
  EXPECT_LT(link_.now() - before, 600ms);
}

TEST_F(Link, SilenceInsideAFrameEndsIt) {
  answer({{bytes("<half"), 10ms}});
  const TimePoint before = link_.now();
  EXPECT_EQ(fault_of_asking(), Fault::length);
  EXPECT_LT(link_.now() - before, 130ms);
}

TEST_F(Link, AnEndlessFrameEndsWithTheTotalTime) {
  ScriptedStream::Answer endless{{bytes("<"), 10ms}};
  for (int i = 0; i < 1000; ++i) endless.push_back({bytes("x"), 50ms});
  answer(endless);
  const TimePoint before = link_.now();
  EXPECT_EQ(fault_of_asking({.first_byte = 500ms, .between_bytes = 100ms, .total = 1s}), Fault::length);
  EXPECT_LT(link_.now() - before, 1100ms);
}

TEST_F(Link, AFloodOfBytesStaysInsideTheBuffer) {
  answer({{ByteVector(100'000, 'x'), 1ms}, {bytes("<end>"), 1ms}});
  EXPECT_EQ(ask(), "<end>");
}

TEST_F(Link, KeepsTheGapBetweenRequests) {
  answer({{bytes("<a>"), 10ms}});
  ask();
  const TimePoint first_done = link_.now();
  ask("?", {.gap = 120ms});
  EXPECT_GE(link_.now() - first_done, 130ms);
}

TEST_F(Link, AsksAgainAfterSilence) {
  int asked = 0;
  stream_.set_responder([&asked](Bytes) {
    return ++asked < 3 ? ScriptedStream::Answer{} : ScriptedStream::Answer{{ByteVector{'<', '>'}, 1ms}};
  });
  EXPECT_EQ(ask("?", {.first_byte = 100ms, .attempts = 3}), "<>");
  EXPECT_EQ(asked, 3);
}

TEST_F(Link, AsksAgainAfterTheRetryGap) {
  std::vector<TimePoint> asked;
  stream_.set_responder([&](Bytes) {
    asked.push_back(stream_.now());
    return ScriptedStream::Answer{};
  });
  EXPECT_EQ(fault_of_asking({.first_byte = 100ms, .attempts = 2, .retry_gap = 400ms}), Fault::timeout);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_GE(asked[1] - asked[0], 400ms);
  EXPECT_LT(asked[1] - asked[0], 420ms);
}

TEST_F(Link, ARefusalIsFinal) {
  int asked = 0;
  stream_.set_responder([&asked](Bytes) {
    ++asked;
    return ScriptedStream::Answer{{ByteVector{'!'}, 1ms}};
  });
  const auto refusing = [](Bytes seen) { return seen.empty() ? Scan::searching() : Scan::refuse(Fault::exception, "no"); };
  EXPECT_THROW(run(link_.transact(bytes("?"), refusing, {.attempts = 3})), FrameError);
  EXPECT_EQ(asked, 1);
}

TEST_F(Link, LearnsTheEchoAndThenNeverTakesItForAnAnswer) {
  stream_.set_responder([](Bytes request) {
    return ScriptedStream::Answer{{ByteVector(request.begin(), request.end()), 1ms}, {ByteVector{'<', 'a', '>'}, 5ms}};
  });
  EXPECT_EQ(ask("?"), "<a>");
  EXPECT_TRUE(link_.echo_seen());
  EXPECT_EQ(ask("<set>"), "<a>") << "the copy of the request looks like an answer";
  stream_.set_responder([](Bytes request) { return ScriptedStream::Answer{{ByteVector(request.begin(), request.end()), 1ms}}; });
  EXPECT_THROW(ask("<set>"), LinkError);
}

TEST_F(Link, ReceiveDeliversFramesThatNobodyAskedForOneAfterTheOther) {
  stream_.push(bytes("x<1><2"), 10ms);
  stream_.push(bytes(">"), 10ms);
  EXPECT_EQ(text(run(link_.receive(angle_brackets, link_.now() + 1s))), "<1>");
  EXPECT_EQ(text(run(link_.receive(angle_brackets, link_.now() + 1s))), "<2>");
  EXPECT_THROW(run(link_.receive(angle_brackets, link_.now() + 1s)), LinkError);
}

TEST_F(Link, AGoneDeviceIsToldAtOnce) {
  stream_.unplug();
  EXPECT_EQ(fault_of_asking({.attempts = 3}), Fault::closed);
}

TEST(WireTime, CountsElevenBitTimes) {
  EXPECT_EQ(wire_time(100, {.baud = 9600}), std::chrono::microseconds(114583));
}

}  // namespace serialbattery::test
