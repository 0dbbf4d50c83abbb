// Frames and payloads of JBD UP series boards; see lltjbd_up16s.hpp.
#include <fmt/format.h>

#include "bms/lltjbd_up16s.hpp"
#include "bms/modbus_rtu.hpp"

namespace serialbattery::up16s {

namespace {

using enum wire::Type;

constexpr std::size_t header_size = 6;  // address to end, repeated by the reply
constexpr std::size_t overhead = 10;
constexpr std::size_t longest_payload = 600;

bool is_function(std::uint8_t byte) {
  return byte == 0x45 || byte == 0x78 || byte == 0x79;
}

// A whole good frame at the front, of whomever; 0: there is none.
std::size_t frame_at(Bytes rest) {
  if (rest.size() < overhead || !is_function(rest[1])) return 0;
  const std::size_t length = wire::u16be(rest, header_size);
  if (length > longest_payload || rest.size() < length + overhead) return 0;
  return modbus::is_sealed(rest.first(length + overhead)) ? length + overhead : 0;
}

}  // namespace

ByteVector request(std::uint8_t address, const Range& range, Bytes payload) {
  ByteVector frame{address, static_cast<std::uint8_t>(range.function)};
  wire::put_u16be(frame, range.start);
  wire::put_u16be(frame, range.end);
  wire::put_u16be(frame, static_cast<unsigned>(payload.size()));
  frame.insert(frame.end(), payload.begin(), payload.end());
  return modbus::sealed(std::move(frame));
}

ByteVector soc_request(std::uint8_t address, double soc) {
  ByteVector payload{0x11, 0x4A, 0x42, 0x44};
  wire::put_u16be(payload, static_cast<unsigned>(std::lround(soc * 100)));
  return request(address, soc_write, payload);
}

Scan scan_reply(Bytes seen, Bytes request) {
  const bool write = request[1] == static_cast<std::uint8_t>(Function::write);
  bool damaged = false, incomplete = false, wrong_length = false, of_others = false;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    const Bytes rest = seen.subspan(at);
    const std::size_t common = std::min(rest.size(), header_size);
    if (std::equal(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(common), request.begin())) {
      if (rest.size() < header_size + 2) {
        // The beginning of a header, unless it is a single byte behind others: that may be anything.
        incomplete = incomplete || at == 0 || common >= 2;
        continue;
      }
      const std::size_t length = wire::u16be(rest, header_size);
      const bool echo = write ? length != 0 : length == 0;
      if (length > longest_payload) {
        wrong_length = true;
      } else if (rest.size() < length + overhead) {
        incomplete = true;
      } else if (!modbus::is_sealed(rest.first(length + overhead))) {
        damaged = true;
      } else if (echo) {
        wrong_length = wrong_length || !write;
        at += length + overhead - 1;
      } else {
        return Scan::found(at, at + length + overhead);
      }
    } else if (const std::size_t size = frame_at(rest)) {
      of_others = true;
      at += size - 1;
    }
  }
  const Fault fault = damaged                      ? Fault::checksum
                      : incomplete || wrong_length ? Fault::length
                      : of_others                  ? Fault::implausible
                                                   : Fault::timeout;
  return incomplete ? Scan::started(fault) : Scan::searching(fault);
}

Bytes payload_of(Bytes frame) {
  return frame.subspan(header_size + 2, frame.size() - overhead);
}

