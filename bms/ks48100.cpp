// KS48100-HO20 boards ("SNS01 Ho20"), 16 cells, 100 to 120 Ah: PAPool, Bemory, CERRNSS, VoltPolska, BraunPWR and other rack packs.
// RS485 ("RS485A"), 9600 baud; address by DIP switch, 1..16.
//
// YD/T 1363 as Daren speaks it (contents in daren.cpp), but the start byte is '>' and answers carry the command in the place of CID1.
// Quirks: the first answer may need 2.5 s. Some firmware may only know the requests of earlier drivers (42, 47, 51 with CID1 42 and less
// INFO, B0 with a length); they are tried last. With the inverter protocol set to Pylontech the board ignores '>'. Writing commands as in
// daren_485.cpp. Sources: maker's document X 1363 V1.0.1 as quoted by others, source of the maker's display, captures of four packs.
#include "bms/daren.hpp"
#include "serialbattery/registry.hpp"

namespace serialbattery::daren {

namespace {

constexpr Variant variant{.dialect = {.start = '>',
                                      .version = 0x22,
                                      .classes = {},
                                      .request_class = 0x4A,
                                      .first_byte = 1500ms,
                                      .between_bytes = 80ms,
                                      .first_byte_again = 3000ms},
                          .type = "KS48100",
                          .required = 2,  // the current
                          .ignored_warnings = 1U << 0U,
                          .unit_of_current = true};

bool is_command(std::uint8_t code) {
  return code == reading || code == parameters || code == names || code == production;
}

}  // namespace

class Ks48100 final : public DarenDriver {
 public:
  explicit Ks48100(const DriverContext& context) : DarenDriver(context, variant) {}

 protected:
  asio::awaitable<bool> probe(Battery& found, Effort effort) override {
    forget();
    form_ = Form::documented;
    const bool thorough = effort == Effort::thorough;
    const Patience patience = !thorough ? Patience::hurry : is_configured() ? Patience::full : Patience::once;
    bool answered = co_await try_ask(found, ask_for(reading), patience);
    if (!answered && thorough) {
      form_ = Form::older;
      answered = co_await try_ask(found, ask_for(reading), other_form());
    }
    if (answered) co_await read_settings(found);
    co_return answered;
  }

  // The late answer to another question names it.
  [[nodiscard]] bool is_answer(const yd1363::Message& asked, const yd1363::Message& answer) const override {
    return answer.address == asked.address && (!is_command(answer.device) || answer.device == asked.code);
  }

  void overhear(Bytes received) override {
    static constexpr std::string_view pylontech = "~20", pylontech_class = "46";
    const std::string_view text(reinterpret_cast<const char*>(received.data()), received.size());
    const auto at = text.find(pylontech);
    if (at == std::string_view::npos || text.substr(std::min(at + 5, text.size()), 2) != pylontech_class) return;
    if (std::exchange(other_protocol_told_, true)) return;
    spdlog::info(
        "{}: frames of the Pylontech protocol are on this line. If its battery is a KS48100, select another inverter protocol there "
        "(Voltronic)",
        port());
  }

  [[nodiscard]] yd1363::Message ask_for(std::uint8_t command) const override {
    yd1363::Message message = DarenDriver::ask_for(command);
    if (form_ == Form::documented) return message;
    message.device = older_class;
    message.info.clear();
    if (command == parameters) message.info = {address()};
    return message;
  }

  [[nodiscard]] yd1363::Message ask_for_module(Module module) const override {
    yd1363::Message message = DarenDriver::ask_for_module(module);
    if (form_ == Form::older && module == serial_numbers) message.info.back() = 0x56;  // instead of no length
    return message;
  }

 private:
  static constexpr std::uint8_t older_class = 0x42;
  enum class Form : std::uint8_t { documented, older };
  Form form_ = Form::documented;
  bool other_protocol_told_ = false;
};

namespace {

constexpr Probe probes[] = {{.line = {9600}, .address = 0x01}};
const Registration registration{{.type = "KS48100",
                                 .text = "KS48100",
                                 .probes = probes,
                                 .addressable = true,
                                 .rank = 120,
                                 .poll_interval = 2s,
                                 .connection_address = true,
                                 .make = make_driver<Ks48100>}};

}  // namespace

}  // namespace serialbattery::daren
