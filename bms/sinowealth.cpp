// Small Daly, MGod and "Energy" boards with a Sinowealth controller (SH367303..306, SH39F003..004), 3 to 10 cells: R05, R10 ("BMStool").
// UART or RS485 adapter, 9600 baud 8N1, one battery per port. Boards with the A5 protocol are another type (Daly). Nothing can be written.
//
// Frames and registers: sinowealth.hpp. One register a request; a poll takes about 14 of them, 0.6 s. The capacity is asked once a minute.
//
// Quirks: no start mark and no address, so the line has to be silent before a request and behind an answer. Some firmware answers only
// requests for 4 bytes. Some boards announce more cells than they have. Boards with more than 10 cells continue them over the registers
// of the pack; they are recognised by a pack voltage of one cell and refused.
// Sources: traffic of the maker's program as published by several people; the CRC was found on those samples.
#include "bms/sinowealth.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "model/unique_id.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::sinowealth {

namespace {

constexpr Timing timing{.first_byte = 250ms, .between_bytes = 50ms, .expected = 8, .total = 500ms, .gap = 20ms};
constexpr Duration error_silence = 50ms, capacity_interval = 60s;
constexpr int tries = 2, tries_at_detection = 3;
constexpr int polls_until_unknown = 3;  // a temperature that isn't told

// In this order; without one of the first a poll has failed.
constexpr Command needed[] = {state_of_charge, pack_status, battery_status, pack_voltage, pack_current};
constexpr Command useful[] = {remaining_capacity, cycle_count};

std::uint8_t cell_command(std::size_t cell) {
  return static_cast<std::uint8_t>(first_cell + cell);
}

// Only at detection: a cell that reads 0 later has failed, or its wire.
void drop_absent_cells(Battery& found) {
  while (!found.cells.empty() && found.cells.back().voltage == 0.0) found.cells.pop_back();
  const auto is_cell = [](const Cell& cell) { return *cell.voltage >= 1.5; };
  require(found.cells.size() >= 3 && std::ranges::all_of(found.cells, is_cell), "Sinowealth: no cells");
  found.cell_count = static_cast<unsigned>(found.cells.size());
}

// nullopt while a cell is unknown.
std::optional<double> sum_of_cells(const Battery& battery) {
  double sum = 0;
  for (const Cell& cell : battery.cells) {
    if (!cell.voltage) return std::nullopt;
    sum += *cell.voltage;
  }
  return sum;
}

void check_sum(const Battery& next) {
  const auto sum = sum_of_cells(next);
  if (!sum) return;
  require(std::abs(*sum - *next.voltage) <= std::max(0.5, 0.05 * *next.voltage), "Sinowealth: pack voltage contradicts the cells");
}

}  // namespace

class Sinowealth final : public Driver {
 public:
  using Driver::Driver;

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    missing_ = {};
    shortest_ = 2;
    const bool thorough = effort == Effort::thorough;
    bool answered = co_await succeeds(read(pack_config, found, thorough ? tries_at_detection : 1));
    if (!answered && thorough) {
      shortest_ = 4;
      answered = co_await succeeds(read(pack_config, found, tries_at_detection));
    }
    if (!answered) co_return false;
    for (std::size_t cell = 0; cell < found.cells.size(); ++cell) co_await read(cell_command(cell), found);
    drop_absent_cells(found);
    const bool whole_pack = co_await has_pack_voltage(found);
    if (!whole_pack) co_return false;
    co_await read(full_capacity, found);
    capacity_due_ = link().now() + capacity_interval;
    found.identity.hardware_version = fmt::format("Daly/Sinowealth BMS {}S", *found.cell_count);
    found.identity.unique_id = fallback_unique_id(found.identity.hardware_version, found.capacity);
    co_await read_cycle(found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await read_cycle(next);
    if (link().now() < capacity_due_) co_return;
    co_await succeeds(read(full_capacity, next));
    capacity_due_ = link().now() + capacity_interval;
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    if (!is_request(request)) throw FrameError(Fault::implausible, "no request of this protocol");
    const ByteVector data = co_await ask(request, 1);
    decode(request[1], data, into, board_);
  }

 private:
  asio::awaitable<ByteVector> ask(Bytes request, int attempts) {
    for (int attempt = 1;; ++attempt) {
      if (attempt > 1) co_await link().drain(error_silence, timing.total);
      try {
        const Bytes answer = co_await link().transact(
            request, [request](Bytes seen) { return scan_answer(seen, request); }, timing);
        ByteVector data(answer.begin(), answer.end() - 1);
        // With a checksum this small it may be the beginning of something else; the pause is due anyway.
        co_await link().sleep(timing.gap);
        const std::size_t more = co_await link().drain(0ms, 1ms);
        require(more == 0, "Sinowealth: more bytes than asked for", Fault::length);
        co_return data;
      } catch (const BmsError& error) {
        if (attempt >= attempts || error.port_gone()) throw;
      }
    }
  }

  asio::awaitable<ByteVector> ask_for(std::uint8_t command, int attempts) {
    const ByteVector request = request_for(command, std::max(shortest_, length_of(command)));
    co_return co_await ask(request, attempts);
  }

  asio::awaitable<void> read(std::uint8_t command, Battery& into, int attempts = tries) {
    const ByteVector data = co_await ask_for(command, attempts);
    decode(command, data, into, board_);
  }

  asio::awaitable<bool> has_pack_voltage(const Battery& found) {
    const ByteVector data = co_await ask_for(pack_voltage, tries);
    const bool one_cell = wire::u16be(data, 0) / 1000.0 < *sum_of_cells(found) / 2;
    if (one_cell) spdlog::warn("{}: Sinowealth board with more than 10 cells is not supported", port());
    co_return !one_cell;
  }

  asio::awaitable<void> read_cycle(Battery& next) {
    for (const Command command : needed) co_await read(command, next);
    for (std::size_t cell = 0; cell < next.cells.size(); ++cell) {
      const bool told = co_await succeeds(read(cell_command(cell), next));
      if (!told) next.cells[cell].voltage.reset();
    }
    check_sum(next);
    for (unsigned sensor = 0; sensor < board_.sensors; ++sensor) {
      const bool told = co_await succeeds(read(static_cast<std::uint8_t>(sensor_1 + sensor), next));
      missing_[sensor] = told ? 0 : missing_[sensor] + 1;
      if (missing_[sensor] >= polls_until_unknown) next.temperatures[sensor].reset();
    }
    for (const Command command : useful) co_await succeeds(read(command, next));
    compare_direction(next);
  }

  void compare_direction(const Battery& next) {
    constexpr double clear = 1;  // A
    const bool contradicts = (*next.current > clear && board_.discharges) || (*next.current < -clear && board_.charges);
    if (!contradicts || std::exchange(contradiction_logged_, true)) return;
    spdlog::warn("{}: the BMS reports {} A, but says that it is {}", port(), *next.current, board_.discharges ? "discharging" : "charging");
  }

  std::uint8_t shortest_ = 2;  // data bytes of a request
  Board board_;
  std::array<int, 2> missing_{};  // polls in a row without that sensor
  TimePoint capacity_due_{};
  bool contradiction_logged_ = false;
};

namespace {

constexpr Probe probes[] = {{.line = {9600}}};
const Registration registration{{.type = "Sinowealth",
                                 .text = "Sinowealth",
                                 .probes = probes,
                                 .on_by_default = false,
                                 .rank = 220,
                                 .poll_interval = 2s,
                                 .make = make_driver<Sinowealth>}};

}  // namespace

}  // namespace serialbattery::sinowealth