namespace {

constexpr wire::Field status_fields[] = {
    {0, u16be, 100, &Battery::voltage},   {4, u32be, 100, &Battery::current, 300000},
    {8, u16be, 100, &Battery::soc},       {10, u16be, 100, &Battery::capacity_remaining},
    {12, u16be, 100, &Battery::capacity},
};

constexpr auto warning = AlarmLevel::warning, alarm = AlarmLevel::alarm;
constexpr wire::AlarmBit event_bits[] = {
    // faults
    {0, Alarm::high_cell_voltage, alarm},
    {1, Alarm::low_cell_voltage, alarm},
    {2, Alarm::high_voltage, alarm},
    {3, Alarm::low_voltage, alarm},
    {4, Alarm::high_charge_current, alarm},
    {5, Alarm::high_charge_current, alarm},
    {6, Alarm::high_discharge_current, alarm},
    {7, Alarm::high_discharge_current, alarm},
    {8, Alarm::high_charge_temperature, alarm},
    {9, Alarm::low_charge_temperature, alarm},
    {10, Alarm::high_temperature, alarm},
    {11, Alarm::low_temperature, alarm},
    {12, Alarm::high_internal_temperature, alarm},
    {13, Alarm::high_temperature, alarm},        // ambient
    {14, Alarm::low_temperature, alarm},         // ambient
    {15, Alarm::cell_imbalance, alarm},          // voltages
    {16, Alarm::cell_imbalance, alarm},          // temperatures
    {17, Alarm::low_soc, alarm},                 //
    {18, Alarm::high_discharge_current, alarm},  // short circuit
    {19, Alarm::internal_failure, alarm},        // cell offline
    {20, Alarm::internal_failure, alarm},        // temperature sensor
    {21, Alarm::internal_failure, alarm},        // charge FET
    {22, Alarm::internal_failure, alarm},        // discharge FET
    {23, Alarm::internal_failure, alarm},        // current limiter
    {24, Alarm::internal_failure, alarm},        // aerosol
    {25, Alarm::high_voltage, warning},          // full
    {26, Alarm::internal_failure, alarm},        // front-end IC silent
    {27, Alarm::high_discharge_current, alarm},  // reverse connection
    // alarms
    {32, Alarm::high_cell_voltage, warning},
    {33, Alarm::low_cell_voltage, warning},
    {34, Alarm::high_voltage, warning},
    {35, Alarm::low_voltage, warning},
    {36, Alarm::high_charge_current, warning},
    {37, Alarm::high_discharge_current, warning},
    {38, Alarm::high_charge_temperature, warning},
    {39, Alarm::low_charge_temperature, warning},
    {40, Alarm::high_temperature, warning},
    {41, Alarm::low_temperature, warning},
    {42, Alarm::high_internal_temperature, warning},
    {43, Alarm::high_temperature, warning},  // ambient
    {44, Alarm::low_temperature, warning},   // ambient
    {45, Alarm::cell_imbalance, warning},    // voltages
    {46, Alarm::cell_imbalance, warning},    // temperatures
    {47, Alarm::low_soc, warning},
    {48, Alarm::internal_failure, alarm},  // EEPROM
    {49, Alarm::internal_failure, alarm},  // clock
    {50, Alarm::high_voltage, warning},    // full
};
enum SwitchBit : unsigned { discharge_on = 1U << 0U, charge_on = 1U << 1U, heater_on = 1U << 3U };

std::optional<double> temperature(unsigned raw) {
  const double celsius = (static_cast<double>(raw) - 500) / 10;
  return celsius < -40 || celsius > 120 ? std::nullopt : std::optional(celsius);
}

boost::json::value to_json(const std::optional<double>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

void require(bool good, Fault fault, const char* what) {
  if (!good) throw FrameError(fault, what);
}

std::string date_text(Bytes payload, std::size_t at) {
  return fmt::format("{:04}.{:02}.{:02}", wire::u16be(payload, at), wire::u16be(payload, at + 2), wire::u16be(payload, at + 4));
}

// Cells and sensors; returns the offset behind them.
std::size_t decode_cells(Bytes payload, Battery& battery) {
  require(payload.size() >= 68, Fault::length, "status is cut");
  const std::size_t cells = wire::u16be(payload, 66);
  require(cells >= 1 && cells <= 32, Fault::implausible, "number of cells outside 1..32");
  const std::size_t at_sensors = 68 + 2 * cells;
  const std::size_t sensors = wire::u16be(payload, at_sensors);
  require(sensors <= 16, Fault::implausible, "more than 16 temperature sensors");
  const std::size_t tail = at_sensors + 2 + 2 * sensors;
  require(payload.size() >= tail, Fault::length, "fewer values than announced");

  battery.cell_count = static_cast<unsigned>(cells);
  battery.cells.assign(cells, {});
  double sum = 0;
  for (std::size_t i = 0; i < cells; ++i) sum += *(battery.cells[i].voltage = wire::u16be(payload, 68 + 2 * i) / 1000.0);
  require(std::abs(*battery.voltage - sum) <= std::max(1.0, 0.05 * sum), Fault::implausible, "pack voltage contradicts the cells");
  for (std::size_t i = 0; i < battery.temperatures.size(); ++i)
    battery.temperatures[i] = i < sensors ? temperature(wire::u16be(payload, at_sensors + 2 + 2 * i)) : std::nullopt;
  return tail;
}

// Optional on some firmware: balancing, version, serial number.
void decode_tail(Bytes payload, std::size_t tail, Pack& pack, Battery& battery, boost::json::object& details) {
  battery.balancing.reset();
  if (payload.size() >= tail + 4) {
    const unsigned balancing = wire::u16be(payload, tail + 2);
    battery.balancing = balancing != 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(battery.cells.size(), 16); ++i)
      battery.cells[i].balancing = ((balancing >> i) & 1U) != 0;
  }
  if (payload.size() >= tail + 6) {
    const unsigned version = wire::u16be(payload, tail + 4);
    // The master knows only the minor number of its slaves.
    pack.firmware = version < 256 ? std::to_string(version) : fmt::format("{}.{}", version >> 8U, version & 0xFFU);
  }
  if (payload.size() >= tail + 36) pack.serial = wire::text(payload.subspan(tail + 6, 30));
  details["pack_serial_number"] = pack.serial;
}

}  // namespace

