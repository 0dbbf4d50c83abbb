// See yd1363_driver.hpp.
#include "bms/yd1363_driver.hpp"

namespace serialbattery::yd1363 {

namespace {

// A master may answer for a stack of sixteen, 2 s at 9600 baud. Silence inside an answer ends it much earlier.
constexpr Duration longest_answer = 5s;

}  // namespace

void read_cells(Reader& reader, unsigned least, unsigned most, Battery& into) {
  set_cell_count(into, reader.u8(), least, most);
  for (Cell& cell : into.cells) cell.voltage = reader.u16() / 1000.0;
}

YdDriver::YdDriver(const DriverContext& context, const Dialect& dialect)
    : Driver(context), dialect_(dialect), address_(context.address), silence_(context) {}

YdDriver::Patience YdDriver::first_question(Effort effort) const {
  if (effort == Effort::quick) return Patience::hurry;
  return is_configured() ? Patience::once : Patience::standard;
}

asio::awaitable<void> YdDriver::ask(Battery& into, Message question, Patience patience) {
  const int attempts = patience == Patience::full ? silence_.attempts(3) : 1;
  Timing timing{.first_byte = dialect_.first_byte, .between_bytes = dialect_.between_bytes, .total = longest_answer};
  timing.gap = context().shared_line ? 100ms : 50ms;
  if (patience == Patience::hurry) timing.first_byte = 250ms;
  if (patience == Patience::standard) timing.first_byte = 500ms;
  const ByteVector request = encode(dialect_, question);
  for (int attempt = 1;; ++attempt) {
    try {
      co_await exchange(request, question, timing, into);
      co_return silence_.answered();
    } catch (const BmsError& error) {
      if (patience == Patience::full) silence_.failed(error.fault());
      if (attempt == attempts || !error.worth_asking_again()) throw;
    }
    timing.gap = 100ms;
    timing.first_byte = dialect_.first_byte_again;
  }
}

asio::awaitable<bool> YdDriver::try_ask(Battery& into, Message question, Patience patience) {
  co_return co_await succeeds(ask(into, std::move(question), patience));
}

asio::awaitable<void> YdDriver::exchange(Bytes request, const Message& asked, const Timing& timing, Battery& into) {
  const std::function<bool(const Message&)> fits = [this, &asked](const Message& answer) { return is_answer(asked, answer); };
  const Framing framing = [&](Bytes received) {
    overhear(received);
    return scan(dialect_, request, received, fits);
  };
  const Bytes frame = co_await link().transact(request, framing, timing);
  Battery next = into;
  decode(asked, *parse(dialect_, frame), next);
  into = std::move(next);
}

asio::awaitable<void> YdDriver::replay_exchange(Bytes request, Battery& into) {
  const auto asked = parse(dialect_, request);
  require(asked.has_value(), "no request of this protocol");
  address_ = asked->address;
  const Timing timing{.first_byte = dialect_.first_byte, .between_bytes = dialect_.between_bytes, .total = longest_answer};
  co_await exchange(request, *asked, timing, into);
}

std::string YdDriver::own_identifier(std::string id, std::string other) {
  return id.empty() || link().common<Identifiers>().claim(id, address_) ? id : other;
}

}  // namespace serialbattery::yd1363
