// Contents of YD/T 1363 answers, made by hand: packs that are unusual but healthy, and what must be refused.
#include <gtest/gtest.h>

#include "bms/yd1363.hpp"
#include "config/loader.hpp"
#include "serialbattery/registry.hpp"
#include "support/scripted_stream.hpp"

namespace serialbattery::test {

namespace {

using yd1363::Dialect;
using yd1363::Message;

ByteVector operator+(ByteVector left, Bytes right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
ByteVector words(std::size_t count, unsigned value) {
  ByteVector result;
  for (std::size_t i = 0; i < count; ++i) wire::put_u16be(result, value);
  return result;
}
ByteVector byte(unsigned value) {
  return {static_cast<std::uint8_t>(value)};
}

// One driver, and answers to it with any content.
class Contents : public testing::Test {
 protected:
  Contents(const char* type, std::uint8_t version, std::uint8_t device, std::uint8_t address = 0, std::uint8_t start = '~')
      : dialect_{.start = start, .version = version, .classes = {}, .request_class = device},
        address_(address),
        config_(default_config()),
        link_(stream_),
        driver_(find_driver(type)->make({.link = link_, .config = config_, .address = address})) {
    stream_.set_responder([this](Bytes) { return ScriptedStream::Answer{{yd1363::encode(dialect_, answer_), 40ms}}; });
  }

  /// How the driver takes this answer to a request; nullopt: it does.
  std::optional<Fault> take(std::uint8_t command, ByteVector content, ByteVector asked = {0x00}) {
    answer_ = {dialect_.version, answering_.value_or(address_), class_.value_or(dialect_.request_class), 0, std::move(content)};
    try {
      run(driver_->replay(yd1363::encode(dialect_, {dialect_.version, address_, dialect_.request_class, command, std::move(asked)})));
    } catch (const BmsError& error) {
      return error.fault();
    }
    return std::nullopt;
  }
  const Battery& battery() { return driver_->battery(); }

  const Dialect dialect_;
  const std::uint8_t address_;
  std::optional<std::uint8_t> answering_;  // address in the answers, when it is another one
  std::optional<std::uint8_t> class_;      // CID1 of them, likewise
  Config config_;
  Message answer_;
  ScriptedStream stream_;
  ByteLink link_;
  std::unique_ptr<Driver> driver_;
};

struct SeplosPack {
  std::size_t cells = 16, sensors = 6;
  unsigned items = 0x0A, state_bytes = 0x14;
  unsigned capacity = 10000, soh = 990;
  std::uint64_t balancing = 0;
};

class SeplosContents : public Contents {
 protected:
  SeplosContents() : Contents("Seplos", 0x20, 0x46) {}
  std::optional<Fault> analog(const SeplosPack& pack) {
    const auto volts = static_cast<unsigned>(pack.cells * 330);
    return take(0x42, byte(0) + byte(0) + byte(static_cast<unsigned>(pack.cells)) + words(pack.cells, 3300) +
                          byte(static_cast<unsigned>(pack.sensors)) + words(pack.sensors, 2731 + 250) + words(1, 0) + words(1, volts) +
                          words(1, 6000) + byte(pack.items) + words(1, pack.capacity) + words(1, 600) + words(1, 10000) + words(1, 12) +
                          words(1, pack.soh) + words(1, volts) + words(4, 0));
  }
  std::optional<Fault> states(const SeplosPack& pack) {
    ByteVector state(20);
    state[7] = static_cast<std::uint8_t>(pack.balancing);
    return take(0x44, byte(0) + byte(0) + byte(static_cast<unsigned>(pack.cells)) + ByteVector(pack.cells) +
                          byte(static_cast<unsigned>(pack.sensors)) + ByteVector(pack.sensors) + words(1, 0) + byte(pack.state_bytes) +
                          state);
  }
};

}  // namespace

TEST_F(SeplosContents, PacksOfEightToTwentyFourCells) {
  EXPECT_EQ(analog({.cells = 24, .sensors = 16}), std::nullopt);
  EXPECT_EQ(states({.cells = 24, .sensors = 16, .balancing = 1}), std::nullopt);
  EXPECT_EQ(battery().cells.size(), 24U);
  EXPECT_EQ(battery().cells[0].balancing, true);
  EXPECT_EQ(battery().cells[15].balancing, false);
  EXPECT_EQ(battery().cells[16].balancing, std::nullopt) << "no bit tells it";
  driver_->assume({});
  EXPECT_EQ(analog({.cells = 8, .sensors = 2}), std::nullopt);
  EXPECT_EQ(battery().temperatures[0], std::nullopt) << "the two are of the environment and the power board";
  EXPECT_EQ(battery().mos_temperature, 25.0);
  for (const std::size_t cells : {std::size_t{7}, std::size_t{25}}) {
    driver_->assume({});
    EXPECT_EQ(analog({.cells = cells}), Fault::implausible) << cells;
  }
  EXPECT_EQ(analog({.sensors = 1}), Fault::implausible);
  EXPECT_EQ(analog({.sensors = 17}), Fault::implausible);
}

TEST_F(SeplosContents, OtherItemCountsAreOtherBatteriesOrLateAnswers) {
  EXPECT_EQ(analog({.items = 0x02}), Fault::implausible) << "Pylontech";
  EXPECT_EQ(analog({.items = 0x04}), Fault::implausible);
  EXPECT_EQ(analog({}), std::nullopt);
  EXPECT_EQ(states({.state_bytes = 0x0A}), Fault::implausible);
  EXPECT_EQ(states({.sensors = 4}), Fault::implausible) << "six in the other answer";
  EXPECT_EQ(states({.cells = 15}), Fault::implausible);
  EXPECT_EQ(states({}), std::nullopt);
}

TEST_F(SeplosContents, AZeroIsUnknownWhereItCantBe) {
  EXPECT_EQ(analog({.capacity = 0, .soh = 0}), std::nullopt);
  EXPECT_EQ(battery().capacity, std::nullopt);
  EXPECT_EQ(battery().soh, std::nullopt);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(battery().identity.unique_id, "") << "it has the capacity in it";
}

namespace {

struct PacePack {
  std::size_t cells = 16, sensors = 6;
  unsigned pack = 1, remaining = 6000, capacity = 10000, code = 0;
};

class PaceContents : public Contents {
 protected:
  explicit PaceContents(std::uint8_t address = 1) : Contents("Pace", 0x25, 0x46, address) {}
  std::optional<Fault> analog(const PacePack& pack, ByteVector asked = {0x01}) {
    return take(0x42,
                byte(0) + byte(pack.pack) + byte(static_cast<unsigned>(pack.cells)) + words(pack.cells, 3300) +
                    byte(static_cast<unsigned>(pack.sensors)) + words(pack.sensors, 2730 + 250) + words(1, 0) +
                    words(1, static_cast<unsigned>(pack.cells * 3300 % 65536)) + words(1, pack.remaining) + byte(3) +
                    words(1, pack.capacity) + words(1, 12) + words(1, 10000),
                std::move(asked));
  }
  std::optional<Fault> states(const PacePack& pack, ByteVector asked = {0x01}) {
    ByteVector codes(pack.cells);
    codes[0] = static_cast<std::uint8_t>(pack.code);
    return take(0x44,
                byte(0) + byte(pack.pack) + byte(static_cast<unsigned>(pack.cells)) + codes + byte(static_cast<unsigned>(pack.sensors)) +
                    ByteVector(pack.sensors) + ByteVector(3) + ByteVector(9),
                std::move(asked));
  }
  std::optional<Fault> version() { return take(0xC1, ByteVector(20, 'P'), {}); }
  std::optional<Fault> product(std::size_t size) { return take(0xC2, ByteVector(size, '7'), {}); }
};

class FirstPaceContents : public PaceContents {
 protected:
  FirstPaceContents() : PaceContents(0) {}
};

}  // namespace

TEST_F(PaceContents, ReadsUnusualPacks) {
  EXPECT_EQ(analog({.cells = 19, .sensors = 16}), std::nullopt);
  EXPECT_EQ(battery().cells.size(), 19U);
  EXPECT_EQ(analog({.cells = 19, .sensors = 0}), std::nullopt);
  EXPECT_EQ(battery().mos_temperature, std::nullopt);
  EXPECT_EQ(analog({.cells = 19, .remaining = 12000}), std::nullopt);
  EXPECT_EQ(battery().soc, 100.0) << "more than full";
  EXPECT_EQ(analog({.cells = 19, .capacity = 0}), std::nullopt);
  EXPECT_EQ(battery().soc, std::nullopt);
  EXPECT_EQ(battery().capacity, std::nullopt);
  driver_->assume({});
  EXPECT_EQ(states({.cells = 24}), std::nullopt);
  driver_->assume({});
  EXPECT_EQ(states({.cells = 25}), Fault::implausible);
  EXPECT_EQ(analog({.sensors = 17}), Fault::implausible);
}

TEST_F(PaceContents, ALateAnswerAboutVoltagesIsNoState) {
  for (const unsigned code : {0x00U, 0x02U, 0x80U, 0xEFU, 0xF0U}) EXPECT_EQ(states({.code = code}), std::nullopt) << code;
  for (const unsigned code : {0x03U, 0x0CU, 0x7FU, 0xF1U}) EXPECT_EQ(states({.code = code}), Fault::implausible) << code;
}

TEST_F(PaceContents, TheClassTellsTheChemistry) {
  for (const unsigned code : {0x46U, 0x4AU, 0x4EU, 0x4FU}) {
    class_ = static_cast<std::uint8_t>(code);
    EXPECT_EQ(analog({}), std::nullopt) << code;
  }
  class_ = std::uint8_t{0x4B};
  EXPECT_EQ(analog({}), Fault::timeout);
}

TEST_F(PaceContents, TheSerialNumberOfThePackMayBeMissing) {
  EXPECT_EQ(product(20), std::nullopt);
  EXPECT_EQ(battery().identity.serial_number, std::string(20, '7'));
  EXPECT_EQ(product(19), Fault::implausible);
}

TEST_F(PaceContents, BoardsThatAnswerFromAddressZero) {
  answering_ = 0;
  EXPECT_EQ(version(), std::nullopt);
  EXPECT_EQ(analog({}), std::nullopt);
  EXPECT_EQ(version(), std::nullopt);
  EXPECT_EQ(analog({.pack = 2}), Fault::timeout) << "of another pack";
  config_.battery_addresses = {"0x00", "0x01"};
  EXPECT_EQ(analog({}), Fault::timeout) << "that pack is a battery of its own";
  EXPECT_EQ(version(), Fault::timeout);
}

TEST_F(PaceContents, AMasterAnswersForItsSlave) {
  answering_ = 5;
  EXPECT_EQ(version(), Fault::timeout);
  EXPECT_EQ(analog({}), std::nullopt);
  EXPECT_EQ(version(), std::nullopt) << "whoever answered for this battery";
}

TEST_F(FirstPaceContents, TheAddressThatAnswersFirstIsTheOneThatCounts) {
  config_.battery_addresses = {"0x00", "0x03"};
  answering_ = 3;
  EXPECT_EQ(analog({}), Fault::timeout) << "a battery of its own";
  answering_ = 2;
  EXPECT_EQ(analog({}), std::nullopt);
  EXPECT_EQ(states({}), std::nullopt);
  answering_ = 4;
  EXPECT_EQ(states({}), Fault::timeout);
}

namespace {

struct DarenPack {
  std::size_t cells = 16, sensors = 4;
  unsigned soh = 100, capacity = 10000;
};

class DarenContents : public Contents {
 protected:
  explicit DarenContents(const char* type = "Daren485", std::uint8_t start = '~') : Contents(type, 0x22, 0x4A, 1, start) {}
  std::optional<Fault> reading(const DarenPack& pack) {
    return take(0x42, byte(0) + words(1, 6000) + words(1, static_cast<unsigned>(pack.cells * 330)) +
                          byte(static_cast<unsigned>(pack.cells)) + words(pack.cells, 3300) + words(3, 250) +
                          byte(static_cast<unsigned>(pack.sensors)) + words(pack.sensors, 240) + words(2, 0) + words(1, pack.soh) +
                          byte(1) + words(1, pack.capacity) + words(1, 6000) + words(1, 12) + words(16, 0));
  }
  std::optional<Fault> names(std::size_t size) { return take(0x51, ByteVector(size, 'A'), {}); }
  std::optional<Fault> production(std::uint8_t asked, std::uint8_t answered, std::size_t size) {
    return take(0xB0, ByteVector{0xB0, 1, 1, answered, 0xFF, 0} + ByteVector(size), {1, 1, asked, 0xFF, 0});
  }
};

class Ks48100Contents : public DarenContents {
 protected:
  Ks48100Contents() : DarenContents("KS48100", '>') {}
};

}  // namespace

TEST_F(Ks48100Contents, AnAnswerNamesItsQuestionOrTheClass) {
  for (const unsigned code : {0x42U, 0x4AU}) {
    class_ = static_cast<std::uint8_t>(code);
    EXPECT_EQ(reading({}), std::nullopt) << code;
  }
  for (const unsigned late : {0x47U, 0x51U, 0xB0U}) {
    class_ = static_cast<std::uint8_t>(late);
    EXPECT_EQ(reading({}), Fault::timeout) << late;
  }
}

TEST_F(DarenContents, ReadsUnusualPacks) {
  EXPECT_EQ(reading({.cells = 32, .sensors = 20}), std::nullopt);
  EXPECT_EQ(battery().cells.size(), 32U);
  EXPECT_EQ(battery().temperatures[3], 24.0);
  EXPECT_EQ(reading({.cells = 32, .sensors = 0, .soh = 0, .capacity = 0}), std::nullopt);
  EXPECT_EQ(battery().temperatures[0], std::nullopt);
  EXPECT_EQ(battery().soh, std::nullopt);
  EXPECT_EQ(battery().capacity, std::nullopt);
  EXPECT_EQ(battery().soc, 60.0);
  EXPECT_EQ(reading({.cells = 32, .sensors = 21}), Fault::implausible);
  driver_->assume({});
  EXPECT_EQ(reading({.cells = 33}), Fault::implausible);
}

TEST_F(DarenContents, AnswersToAnotherQuestionAreRefused) {
  EXPECT_EQ(names(33), std::nullopt);
  EXPECT_EQ(names(32), Fault::implausible);
  EXPECT_EQ(names(49), Fault::implausible);
  EXPECT_EQ(production(4, 4, 18), std::nullopt);
  EXPECT_EQ(production(4, 3, 113), Fault::implausible);
  EXPECT_EQ(production(3, 4, 18), Fault::implausible);
}

}  // namespace serialbattery::test
