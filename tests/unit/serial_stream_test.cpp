// A serial port whose other end does not do its part.
#include "link/serial_stream.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "link/file.hpp"
#include "support/loop.hpp"

namespace serialbattery::link {
namespace {

class HungPort : public testing::Test {
 protected:
  HungPort() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
    EXPECT_EQ(::grantpt(master_.get()), 0);
    EXPECT_EQ(::unlockpt(master_.get()), 0);
    port_.emplace(io_, ::ptsname(master_.get()));
    port_->configure({.baud = 115200});
  }
  void write(const ByteVector& bytes) { test::await(io_, port_->write(bytes)); }

  asio::io_context io_;
  File master_;
  std::optional<SerialStream> port_;
};

}  // namespace

TEST_F(HungPort, AWriteEndsAfterASecondAndThePortCanBeUsedAgain) {
  const ByteVector request(1000, 0x55);
  Fault fault = Fault::closed;
  const auto fill = [&] {
    for (int i = 0; i < 1000; ++i) write(request);
  };
  try {
    fill();
  } catch (const LinkError& error) {
    fault = error.fault();
    EXPECT_THAT(error.what(), testing::HasSubstr("takes no bytes"));
  }
  EXPECT_EQ(fault, Fault::timeout);
  std::array<std::uint8_t, 65536> taken;
  while (::read(master_.get(), taken.data(), taken.size()) > 0) {
  }
  write(request);
  EXPECT_GT(::read(master_.get(), taken.data(), taken.size()), 0);
}

}  // namespace serialbattery::link