void decode_status(Bytes payload, const Config& config, Pack& pack, Battery& battery, boost::json::object& details) {
  require(payload.size() >= 68, Fault::length, "status is cut");
  wire::decode(status_fields, payload, battery);
  require(*battery.soc <= 100, Fault::implausible, "SoC above 100 %");
  require(std::abs(*battery.current) <= 3000, Fault::implausible, "current outside -3000..3000 A");
  const std::size_t tail = decode_cells(payload, battery);
  pack.status_soc = *battery.soc;
  pack.rated = wire::u16be(payload, 14) / 100.0;
  battery.mos_temperature = temperature(wire::u16be(payload, 16));
  battery.soh = std::min<double>(wire::u16be(payload, 22), 100);
  battery.history[HistoryValue::charge_cycles] = wire::u16be(payload, 36);

  wire::decode_alarms(event_bits, wire::u32be(payload, 24) | (std::uint64_t{wire::u32be(payload, 28)} << 32U), battery.alarms);
  if (config.soc_calculation) battery.alarms[Alarm::low_soc] = AlarmLevel::ok;
  const unsigned switches = wire::u16be(payload, 32);
  battery.discharge_fet = (switches & discharge_on) != 0;
  battery.charge_fet = (switches & charge_on) != 0;
  battery.heater.active = (switches & heater_on) != 0;
  decode_tail(payload, tail, pack, battery, details);

  const double cvl = wire::u16be(payload, 58) / 10.0, dvl = wire::u16be(payload, 62) / 10.0;
  pack.stated = {wire::u16be(payload, 60) / 10.0, wire::u16be(payload, 64) / 10.0};
  battery.limits.charge_voltage = cvl > 0 ? std::optional(cvl) : std::nullopt;
  battery.limits.low_voltage = dvl > 0 ? std::optional(dvl) : std::nullopt;
  details["bms_limits"] = {{"cvl", cvl}, {"ccl", *pack.stated.charge}, {"dvl", dvl}, {"dcl", *pack.stated.discharge}};
  details["rated_capacity"] = *pack.rated;
  details["operation_status"] = wire::u16be(payload, 20);
  details["temperatures"] = {{"ambient", to_json(temperature(wire::u16be(payload, 18)))}};
}

void decode_counters(Bytes payload, std::uint16_t start, Pack& pack, Battery& battery, boost::json::object& details) {
  const std::size_t first = start - 0x2000U;
  require(payload.size() >= (first == 0 ? 50U : 18U), Fault::length, "counters are cut");
  const auto word = [&](std::size_t at) { return wire::u16be(payload, at - first); };
  if (first == 0) {  // whole block, only in recordings
    pack.rated = word(0) / 100.0;
    details["rated_capacity"] = *pack.rated;
    battery.capacity = word(2) / 100.0;
    battery.capacity_remaining = word(4) / 100.0;
    battery.soh = std::min<double>(word(8), 100);
    battery.history[HistoryValue::charge_cycles] = word(10);
    details["bms_limits"] = {{"cvl", word(42) / 10.0}, {"ccl", word(44) / 10.0}, {"dvl", word(46) / 10.0}, {"dcl", word(48) / 10.0}};
  }
  const double soc = word(6) / 100.0;
  require(soc <= 100, Fault::implausible, "SoC above 100 %");
  battery.soc = soc;
  battery.history[HistoryValue::total_ah_drawn] = wire::u32be(payload, 20 - first) / 10.0;
  details["total_ah_charged"] = wire::u32be(payload, 16 - first) / 10.0;
}

