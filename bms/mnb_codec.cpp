// MAX17853 on SPI. One access is one transfer of 32 bits, bit 31 first:
//
//          31     30..23    22..20  19..4  3      2..0
//   out    read   register  CRC-A   data   read   CRC-D      CRC-A over bits 31..23, CRC-D over the data
//   in     flags (31..27) ...       data   ok     CRC        the rule of the CRC coming in is not proven: counted, not enforced
//
// CRC: 3 bits, x^3 + x + 1, starts at 0. Measurements have 14 bits, left-justified.
#include "bms/mnb.hpp"

#include <boost/crc.hpp>
#include <cmath>

#include "serialbattery/errors.hpp"

namespace serialbattery::mnb {

namespace {

unsigned crc3(unsigned value, unsigned bits) {
  boost::crc_basic<3> crc(0x3);
  for (unsigned bit = bits; bit-- > 0;) crc.process_bit(((value >> bit) & 1U) != 0);
  return crc.checksum();
}

constexpr double full_scale = 16384;  // counts
double counts(std::uint16_t raw) {
  return raw >> 2U;
}
double input_volts(std::uint16_t raw) {
  return counts(raw) * 5 / full_scale;
}
double amperes(std::uint16_t raw) {
  return (input_volts(raw) - 2.5) / sense_volts_per_ampere + sense_offset;
}
double die_celsius(std::uint16_t raw) {
  return counts(raw) / full_scale * 2.3077 / 0.0032 + 8.3 - 273;
}
double sensor_celsius(std::uint16_t raw) {
  return std::log(16383 / (counts(raw) + 1)) / 0.01998 - 12.74;
}

// Bits of status1, status2 << 16 and fmea1 << 32. All stay set until they are cleared.
using wire::bits;
constexpr wire::AlarmBits alarm_table[] = {
    {Alarm::high_charge_temperature, 0, bits(7)},  // a sensor below its voltage
    {Alarm::low_charge_temperature, 0, bits(8)},
    {Alarm::low_voltage, 0, bits(9)},
    {Alarm::high_voltage, 0, bits(10)},
    {Alarm::low_cell_voltage, 0, bits(11)},
    {Alarm::high_cell_voltage, 0, bits(12)},
    {Alarm::cell_imbalance, 0, bits(13)},  // more than 0.1 V
    // Warning: the balancer. Alarm: calibration; SPI interrupt, 16 MHz clock, SPI clock; HV regulator, ground.
    {Alarm::internal_failure, bits(2), bits(3) | bits(16 + 4, 16 + 5, 16 + 6) | bits(32 + 2, 32 + 3, 32 + 4, 32 + 5, 32 + 6)},
};
constexpr unsigned interface_alert = 1U << 4U;  // status1, together with
constexpr unsigned interface_causes = 0x00D0;   // status2

void decode_cells(const Image& image, Battery& into) {
  into.cell_count = static_cast<unsigned>(cell_count);
  into.cells.resize(cell_count);
  double sum = 0;
  bool complete = true;
  for (std::size_t i = 0; i < cell_count; ++i) {
    const auto raw = image[first_cell + i];
    complete = complete && raw;
    if (!raw) continue;
    into.cells[i].voltage = wire::within(input_volts(*raw), 0.5, 4.9);
    require(into.cells[i].voltage.has_value(), "MNB: cell outside 0.5..4.9 V");
    sum += *into.cells[i].voltage;
  }
  if (complete) into.voltage = sum;
}

void decode_temperatures(const Image& image, Battery& into) {
  const auto sensor = [&](std::size_t i) -> std::optional<double> {
    const auto raw = image[first_sensor + i];
    return raw ? wire::within(sensor_celsius(*raw), -40, 120) : std::nullopt;
  };
  for (std::size_t pair = 0; pair < sensor_count / 2; ++pair) {
    const auto a = sensor(2 * pair), b = sensor(2 * pair + 1);
    into.temperatures[pair] = a && b ? (*a + *b) / 2 : a ? a : b;
  }
  if (const auto raw = image[die]) into.temperatures[sensor_count / 2] = wire::within(die_celsius(*raw), -40, 150);
}

void decode_status(const Image& image, Alarms& alarms) {
  const auto word = [&](std::uint8_t reg) { return std::uint64_t{image[reg].value_or(0)}; };
  if (!image[status1] && !image[status2] && !image[fmea1]) return;
  wire::decode_alarms(alarm_table, word(status1) | word(status2) << 16U | word(fmea1) << 32U, alarms);
  if ((word(status1) & interface_alert) != 0 && (word(status2) & interface_causes) != 0)
    wire::raise(alarms, Alarm::internal_failure, AlarmLevel::warning);
}

}  // namespace

Frame encode(const Access& access) {
  const unsigned read = access.kind == Access::Kind::read ? 1 : 0;
  const unsigned head = read << 8U | access.reg;
  const std::uint32_t word = head << 23U | crc3(head, 9) << 20U | std::uint32_t{access.data} << 4U | read << 3U | crc3(access.data, 16);
  return {static_cast<std::uint8_t>(word >> 24U), static_cast<std::uint8_t>(word >> 16U), static_cast<std::uint8_t>(word >> 8U),
          static_cast<std::uint8_t>(word)};
}

std::optional<Access> parse(Bytes frame) {
  if (frame.size() != Frame().size()) return std::nullopt;
  const std::uint32_t word = wire::u32be(frame, 0);
  const Access access{(word >> 31U) != 0 ? Access::Kind::read : Access::Kind::write, static_cast<std::uint8_t>(word >> 23U),
                      static_cast<std::uint16_t>(word >> 4U)};
  return std::ranges::equal(encode(access), frame) ? std::optional(access) : std::nullopt;
}

Reply parse_reply(Bytes frame) {
  const std::uint32_t word = wire::u32be(frame, 0);
  const auto data = static_cast<std::uint16_t>(word >> 4U);
  return {word >> 27U, data, crc3(data, 16) == (word & 7U)};
}

bool is_dead_bus(std::uint16_t version) {
  return version == 0x0000 || version == 0xFFFF;
}

bool is_known_chip(std::uint16_t version) {
  const unsigned model = version >> 4U;
  return model >= 0x852 && model <= 0x854;
}

double block_volts(std::uint16_t raw) {
  return counts(raw) * 65 / full_scale;
}

double total_volts(std::uint16_t raw) {
  return raw * 0.00122;
}

void decode(const Image& image, Battery& into) {
  decode_cells(image, into);
  if (const auto raw = image[current_sense]) {
    into.current = wire::within(amperes(*raw), -110, 110);
    require(into.current.has_value(), "MNB: current outside -110..110 A");
  }
  decode_temperatures(image, into);
  decode_status(image, into.alarms);
}

}  // namespace serialbattery::mnb
