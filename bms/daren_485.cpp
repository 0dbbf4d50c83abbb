// Daren Hi-Tech boards with RS485: DR-JC03, DR48100JC-03-V2 and relatives in packs of Hua Huang, Basen, NIE (NIE-JC48100) and others
// without a name; 8 to 16 cells as a rule. 9600 or 19200 baud; address by DIP switch, 1..15.
//
// YD/T 1363, version 22, class 4A; contents in daren.cpp.
// Quirks: a pack that sleeps doesn't answer the first one to three requests. 45, 49, 4E, 81, 82, 8B and B0 with operation 02 write: never
// sent. Sources: see daren.cpp.
#include "bms/daren.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::daren {

namespace {

constexpr std::uint8_t classes[] = {0x4A};
constexpr Variant variant{.dialect = {.start = '~', .version = 0x22, .classes = classes, .request_class = 0x4A},
                          .type = "Daren485",
                          .required = 23,  // up to the end of the FET states
                          .ignored_warnings = 0,
                          .unit_of_current = false};

}  // namespace

class Daren485 final : public DarenDriver {
 public:
  explicit Daren485(const DriverContext& context) : DarenDriver(context, variant) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    forget();
    group_ = 0x01;
    const bool patient = effort == Effort::thorough && is_configured();
    // The first request may only wake the pack.
    bool answered = co_await try_ask(found, ask_for(reading), patient ? Patience::full : first_question(effort));
    if (!answered && patient && address() != group_) {
      group_ = address();
      answered = co_await try_ask(found, ask_for(reading), other_form());
    }
    if (answered) co_await read_settings(found);
    co_return answered;
  }
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}, {.line = {19200}, .address = 0x01}};
const Registration registration{{.type = "Daren485",
                                 .text = "Daren485",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 60,
                                 .poll_interval = 2s,
                                 .connection_address = true,
                                 .make = make_driver<Daren485>}};

}  // namespace

}  // namespace serialbattery::daren
