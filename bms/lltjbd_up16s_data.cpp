// The payloads of JBD UP series boards; see lltjbd_up16s.hpp.
#include <fmt/format.h>

#include "bms/content.hpp"
#include "bms/lltjbd_up16s.hpp"
#include "serialbattery/driver.hpp"

namespace serialbattery::up16s {

namespace {

using enum wire::Type;

constexpr wire::Field status_fields[] = {
    {0, u16be, 100, &Battery::voltage},   {4, u32be, 100, &Battery::current, 300000},
    {8, u16be, 100, &Battery::soc},       {10, u16be, 100, &Battery::capacity_remaining},
    {12, u16be, 100, &Battery::capacity},
};

using wire::bits;

// Faults in bits 0 to 31, alarms in bits 32 to 63.
constexpr wire::AlarmBits event_table[] = {
    // alarm, bits that warn of it, bits that raise it
    {Alarm::high_cell_voltage, bits(32), bits(0)},
    {Alarm::low_cell_voltage, bits(33), bits(1)},
    {Alarm::high_voltage, bits(34, 25, 50), bits(2)},  // 25, 50: full
    {Alarm::low_voltage, bits(35), bits(3)},
    {Alarm::high_charge_current, bits(36), bits(4, 5)},
    {Alarm::high_discharge_current, bits(37), bits(6, 7, 18, 27)},  // 18: short circuit, 27: reverse connection
    {Alarm::high_charge_temperature, bits(38), bits(8)},
    {Alarm::low_charge_temperature, bits(39), bits(9)},
    {Alarm::high_temperature, bits(40, 43), bits(10, 13)},  // cells, ambient
    {Alarm::low_temperature, bits(41, 44), bits(11, 14)},   // cells, ambient
    {Alarm::high_internal_temperature, bits(42), bits(12)},
    {Alarm::cell_imbalance, bits(45, 46), bits(15, 16)},  // voltages, temperatures
    {Alarm::low_soc, bits(47), bits(17)},
    {Alarm::internal_failure, bits(), bits(19, 20, 21, 22, 23, 24, 26, 48, 49)},
};
enum SwitchBit : unsigned { discharge_on = 1U << 0U, charge_on = 1U << 1U, heater_on = 1U << 3U };

std::optional<double> temperature(Bytes payload, std::size_t at) {
  return wire::within((static_cast<double>(wire::u16be(payload, at)) - 500) / 10, -40, 120);
}

std::string date_text(Bytes payload, std::size_t at) {
  return fmt::format("{:04}.{:02}.{:02}", wire::u16be(payload, at), wire::u16be(payload, at + 2), wire::u16be(payload, at + 4));
}

// Cells and sensors; returns the offset behind them.
std::size_t decode_cells(Bytes payload, Battery& battery) {
  require(payload.size() >= 68, "status is cut", Fault::length);
  const std::size_t cells = wire::u16be(payload, 66);
  set_cell_count(battery, cells, 1, 32);
  const std::size_t at_sensors = 68 + 2 * cells;
  const std::size_t sensors = wire::u16be(payload, at_sensors);
  require(sensors <= 16, "more than 16 temperature sensors");
  const std::size_t tail = at_sensors + 2 + 2 * sensors;
  require(payload.size() >= tail, "fewer values than announced", Fault::length);

  battery.cells.assign(cells, {});
  double sum = 0;
  for (std::size_t i = 0; i < cells; ++i) sum += *(battery.cells[i].voltage = wire::u16be(payload, 68 + 2 * i) / 1000.0);
  require(std::abs(*battery.voltage - sum) <= std::max(1.0, 0.05 * sum), "pack voltage contradicts the cells");
  for (std::size_t i = 0; i < battery.temperatures.size(); ++i)
    battery.temperatures[i] = i < sensors ? temperature(payload, at_sensors + 2 + 2 * i) : std::nullopt;
  return tail;
}

// Optional on some firmware: balancing, version, serial number.
void decode_tail(Bytes payload, std::size_t tail, Pack& pack, Battery& battery, boost::json::object& details) {
  battery.balancing.reset();
  if (payload.size() >= tail + 4) set_balancing(battery, wire::u16be(payload, tail + 2), 16);
  if (payload.size() >= tail + 6) {
    const unsigned version = wire::u16be(payload, tail + 4);
    // The master knows only the minor number of its slaves.
    pack.firmware = version < 256 ? std::to_string(version) : fmt::format("{}.{}", version >> 8U, version & 0xFFU);
  }
  if (payload.size() >= tail + 36) pack.serial = wire::text(payload.subspan(tail + 6, 30));
  details["pack_serial_number"] = pack.serial;
}

}  // namespace

void decode_status(Bytes payload, Pack& pack, Battery& battery, boost::json::object& details) {
  require(payload.size() >= 68, "status is cut", Fault::length);
  wire::decode(status_fields, payload, battery);
  require(*battery.soc <= 100, "SoC above 100 %");
  require(std::abs(*battery.current) <= 3000, "current outside -3000..3000 A");
  const std::size_t tail = decode_cells(payload, battery);
  pack.status_soc = *battery.soc;
  pack.rated = wire::u16be(payload, 14) / 100.0;
  battery.mos_temperature = temperature(payload, 16);
  battery.soh = std::min<double>(wire::u16be(payload, 22), 100);
  battery.history[HistoryValue::charge_cycles] = wire::u16be(payload, 36);

  wire::decode_alarms(event_table, wire::u32be(payload, 24) | (std::uint64_t{wire::u32be(payload, 28)} << 32U), battery.alarms);
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
  details["temperatures"] = {{"ambient", or_null(temperature(payload, 18))}};
}

void decode_counters(Bytes payload, std::uint16_t start, Pack& pack, Battery& battery, boost::json::object& details) {
  const std::size_t first = start - std::size_t{counters_and_more};
  require(payload.size() >= (first == 0 ? 50U : 18U), "counters are cut", Fault::length);
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
  require(soc <= 100, "SoC above 100 %");
  battery.soc = soc;
  battery.history[HistoryValue::total_ah_drawn] = wire::u32be(payload, 20 - first) / 10.0;
  details["total_ah_charged"] = wire::u32be(payload, 16 - first) / 10.0;
}

void decode_individual(Bytes payload, Pack& pack, boost::json::object& details) {
  require(payload.size() >= 66, "individual status is cut", Fault::length);
  const std::size_t cells = wire::u16be(payload, 0);
  require(cells >= 1 && cells <= 16, "number of cells outside 1..16");
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
  details["individual_limits"] = {{"ccl", or_null(pack.own.charge)}, {"dcl", or_null(pack.own.discharge)}};
}

void decode_factory(Bytes payload, Pack& pack, Battery& battery, boost::json::object& details) {
  require(payload.size() >= 118, "factory data are cut", Fault::length);
  pack.board_serial = wire::text(payload.subspan(16, 30));
  pack.bms_date = date_text(payload, 46);
  pack.pack_date = date_text(payload, 82);
  battery.heater.start = temperature(payload, 8);
  battery.heater.stop = temperature(payload, 10);
  battery.identity.custom_field = wire::text(payload.subspan(88, 30));
  battery.identity.production_date = pack.pack_date;
  details["bms_model_and_serial"] = pack.board_serial;
  details["bms_date"] = pack.bms_date;
  details["pack_date"] = pack.pack_date;
  details["device_name"] = battery.identity.custom_field;
  details["balance_start_voltage"] = wire::u16be(payload, 4) / 1000.0;
  details["balance_difference"] = wire::u16be(payload, 6) / 1000.0;
  details["heater_start"] = or_null(battery.heater.start);
  details["heater_stop"] = or_null(battery.heater.stop);
  details["full_charge_voltage"] = wire::u16be(payload, 12) / 100.0;
  details["full_charge_current"] = wire::u16be(payload, 14) / 100.0;
}

void decode_product(Bytes payload, Pack& pack, boost::json::object& details) {
  require(payload.size() >= 44, "product information is cut", Fault::length);
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
                          {"charge_ot_alarm", or_null(temperature(payload, 88))},
                          {"charge_ut_alarm", or_null(temperature(payload, 100))}};
}

void name(const Pack& pack, Battery& battery) {
  Identity& identity = battery.identity;
  identity.firmware_version = pack.firmware;
  identity.serial_number = pack.serial;
  if (!pack.product.empty() && !pack.bms_date.empty()) {
    identity.hardware_version = fmt::format("{}, BMS {}, Pack {}", pack.product, pack.bms_date, pack.pack_date);
  } else if (battery.cell_count) {
    identity.hardware_version = fmt::format("JBD UP {}S, FW ver {}", *battery.cell_count, pack.firmware);
  }
  if (!pack.board_serial.empty()) {
    identity.unique_id = pack.board_serial;
  } else if (pack.rated) {
    identity.unique_id = fmt::format("{}_{}", pack.serial, wire::decimal(*pack.rated));
  }
}

}  // namespace serialbattery::up16s
