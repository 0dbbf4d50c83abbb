// What the drivers of YD/T 1363 batteries share: asking, asking again, and recorded conversations.
#pragma once

#include <fmt/format.h>

#include "bms/content.hpp"
#include "bms/silent_unit.hpp"
#include "bms/yd1363.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::yd1363 {

class YdDriver : public Driver {
 public:
  YdDriver(const DriverContext& context, const Dialect& dialect);
  [[nodiscard]] std::string address_text() const override { return fmt::format("0x{:02x}", address_); }

 protected:
  /// Content of one answer. Throws FrameError(implausible); `into` may then be partly changed.
  virtual void decode(const Message& asked, const Message& answer, Battery& into) = 0;
  /// Is a well-formed answer meant for this question?
  [[nodiscard]] virtual bool is_answer(const Message& asked, const Message& answer) const { return answer.address == asked.address; }
  /// All that has come since a question, whosever it is.
  virtual void overhear(Bytes /*received*/) {}
  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override;

  enum class Patience : std::uint8_t {
    hurry,     // one attempt, as long as real packs take
    standard,  // one attempt, the 500 ms that the standard allows
    once,      // one attempt, the dialect's own time
    full       // three attempts
  };
  /// For the first question of a probe.
  [[nodiscard]] Patience first_question(Effort effort) const;
  /// For another form of it, which few batteries need.
  [[nodiscard]] Patience other_form() const { return context().type_configured ? Patience::once : Patience::hurry; }
  /// The user has said that such a battery is here.
  [[nodiscard]] bool is_configured() const { return context().type_configured || context().address_configured; }

  [[nodiscard]] Message question(std::uint8_t command, Bytes info = {}) const {
    return {dialect_.version, address_, dialect_.request_class, command, {info.begin(), info.end()}};
  }
  /// Asks and decodes. `into` is changed only when the answer was good.
  asio::awaitable<void> ask(Battery& into, Message question, Patience patience = Patience::full);
  /// As ask(), but the answer may be missing. Throws only when the port is gone.
  asio::awaitable<bool> try_ask(Battery& into, Message question, Patience patience = Patience::full);

  [[nodiscard]] std::uint8_t address() const { return address_; }
  /// `id`, or `other` where a battery at another address of this line goes by `id` already.
  [[nodiscard]] std::string own_identifier(std::string id, std::string other);

 private:
  asio::awaitable<void> exchange(Bytes request, const Message& asked, const Timing& timing, Battery& into);

  const Dialect dialect_;
  std::uint8_t address_;
  SilentUnit silence_;
};

/// The number of cells and their voltages in mV. Throws FrameError(implausible), as set_cell_count().
void read_cells(Reader& reader, unsigned least, unsigned most, Battery& into);

}  // namespace serialbattery::yd1363
