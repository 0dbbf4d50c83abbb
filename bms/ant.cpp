// ANT BMS (antbms.vip), 7 to 32 cells: 16ZMB, 24AHA, BLE16ZMUB, 24BHUB and others of 2019 and later. UART with 3.3 V level, 19200 baud
// 8N1, one battery per port. The connector's VCC pin has to be supplied with 3.3 V, otherwise the BMS is silent.
//
// Boards of 2021 and later speak an old and a new protocol, earlier ones only the old one; one request reads everything. Frames: ant.hpp.
//
// Quirks: some boards answer only one of the two old requests. Some never tell their capacity. Sensors 3 and 4 that are not fitted read
// -40 or 0. Numbers of the extreme cells in the frame are wrong. The current is 0 below about 0.5 A. Where a Bluetooth module shares
// the line, answers to it and keep-alive frames come in between. Known commands that write are not used.
// Sources: recorded frames of both protocols, a traffic log of the maker's app.
#include "bms/ant.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "model/unique_id.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::ant {

namespace {

constexpr Timing normal{.first_byte = 250ms,
                        .between_bytes = 100ms,
                        .expected = largest_frame,
                        .total = 500ms,
                        .gap = 100ms,
                        .attempts = 2,
                        .retry_gap = 100ms};

constexpr Bytes forms[] = {old_request, old_request_by_register, new_request};

}  // namespace

class Ant final : public Driver {
 public:
  using Driver::Driver;

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    sensors_.reset();
    stated_ = estimate_ = std::nullopt;
    configured_ = {};
    timing_.attempts = effort == Effort::quick ? 1 : 3;
    const std::uint64_t heard = link().statistics().bytes_received;
    bool answered = false;
    for (const Bytes form : forms) {
      form_ = form;
      answered = co_await succeeds(replay_exchange(form, found));
      if (answered) break;
    }
    timing_.attempts = normal.attempts;
    if (!answered) {
      const bool silent = link().statistics().bytes_received == heard;
      if (silent && effort == Effort::thorough)
        spdlog::info("{}: no answer from an ANT BMS; its connector needs 3.3 V at the pin VCC", port());
      co_return false;
    }
    co_await read_settings(found);
    warn_of_low_cells(found);
    co_return true;
  }

  asio::awaitable<void> poll(Battery& next) override {
    co_await replay_exchange(form_, next);
    require(next.cell_count == battery().cell_count, "ANT: another number of cells");
    warn_of_low_cells(next);
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    const auto kind = kind_of(request);
    if (!kind) throw FrameError(Fault::implausible, "no request of this protocol");
    const Bytes frame = co_await link().transact(
        request, [request](Bytes seen) { return scan_answer(seen, request); }, timing_);
    switch (*kind) {
      case Kind::new_device: decode_device(frame, into.identity, note()); break;
      case Kind::capacity_low: configured_.low = decode_value(frame); break;
      case Kind::capacity_high: configured_.high = decode_value(frame); break;
      case Kind::old_status:
      case Kind::new_status:
        decode_status(*kind, frame, into, note());
        if (into.capacity) stated_ = into.capacity;
        settle_sensors(into.temperatures);
        if (into.identity.unique_id.empty()) identify_as(into);
    }
    settle_capacity(into);
  }

 private:
  asio::awaitable<void> read_settings(Battery& found) {
    if (kind_of(form_) == Kind::new_status) {
      co_await succeeds(replay_exchange(device_request, found));
    } else if (!stated_) {
      const bool low = co_await succeeds(replay_exchange(capacity_low_request, found));
      if (low) co_await succeeds(replay_exchange(capacity_high_request, found));
    }
  }

  // The capacity of the first status, never an estimate, which would make another battery of it at each start.
  static void identify_as(Battery& into) {
    into.identity.hardware_version = fmt::format("ANT BMS {}S", *into.cell_count);
    into.identity.unique_id = fallback_unique_id(into.identity.hardware_version, into.capacity.value_or(0));
  }

  // Sensors 3 and 4 count if they are fitted at the first reading.
  void settle_sensors(std::array<std::optional<double>, 4>& shown) {
    if (!sensors_) sensors_ = {shown[2].value_or(0) != 0, shown[3].value_or(0) != 0};
    if (!sensors_->third) shown[2].reset();
    if (!sensors_->fourth) shown[3].reset();
  }

  void settle_capacity(Battery& into) {
    if (!into.soc) return;  // no status yet
    into.capacity = stated_ ? stated_ : configured_.capacity() ? configured_.capacity() : estimate(into);
    auto& cycles = into.history[HistoryValue::charge_cycles];
    cycles = into.capacity ? std::optional(std::floor(note().at("total_ah").to_number<double>() / *into.capacity)) : std::nullopt;
  }

  // Made once: it must not wander with the SoC.
  std::optional<double> estimate(const Battery& from) {
    constexpr double trusted_soc = 20;  // %
    if (estimate_) return estimate_;
    if (*from.soc >= trusted_soc) estimate_ = std::round(*from.capacity_remaining / (*from.soc / 100) / 10) * 10;
    if (estimate_.value_or(0) == 0) estimate_ = config().battery_capacity;
    if (*estimate_ == 0) estimate_.reset();
    return estimate_;
  }

  // The boards cut off without a warning.
  void warn_of_low_cells(Battery& reading) const {
    const auto lowest = std::ranges::min_element(reading.cells, {}, &Cell::voltage);
    const double missing = config().min_cell_voltage - *lowest->voltage;
    if (missing > 0) wire::raise(reading.alarms, Alarm::low_cell_voltage, missing > 0.1 ? AlarmLevel::alarm : AlarmLevel::warning);
  }

  struct Fitted {
    bool third, fourth;
  };
  struct ConfiguredCapacity {
    std::optional<std::uint16_t> low, high;
    [[nodiscard]] std::optional<double> capacity() const {
      const std::uint32_t raw = low && high ? std::uint32_t{*high} << 16U | *low : 0;
      return raw != 0 ? std::optional(raw / 1e6) : std::nullopt;
    }
  };

  Bytes form_ = forms[0];  // the request that this board answers
  Timing timing_ = normal;
  std::optional<Fitted> sensors_;
  std::optional<double> stated_, estimate_;  // capacity, Ah
  ConfiguredCapacity configured_;
};

namespace {

constexpr Probe probes[] = {{.line = {19200}}};
const Registration registration{
    {.type = "ANT", .text = "ANT", .probes = probes, .on_by_default = false, .rank = 200, .make = make_driver<Ant>}};

}  // namespace

}  // namespace serialbattery::ant
