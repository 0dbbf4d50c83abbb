// The Modbus RTU client: which bytes are an answer, what is asked again, echoes of writes.
#include "bms/modbus_rtu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

using modbus::Block;
using modbus::Code;
using modbus::Function;

ByteVector hex(std::string_view text) {
  return *wire::from_hex(text);
}

ByteVector joined(std::initializer_list<ByteVector> parts) {
  ByteVector all;
  for (const ByteVector& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const ByteVector request = hex("010300100001 85CF");  // one register of device 1
const ByteVector answer = hex("0103020BB8BF06");

modbus::Search search(const ByteVector& seen) {
  return modbus::search_answer(seen, request);
}

const Timing timing{.first_byte = 100ms, .between_bytes = 50ms, .expected = 7, .attempts = 3};

// A device that answers the n-th request with the n-th of its answers, then no more.
class ModbusClient : public testing::Test {
 protected:
  void answers(std::vector<ByteVector> list) {
    list_ = std::move(list);
    stream_.set_responder([this](Bytes) -> ScriptedStream::Answer {
      const std::size_t index = asked_++;
      return index < list_.size() ? ScriptedStream::Answer{{list_[index], 10ms}} : ScriptedStream::Answer{};
    });
  }
  ByteVector read() {
    const Bytes data = run(client_.read(1, {.start = 0x10, .quantity = 1}, timing));
    return {data.begin(), data.end()};
  }
  std::optional<Fault> fault() {
    try {
      read();
    } catch (const BmsError& error) {
      return error.fault();
    }
    return std::nullopt;
  }

  std::vector<ByteVector> list_;
  std::size_t asked_ = 0;
  ScriptedStream stream_;
  ByteLink link_{stream_};
  modbus::Client client_{link_};
};

}  // namespace

TEST(ModbusFrames, AreBuiltAsTheDocumentShows) {
  EXPECT_EQ(modbus::read_request(1, {.start = 0x1302, .quantity = 10}), hex("01031302000A6089"));
  EXPECT_EQ(modbus::read_request(0, {Function::read_coils, 0x1200, 0x90}), hex("00011200009038CF"));
  EXPECT_EQ(modbus::write_request(1, 0x1001, 0x00FF), hex("0106100100FF9C8A"));
  EXPECT_EQ(modbus::asked_block(hex("01031302000A6089")), (Block{.start = 0x1302, .quantity = 10}));
  EXPECT_EQ(modbus::asked_block(hex("01031302000A6088")), std::nullopt);
  EXPECT_EQ(modbus::asked_block(hex("0106100100FF9C8A")), std::nullopt);
}

TEST(ModbusSearch, FindsTheAnswerBehindNoiseEchoAndFramesOfOthers) {
  const ByteVector other = modbus::sealed(hex("0203021234"));
  for (const ByteVector& before :
       {ByteVector{}, hex("FF00"), hex("0101"), request, other, joined({request, other}), hex("010302FFFFFFFF")}) {
    const auto found = search(joined({before, answer, hex("00")}));
    ASSERT_EQ(found.scan.status, Scan::Status::complete) << wire::to_hex(before);
    EXPECT_EQ(found.scan.begin, before.size());
    EXPECT_EQ(found.scan.end, before.size() + answer.size());
  }
  EXPECT_EQ(search(joined({other, answer})).other_frames, 1U);
}

TEST(ModbusSearch, NeverAcceptsAnythingUnchecked) {
  for (std::size_t at = 0; at < answer.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      ByteVector damaged = answer;
      damaged[at] ^= static_cast<std::uint8_t>(1U << bit);
      EXPECT_NE(search(damaged).scan.status, Scan::Status::complete);
      EXPECT_NE(search(damaged).scan.status, Scan::Status::refused);
    }
  }
}

TEST(ModbusSearch, NamesTheFault) {
  EXPECT_EQ(search({}).scan.fault, Fault::timeout);
  EXPECT_EQ(search(request).scan.fault, Fault::timeout);
  EXPECT_EQ(search(hex("0103020BB8BF07")).scan.fault, Fault::checksum);
  EXPECT_EQ(search(modbus::sealed(hex("01030411112222"))).scan.fault, Fault::length);
  EXPECT_EQ(search(modbus::sealed(hex("0203020BB8"))).scan.fault, Fault::timeout);
  EXPECT_EQ(search(joined({hex("0103020BB8BF07"), modbus::sealed(hex("01030411112222"))})).scan.fault, Fault::checksum);
  const auto cut = search(hex("0103020B"));
  EXPECT_EQ(cut.scan.status, Scan::Status::started);
  EXPECT_EQ(cut.scan.fault, Fault::timeout);
}

TEST(ModbusSearch, TakesARefusalAtOnce) {
  const auto found = search(hex("018302C0F1"));
  EXPECT_EQ(found.scan.status, Scan::Status::refused);
  EXPECT_EQ(found.scan.fault, Fault::exception);
  EXPECT_EQ(found.code, Code::illegal_address);
  EXPECT_EQ(modbus::search_answer(hex("0084029301"), modbus::read_request(0, {Function::read_input_registers, 0x2100, 26})).code,
            Code::illegal_address);
}

