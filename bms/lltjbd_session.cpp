// See lltjbd_session.hpp.
#include "bms/lltjbd_session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace serialbattery::lltjbd {

namespace {

constexpr std::uint16_t factory_password = 0x5678;
constexpr std::uint16_t leave_plain = 0x0000, leave_and_save = 0x2828;
constexpr std::uint8_t status_unknown_register = 0x80;

}  // namespace

void Session::hurry(Effort effort) {
  timing_ = normal_timing;
  if (effort == Effort::thorough) return;
  timing_.first_byte = 300ms;
  timing_.attempts = 2;  // the first may only wake the board up
}

void Session::settle() {
  timing_ = normal_timing;
}

asio::awaitable<Reply> Session::exchange(Bytes request) {
  const std::uint8_t reg = request[2];
  const Access access = request[1] == write_mark ? Access::write : Access::read;
  const Bytes frame = co_await link_.transact(
      request, [reg, access](Bytes seen) { return scan_reply(seen, reg, access); }, timing_);
  co_return parse_reply(frame);
}

asio::awaitable<Bytes> Session::request(std::uint8_t reg, ByteVector bytes) {
  refused_with_.reset();
  const Reply reply = co_await exchange(bytes);
  if (reply.status != 0) {
    refused_with_ = reply.status;
    throw FrameError(Fault::rejected, fmt::format("JBD: register 0x{:02X} refused with status 0x{:02X}", reg, reply.status));
  }
  co_return reply.data;
}

asio::awaitable<Bytes> Session::read(std::uint8_t reg) {
  co_return co_await request(reg, read_request(reg));
}

asio::awaitable<void> Session::write(std::uint8_t reg, std::uint16_t value) {
  co_await request(reg, write_request(reg, value));
}

asio::awaitable<bool> Session::in_factory_mode(asio::awaitable<bool> step, Leave leave) {
  std::exception_ptr failure;
  bool wrote = false;
  try {
    co_await write(factory_enter, factory_password);
    wrote = co_await std::move(step);
  } catch (const BmsError&) {
    failure = std::current_exception();
  }
  co_await leave_factory_mode(wrote ? leave : Leave::plain);
  if (failure) std::rethrow_exception(failure);
  co_return wrote;
}

// Its failure must not hide what was done before.
asio::awaitable<void> Session::leave_factory_mode(Leave how) {
  try {
    co_await write(factory_leave, how == Leave::save ? leave_and_save : leave_plain);
  } catch (const BmsError& error) {
    if (error.port_gone()) throw;
    spdlog::warn("{}: JBD did not confirm the end of factory mode ({})", link_.stream().name(), error.what());
  }
}

asio::awaitable<void> Session::lock_fets(unsigned locks, FetMask changed) {
  bool newest_firmware = false;
  try {
    co_await write(fet_lock, static_cast<std::uint16_t>(locks));
  } catch (const FrameError&) {
    if (refused_with_ != status_unknown_register) throw;
    newest_firmware = true;
  }
  if (newest_firmware) {
    const unsigned which = changed == charge_lock ? 0x0100U : 0x0000U;
    co_await write(fet_lock_newest, static_cast<std::uint16_t>(which | ((locks & changed) != 0 ? 1U : 0U)));
  }
  co_await leave_factory_mode(Leave::plain);  // as the vendor's app does after each; heals a session left open
}

asio::awaitable<std::uint16_t> Session::read_function_bits() {
  const Bytes data = co_await read(function_bits);
  co_return wire::u16be(data, 0);
}

asio::awaitable<bool> Session::write_balancer_bit(bool enable) {
  const std::uint16_t before = co_await read_function_bits();
  function_bits_ = static_cast<std::uint16_t>(enable ? before | balancing_enabled_bit : before & ~balancing_enabled_bit);
  if (function_bits_ == before) co_return false;
  co_await write(function_bits, function_bits_);
  co_return true;
}

asio::awaitable<std::uint16_t> Session::switch_balancer(bool enable) {
  // The plain leave keeps the protection counters; boards that forget the value then get the saving leave. Whether a board has kept
  // it, the next session shows: then there is nothing left to write.
  for (const Leave leave : {Leave::plain, Leave::save, Leave::plain}) {
    const bool wrote = co_await in_factory_mode(write_balancer_bit(enable), leave);
    if (!wrote) co_return function_bits_;
  }
  throw FrameError(Fault::rejected, "JBD: the balancer switch was not kept");
}

}  // namespace serialbattery::lltjbd
