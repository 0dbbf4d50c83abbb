// Boards of Daren (DR-1363), under their own name (Daren485) and as KS48100: the contents are the same, the envelopes differ a little.
#pragma once

#include <array>

#include "bms/yd1363_driver.hpp"

namespace serialbattery::daren {

enum Command : std::uint8_t { reading = 0x42, parameters = 0x47, protocol = 0x4F, names = 0x51, production = 0xB0 };
constexpr unsigned most_cells = 32;
enum Module : std::uint8_t { serial_numbers = 0x03, counters = 0x04 };

/// In what one maker's boards differ.
struct Variant {
  yd1363::Dialect dialect;
  std::string_view type;      // for identifiers of boards without a serial number
  std::size_t required;       // a reading that ends within so many bytes behind the temperatures is refused
  unsigned ignored_warnings;  // bits of the warning word without a meaning
  bool unit_of_current;       // two flags may say that the current is in 0.1 A
};

class DarenDriver : public yd1363::YdDriver {
 public:
  DarenDriver(const DriverContext& context, const Variant& variant) : YdDriver(context, variant.dialect), variant_(variant) {}

 protected:
  asio::awaitable<void> poll(Battery& next) override;
  void decode(const yd1363::Message& asked, const yd1363::Message& answer, Battery& into) override;

  /// The question for a command in the form that this battery understands.
  [[nodiscard]] virtual yd1363::Message ask_for(std::uint8_t command) const;
  [[nodiscard]] virtual yd1363::Message ask_for_module(Module module) const;
  /// Everything behind the first reading: parameters, names, counters. All of it may be missing.
  asio::awaitable<void> read_settings(Battery& found);
  void forget();

  std::uint8_t group_ = 0x01;  // INFO of 42 and 47

 private:
  void decode_reading(Reader reader, Battery& into);
  void decode_tail(Reader reader, std::int16_t current, Battery& into);
  bool is_coarse(std::optional<unsigned> flag, std::optional<unsigned> currents);
  void decode_balancing(std::optional<unsigned> low, std::optional<unsigned> high, Battery& into);
  void decode_parameters(Reader reader, Battery& into);
  void decode_names(Reader reader, Battery& into);
  void decode_production(Reader reader, Battery& into);
  void decode_serial_numbers(Reader reader, Battery& into);
  void decode_counters(Reader reader, Battery& into);
  void set_limits(Battery& into) const;
  void set_identifier(Battery& into);

  const Variant variant_;
  std::optional<double> charge_limit_;  // A
  std::string barcode_;                 // of the BMS
  std::array<TimePoint, 32> balancing_until_{};
  TimePoint settings_due_{};
  bool unit_doubt_told_ = false;
};

}  // namespace serialbattery::daren