TEST(ModbusSearch, TreatsUnusualAddressesLikeOthers) {
  const ByteVector to_zero = modbus::read_request(0, {.start = 1, .quantity = 1});
  EXPECT_EQ(modbus::search_answer(modbus::sealed(hex("0003020001")), to_zero).scan.status, Scan::Status::complete);
  EXPECT_NE(modbus::search_answer(modbus::sealed(hex("0103020001")), to_zero).scan.status, Scan::Status::complete);
  const ByteVector to_anyone = modbus::read_request(0xFF, {.start = 1, .quantity = 1});
  EXPECT_EQ(modbus::search_answer(modbus::sealed(hex("3003020001")), to_anyone).scan.status, Scan::Status::complete);
}

TEST_F(ModbusClient, ReadsData) {
  answers({answer});
  EXPECT_EQ(read(), hex("0BB8"));
}

TEST_F(ModbusClient, AsksAgainAfterSilenceAndDamage) {
  answers({{}, hex("0103020BB8BF07"), answer});
  EXPECT_EQ(read(), hex("0BB8"));
  EXPECT_EQ(asked_, 3U);
}

TEST_F(ModbusClient, GivesUpAfterItsAttempts) {
  answers({});
  EXPECT_EQ(fault(), Fault::timeout);
  EXPECT_EQ(asked_, 3U);
}

TEST_F(ModbusClient, DoesNotRepeatADefiniteNo) {
  answers({hex("018302C0F1"), answer});
  try {
    read();
    FAIL();
  } catch (const modbus::Exception& refusal) {
    EXPECT_EQ(refusal.code(), Code::illegal_address);
    EXPECT_TRUE(refusal.about_block());
  }
  EXPECT_EQ(asked_, 1U);
}

TEST_F(ModbusClient, WaitsForABusyDevice) {
  answers({modbus::sealed(hex("018306")), modbus::sealed(hex("018305")), answer});
  const TimePoint start = stream_.now();
  EXPECT_EQ(read(), hex("0BB8"));
  EXPECT_GE(stream_.now() - start, 200ms);
}

TEST_F(ModbusClient, RepeatsADeviceFailureOnce) {
  answers({modbus::sealed(hex("018304")), modbus::sealed(hex("018304")), answer});
  EXPECT_EQ(fault(), Fault::exception);
  EXPECT_EQ(asked_, 2U);
}

TEST_F(ModbusClient, LateAnswersDontAnswerTheNextRequest) {
  const ByteVector late = modbus::sealed(hex("0103021111"));
  stream_.set_responder([&](Bytes) -> ScriptedStream::Answer {
    // The first answer comes 30 ms after its time-out, the others in time.
    return asked_++ == 0 ? ScriptedStream::Answer{{late, 130ms}} : ScriptedStream::Answer{{answer, 10ms}};
  });
  EXPECT_EQ(read(), hex("0BB8"));
}

TEST_F(ModbusClient, NeedsTheAcknowledgementBehindTheEchoOfAWrite) {
  const ByteVector write = modbus::write_request(1, 0x1001, 0xFF);
  // A line without echo: the copy is the acknowledgement.
  answers({write});
  run(client_.write(1, 0x1001, 0xFF, timing));
  // A read shows that the line echoes; from then on one copy is not enough.
  asked_ = 0;
  answers({joined({request, answer}), write, joined({write, write})});
  read();
  EXPECT_THROW(run(client_.write(1, 0x1001, 0xFF, timing)), LinkError);
  EXPECT_EQ(asked_, 2U);  // a write is never repeated blindly
  run(client_.write(1, 0x1001, 0xFF, timing));
}

TEST_F(ModbusClient, NoticesAValueThatWasNotKept) {
  answers({modbus::write_request(1, 0x1001, 0x7F)});
  EXPECT_THROW(run(client_.write(1, 0x1001, 0xFF, timing)), FrameError);
}

TEST(ModbusRegisters, KnowWhatWasTold) {
  modbus::Registers registers;
  registers.store({.start = 10, .quantity = 3}, hex("0102030405FF"));
  EXPECT_TRUE(registers.has(10, 3));
  EXPECT_FALSE(registers.has(10, 4));
  EXPECT_EQ(registers.number(10, wire::Type::u32be), 0x01020304);
  EXPECT_EQ(registers.number(10, wire::Type::u32le), 0x04030201);
  EXPECT_EQ(registers.number(12, wire::Type::i8, 1), -1);
  EXPECT_EQ(registers.low_word_first(10), 0x03040102U);
  EXPECT_EQ(registers.number(12, wire::Type::u32be), std::nullopt);
  EXPECT_EQ(registers.bytes(11, 3), hex("030405FF0000"));
  registers.forget({.start = 11, .quantity = 1});
  EXPECT_EQ(registers.word(11), std::nullopt);
  registers.store({Function::read_coils, 0x1200, 12}, hex("8001"));
  EXPECT_EQ(registers.word(0x1208), 1U);
  EXPECT_TRUE(registers.has(Block{Function::read_coils, 0x1200, 12}));
}

}  // namespace serialbattery::test
