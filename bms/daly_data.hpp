// The data of Daly's commands, the same over the serial line and CAN: eight bytes d0..d7 each, big endian.
//
// Answers of several frames number them in d0, from 1. Bytes that the document calls reserved hold leftovers of the answer before.
// Sources: Daly "UART/RS485 Communications Protocol" V1.0 and V1.2, HAIDI protocol V4.0, captures of R32, R24T and JHB boards.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "serialbattery/battery.hpp"
#include "serialbattery/config.hpp"
#include "serialbattery/driver.hpp"
#include "serialbattery/wire.hpp"

namespace serialbattery::daly {

enum Command : std::uint8_t {
  set_soc = 0x21,
  rated = 0x50,
  battery_info = 0x53,
  battery_code = 0x57,
  software = 0x62,
  hardware = 0x63,
  pack = 0x90,
  cell_extremes = 0x91,
  temperature_extremes = 0x92,
  state = 0x93,
  status = 0x94,
  cell_voltages = 0x95,
  temperatures = 0x96,
  balancing = 0x97,
  faults = 0x98,
  discharge_fet = 0xD9,
  charge_fet = 0xDA,
};

constexpr std::size_t data_size = 8;      // bytes in a frame
constexpr std::size_t numbered_size = 7;  // of which a numbered frame has these for content
constexpr unsigned most_cells = 48;

/// What is known of a board beside the battery model; decides how its answers are read.
struct Board {
  struct Extreme {
    std::uint8_t raw = 0;  // degrees Celsius + 40
    unsigned sensor = 0;   // from 1
  };
  unsigned sensors = 0;                        // temperature sensors
  Extreme hottest, coldest;                    // of 0x92
  std::optional<ByteVector> each;              // of 0x96: raw, by sensor
  std::uint8_t own_temperature = 0;            // of 0x94: raw; a leftover byte on classic boards
  std::string hardware;                        // of 0x63
  unsigned flow = 0;                           // of 0x93: 0 idle, 1 charging, 2 discharging
  [[nodiscard]] bool active_balancer() const;  // newer boards, which also have a temperature of their own
};

/// Number of numbered frames that answer `command`; 0: one frame without number.
unsigned numbered_frames(Command command, const Battery& battery, const Board& board);

/// `data`: d0..d7, or d1..d7 of all numbered frames in order. Throws FrameError(implausible) and leaves `next` as it was.
void decode(Command command, Bytes data, const Config& config, Board& board, Battery& next, boost::json::object& details);

/// Faults of 0x98, d0 to d6 in one word, and what the log says of those that no alarm names.
inline std::uint64_t fault_word(Bytes data) {
  return wire::word_of(data.first(7));
}
inline constexpr NamedBit fault_names[] = {
    {26, "temperatures differ"},
    {27, "temperatures differ too much"},
    {34, "temperature sensor of the charge MOSFET broken"},
    {35, "temperature sensor of the discharge MOSFET broken"},
    {36, "charge MOSFET stuck on"},
    {37, "discharge MOSFET stuck on"},
    {38, "charge MOSFET open"},
    {39, "discharge MOSFET open"},
    {40, "front end broken"},
    {41, "cell wire lost"},
    {42, "cell temperature sensor broken"},
    {43, "EEPROM broken"},
    {44, "clock broken"},
    {45, "pre-charge failed"},
    {46, "nobody else talks to the BMS (normal without a display)"},
    {47, "internal communication broken"},
    {48, "current module broken"},
    {49, "pack voltage measurement broken"},
    {50, "short circuit"},
    {51, "a cell is far too low, charging forbidden"},
};
constexpr std::uint64_t quiet_faults = 0x0010'0003'03FF'FFFF;  // what an alarm says; 20, 21: SoC high; 52: a MOSFET was switched by command

/// The identifier of the battery on the serial line, from what is known of it.
void name(Battery& battery);

/// Content of set_soc; a clock that was never set is sent as zeros. `percent`: 0..100.
std::array<std::uint8_t, data_size> soc_data(double percent, std::chrono::system_clock::time_point clock);

}  // namespace serialbattery::daly