void decode_individual(Bytes payload, Pack& pack, boost::json::object& details) {
  require(payload.size() >= 66, Fault::length, "individual status is cut");
  const std::size_t cells = wire::u16be(payload, 0);
  require(cells >= 1 && cells <= 16, Fault::implausible, "number of cells outside 1..16");
  boost::json::array voltages;
  for (std::size_t i = 0; i < cells; ++i) voltages.emplace_back(wire::u16be(payload, 2 + 2 * i) / 1000.0);
  const auto celsius = [&](std::size_t at) { return (wire::u16be(payload, at) - 2731) / 10.0; };
  const unsigned switches = wire::u16be(payload, 62);
  details["individual"] = {{"voltage", wire::u16be(payload, 38) / 100.0},
                           {"current", static_cast<std::int32_t>(wire::u32be(payload, 40)) / 100.0},
                           {"capacity", wire::u16be(payload, 48) / 100.0},
                           {"capacity_remaining", wire::u16be(payload, 50) / 100.0},
                           {"cycles", wire::u16be(payload, 52)},
                           {"soc", wire::u16be(payload, 54)},
                           {"soh", wire::u16be(payload, 56)},
                           {"cell_voltages", std::move(voltages)},
                           {"max_cell_voltage", wire::u16be(payload, 34) / 1000.0},
                           {"min_cell_voltage", wire::u16be(payload, 36) / 1000.0},
                           {"max_temperature", celsius(44)},
                           {"min_temperature", celsius(46)},
                           {"charge_fet", (switches & charge_on) != 0},
                           {"discharge_fet", (switches & discharge_on) != 0}};
  pack.own = {};
  if (payload.size() >= 100) pack.own = {wire::u16be(payload, 96) / 10.0, wire::u16be(payload, 98) / 10.0};  // older firmware: unknown
  details["individual_limits"] = {{"ccl", to_json(pack.own.charge)}, {"dcl", to_json(pack.own.discharge)}};
}

void decode_factory(Bytes payload, Pack& pack, Battery& battery, boost::json::object& details) {
  require(payload.size() >= 118, Fault::length, "factory data are cut");
  pack.board_serial = wire::text(payload.subspan(16, 30));
  pack.bms_date = date_text(payload, 46);
  pack.pack_date = date_text(payload, 82);
  battery.heater.start = temperature(wire::u16be(payload, 8));
  battery.heater.stop = temperature(wire::u16be(payload, 10));
  battery.identity.custom_field = wire::text(payload.subspan(88, 30));
  battery.identity.production_date = pack.pack_date;
  details["bms_model_and_serial"] = pack.board_serial;
  details["bms_date"] = pack.bms_date;
  details["pack_date"] = pack.pack_date;
  details["device_name"] = battery.identity.custom_field;
  details["balance_start_voltage"] = wire::u16be(payload, 4) / 1000.0;
  details["balance_difference"] = wire::u16be(payload, 6) / 1000.0;
  details["heater_start"] = to_json(battery.heater.start);
  details["heater_stop"] = to_json(battery.heater.stop);
  details["full_charge_voltage"] = wire::u16be(payload, 12) / 100.0;
  details["full_charge_current"] = wire::u16be(payload, 14) / 100.0;
}

void decode_product(Bytes payload, Pack& pack, boost::json::object& details) {
  require(payload.size() >= 44, Fault::length, "product information is cut");
  const unsigned model_id = wire::u16be(payload, 0), revision = wire::u16be(payload, 2);
  const std::string firmware = fmt::format("{}.{}.{}", wire::u16be(payload, 4), wire::u16be(payload, 6), wire::u16be(payload, 8));
  const std::string model = wire::text(payload.subspan(12, 16)), project = wire::text(payload.subspan(28, 16));
  pack.product = fmt::format("{} {}, model {}, HW rev {}, FW v{}", project, model, model_id, revision, firmware);
  details["model_id"] = model_id;
  details["hardware_revision"] = revision;
  details["full_firmware"] = firmware;
  details["model"] = model;
  details["project"] = project;
}

void decode_protections(Bytes payload, boost::json::object& details) {
  const auto value = [&](std::size_t at, double per_unit) { return wire::u16be(payload, at) / per_unit; };
  details["payload_length"] = payload.size();
  details["registers"] = {{"cell_ovp_alarm", value(0, 1000)},
                          {"cell_ovp_protect", value(6, 1000)},
                          {"cell_uvp_alarm", value(12, 1000)},
                          {"cell_uvp_protect", value(18, 1000)},
                          {"pack_ovp_alarm", value(24, 100)},
                          {"pack_uvp_alarm", value(36, 100)},
                          {"charge_oc_alarm", value(48, 10)},
                          {"discharge_oc_alarm", value(68, 10)},
                          {"charge_ot_alarm", to_json(temperature(wire::u16be(payload, 88)))},
                          {"charge_ut_alarm", to_json(temperature(wire::u16be(payload, 100)))}};
}

}  // namespace serialbattery::up16s
