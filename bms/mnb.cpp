// MNB-Li board by MikeD2-mnb: 8 LFP cells (24 V), a MAX17853 cell monitor on the SPI bus of a Raspberry Pi, four outputs on its GPIO
// pins. There is no microcontroller on it: this driver is the BMS. It measures, counts the charge, balances, and switches contactors.
//
// Line: /dev/spidev0.0, SPI mode 0, 500 kHz; an access to a register is one transfer of 4 bytes. Frames and registers: mnb_codec.cpp,
// order of the accesses: mnb_chip.cpp, decisions: mnb_board.cpp. Looked for only when BMS_TYPE names it.
//
// The contactors may feed the computer that runs this program: a start leaves them as they are until the first good measurement. Without
// one for 10 s both go off. A program that may only look (--scan, --once, a recording) neither switches nor balances.
// Sources: the Python driver, written without a captured answer of the chip; register map of MAX17852/53 in foxBMS 2.
#include "bms/mnb.hpp"

#include <spdlog/spdlog.h>

#include "bms/mnb_board.hpp"
#include "bms/mnb_chip.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::mnb {

namespace {

constexpr Duration blind_limit = 10s;  // contactors go off after this time without a measurement
constexpr Duration save_every = 10min;
constexpr double save_step = 0.5;         // %
constexpr double usual_capacity = 129.6;  // Ah: 36 modules of 3.6 Ah
constexpr double unknown_start = 50;      // %

double capacity_of(const Config& config) {
  return config.battery_capacity_in_user_file && config.battery_capacity > 0 ? config.battery_capacity : usual_capacity;
}

double start_of(const Host* host) {
  return (host ? host->remembered() : std::nullopt).value_or(unknown_start);
}

}  // namespace

class Mnb final : public Driver {
 public:
  explicit Mnb(const DriverContext& context)
      : Driver(context),
        host_(context.host),
        chip_(context.link),
        outputs_(context.host),
        limits_{context.config.max_cell_voltage, context.config.min_cell_voltage},
        counter_(capacity_of(context.config), start_of(context.host)),
        saved_soc_(counter_.soc()) {}
  ~Mnb() override {
    if (host_ && measured_) host_->remember(counter_.soc());
  }

 protected:
  // Nobody else watches this battery: instead of leaving it to a restart, and the contactors to the kernel, the chip is waited for.
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    outputs_.take();
    co_await link().sleep(100ms);
    const TimePoint end = link().now() + blind_limit;
    bool mine = co_await succeeds(look_for_chip(found));
    while (!mine && host_ && effort == Effort::thorough) {
      if (link().now() >= end) switch_off("no good measurement since the start; is the board connected and supplied?");
      co_await link().sleep(500ms);
      mine = co_await succeeds(look_for_chip(found));
    }
    if (mine) {
      spdlog::info("{}: MNB: the current is measured with {} V/A and an offset of {} A; both are constants of this driver", port(),
                   sense_volts_per_ampere, sense_offset);
    }
    co_return mine;
  }

  asio::awaitable<void> poll(Battery& next) override {
    try {
      co_await cycle(next);
    } catch (const BmsError& error) {
      if (error.port_gone()) switch_off("the SPI device or a pin has gone");
      if (measured_ && link().now() - *measured_ > blind_limit) switch_off("there was no good measurement for 10 s");
      throw;
    }
  }

  asio::awaitable<void> replay_exchange(Bytes request, Battery& into) override {
    const auto asked = parse(request);
    require(asked.has_value(), "no access of this driver");
    const Reply reply = co_await chip_.transfer(*asked);
    if (asked->kind == Access::Kind::write) co_return;
    Image seen = replayed_;
    seen.store(asked->reg, reply.data);
    decode(seen, into);
    replayed_ = seen;
  }

 private:
  asio::awaitable<void> look_for_chip(Battery& found) {
    const std::uint16_t model = co_await chip_.read(version);
    require(is_known_chip(model), "MNB: no chip that this driver knows");
    chip_.forget();
    co_await cycle(found);
  }

  asio::awaitable<void> cycle(Battery& next) {
    if (chip_.needs_set_up()) co_await chip_.set_up(limits_);
    Image image;
    co_await chip_.measure(image);
    decode(image, next);
    next.identity.hardware_version = "MNB_BMS 8S";
    next.identity.firmware_version = "V2.01";
    measured_ = link().now();
    count(next);
    tell_details(image);
    if (!host_) co_return;
    outputs_.set(decide(outputs_.wanted(), next, limits_));
    next.charge_fet = outputs_.wanted().charge;
    next.discharge_fet = outputs_.wanted().load;
    co_await balance(next, (*image[fmea1] & supply_faults) != 0);
  }

  void count(Battery& next) {
    counter_.count(next, limits_, link().now());
    next.capacity = counter_.capacity();
    next.capacity_remaining = counter_.charge();
    next.soc = counter_.soc();
    if (!saved_) saved_ = link().now();
    const bool due = std::abs(counter_.soc() - saved_soc_) >= save_step || link().now() - *saved_ >= save_every;
    if (!host_ || !due) return;
    saved_soc_ = counter_.soc();
    saved_ = link().now();
    host_->remember(saved_soc_);
  }

  void tell_details(const Image& image) {
    note()["block_voltage"] = block_volts(*image[block]);
    note()["total_voltage"] = total_volts(*image[total]);
    note()["crc_mismatches"] = chip_.mismatches();
  }

  void switch_off(const char* why) {
    if (outputs_.force_off(port())) spdlog::error("{}: MNB: {}: charging and discharging are switched off", port(), why);
  }

  asio::awaitable<void> balance(Battery& next, bool supply_fault) {
    using enum Chip::Balancing;
    Chip::Balancing state = failed;  // whatever runs is not wanted
    if (wants_balancing(next, supply_fault)) state = co_await chip_.balancing();
    if (state != running) balanced_ = {};
    if (state == failed) co_await chip_.stop_balancing();
    if (state == complete) co_await chip_.clear_balancing();
    if (state == idle) {
      const BalancePlan plan = plan_balancing(next);
      const bool started = co_await chip_.start_balancing(plan);
      if (started) balanced_ = plan;
    }
    for (std::size_t i = 0; i < cell_count; ++i) next.cells[i].balancing = balanced_.timers[i] > 0;
    next.balancing = balanced_.any();
  }

  Host* host_;
  Chip chip_;
  Switchboard outputs_;
  CellLimits limits_;
  ChargeCounter counter_;
  double saved_soc_;                   // %, as it was stored last
  std::optional<TimePoint> saved_;     // when
  std::optional<TimePoint> measured_;  // the last good measurement
  BalancePlan balanced_;               // what runs now
  Image replayed_;
};

namespace {

constexpr Probe probes[] = {{.line = {500'000}}};
const Registration registration{{.type = "MNB",
                                 .text = "MNB-Li SPI",
                                 .transport = Transport::spi,
                                 .probes = probes,
                                 .on_by_default = false,
                                 .rank = 210,
                                 .make = make_driver<Mnb>}};

}  // namespace

}  // namespace serialbattery::mnb
