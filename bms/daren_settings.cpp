// What Daren boards tell besides their readings: parameters, names, serial numbers, counters; see daren.hpp.
//
// Counters of energy overflow in some packs: they are used when they fit the counters of charge. Serial numbers and bar codes that were
// never set read FF or 00.
#include <algorithm>

#include "bms/daren.hpp"

namespace serialbattery::daren {

namespace {

bool is_unset(Bytes raw) {
  return std::ranges::all_of(raw, [](std::uint8_t byte) { return byte == 0x00 || byte == 0xFF; });
}

std::string text_if_set(Bytes raw) {
  return is_unset(raw) ? std::string{} : wire::text(raw);
}

// kWh, unless the counter can't belong to that of the charge (Ah).
std::optional<double> energy(double tenths_of_kwh, double ampere_hours, unsigned cells) {
  if (ampere_hours < 10 || cells == 0) return std::nullopt;
  const double volts_per_cell = tenths_of_kwh * 100 / ampere_hours / cells;
  return volts_per_cell >= 2.0 && volts_per_cell <= 3.8 ? std::optional(tenths_of_kwh / 10) : std::nullopt;
}

}  // namespace

void DarenDriver::decode_parameters(Reader reader, Battery& into) {
  reader.take(15);  // flag, limits that differ between firmwares
  const unsigned count = reader.u16();
  set_cell_count(into, count, 1, most_cells);
  const double limit = reader.u16() / 100.0;
  note()["design_capacity"] = reader.u16() / 100.0;
  reader.take(4);  // interval of the log, balance mode
  const std::string product = text_if_set(reader.take(20));
  barcode_ = text_if_set(reader.take(20));
  if (!product.empty()) note()["product_barcode"] = product;
  if (!barcode_.empty()) note()["bms_barcode"] = barcode_;
  charge_limit_ = limit;
  set_limits(into);
}

// The BMS tells one limit, that of charging; earlier drivers used it for both directions.
void DarenDriver::set_limits(Battery& into) const {
  const auto unless_off = [this](const std::optional<bool>& fet) {
    return fet == false && charge_limit_ ? std::optional(0.0) : charge_limit_;
  };
  into.limits.charge_current = unless_off(into.charge_fet);
  into.limits.discharge_current = unless_off(into.discharge_fet);
}

void DarenDriver::decode_names(Reader reader, Battery& into) {
  require(reader.left() >= 33 && reader.left() <= 48, "answer to another question");
  const std::string hardware = wire::text(reader.take(10)), product = wire::text(reader.take(10)), project = wire::text(reader.take(10));
  const unsigned major = reader.u8(), minor = reader.u8(), patch = reader.u8();
  into.identity.firmware_version = fmt::format("{:02X}.{:02X}.{:02X}", major, minor, patch);
  into.identity.hardware_version = fmt::format("{} {} {} {} ", product, project, hardware, into.identity.firmware_version);
  note()["hardware_type"] = hardware;
  note()["product_code"] = product;
  note()["project_code"] = project;
}

void DarenDriver::decode_production(Reader reader, Battery& into) {
  const Bytes head = reader.take(6);
  if (head[3] == serial_numbers) return decode_serial_numbers(reader, into);
  require(head[3] == counters, "answer to another question");
  decode_counters(reader, into);
}

void DarenDriver::decode_serial_numbers(Reader reader, Battery& into) {
  const Bytes pack = reader.take(30);
  reader.take(60);  // product, BMS
  const unsigned year = reader.u8(), month = reader.u8(), day = reader.u8();
  const std::string maker = text_if_set(reader.take(20));
  if (month >= 1 && month <= 12 && day >= 1 && day <= 31)
    into.identity.production_date = fmt::format("{}-{:02}-{:02}", 2000 + year, month, day);
  into.identity.manufacturer = maker;
  if (is_unset(pack)) return;
  constexpr std::size_t used = 15;  // of the 30, as earlier drivers did; blanks and NULs at the end count
  into.identity.serial_number = wire::text(pack.first(used));
  const auto id = [pack](std::size_t length) {
    std::string text(pack.begin(), pack.begin() + static_cast<std::ptrdiff_t>(length));
    std::ranges::replace_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }, '_');
    return text;
  };
  into.identity.unique_id = own_identifier(id(used), id(pack.size()));
}

void DarenDriver::set_identifier(Battery& into) {
  if (!into.identity.unique_id.empty()) return;
  into.identity.unique_id =
      barcode_.empty() ? fmt::format("{}_0x{:02X}_{}Ah", variant_.type, address(), wire::decimal(into.capacity.value_or(0))) : barcode_;
}

void DarenDriver::decode_counters(Reader reader, Battery& into) {
  const double remaining = reader.u16() / 100.0, full = reader.u16() / 100.0;
  note()["design_capacity"] = reader.u16() / 100.0;
  const double charged = reader.u32(), discharged = reader.u32();
  const double energy_in = reader.u16(), energy_out = reader.u16();
  if (!into.capacity_remaining) into.capacity_remaining = remaining;
  if (!into.capacity && full > 0) into.capacity = full;
  note()["total_ah_charged"] = charged;
  into.history[HistoryValue::total_ah_drawn] = discharged;
  const unsigned cells = into.cell_count.value_or(16);
  const auto in = energy(energy_in, charged, cells), out = energy(energy_out, discharged, cells);
  const bool both = in && out;
  into.history[HistoryValue::charged_energy] = both ? in : std::nullopt;
  into.history[HistoryValue::discharged_energy] = both ? out : std::nullopt;
}

}  // namespace serialbattery::daren
