// See jkbms_pb_content.hpp.
#include "simulator/jkbms_pb_content.hpp"

#include "simulator/encode.hpp"

namespace serialbattery::simulator::jkbms_pb {

namespace {

constexpr NamedBit alarm_bits[] = {
    {0, "wire_resistance"},
    {1, "mos_over_temperature"},
    {2, "cell_count"},
    {3, "current_sensor"},
    {4, "cell_over_voltage"},
    {5, "pack_over_voltage"},
    {6, "charge_over_current"},
    {7, "charge_short_circuit"},
    {8, "charge_over_temperature"},
    {9, "charge_under_temperature"},
    {10, "internal_communication"},
    {11, "cell_under_voltage"},
    {12, "pack_under_voltage"},
    {13, "discharge_over_current"},
    {14, "discharge_short_circuit"},
    {15, "discharge_over_temperature"},
    {16, "charge_mos_fault"},
    {17, "discharge_mos_fault"},
    {18, "gps_disconnected"},
    {19, "change_password"},
    {20, "discharge_on_failed"},
    {21, "over_temperature"},
    {22, "temperature_sensor"},
    {23, "parallel_module"},
    {24, "short_circuit_release_failed"},
    {25, "discharge_over_current_2"},
    {26, "discharge_over_current_3"},
    {27, "discharge_under_temperature"},
    {28, "gps_lock"},
};

/// Settings that the board only stores: u32 at a payload offset.
struct Setting {
  std::size_t offset;
  std::string_view name;
  std::uint32_t value;
};

constexpr std::uint32_t minus(std::uint32_t value) {
  return 0U - value;
}

constexpr std::array settings_table = {
    Setting{6, "smart_sleep_voltage", 3500},
    Setting{10, "cell_under_voltage", 2700},
    Setting{14, "cell_under_voltage_recovery", 2900},
    Setting{18, "cell_over_voltage", 3650},
    Setting{22, "cell_over_voltage_recovery", 3445},
    Setting{26, "balance_difference", 5},
    Setting{30, "cell_full_voltage", 3445},
    Setting{34, "cell_empty_voltage", 2900},
    Setting{38, "charge_voltage", 3450},
    Setting{42, "float_voltage", 3350},
    Setting{46, "power_off_voltage", 2500},
    Setting{50, "charge_limit", 60000},  // mA
    Setting{54, "charge_limit_delay", 3},
    Setting{58, "charge_limit_release", 60},
    Setting{62, "discharge_limit", 100000},
    Setting{66, "discharge_limit_delay", 300},
    Setting{70, "discharge_limit_release", 60},
    Setting{74, "short_circuit_release", 5},
    Setting{78, "balance_limit", 2000},
    Setting{82, "charge_over_temperature", 700},  // 0.1 degrees
    Setting{86, "charge_over_temperature_recovery", 600},
    Setting{90, "discharge_over_temperature", 700},
    Setting{94, "discharge_over_temperature_recovery", 600},
    Setting{98, "charge_under_temperature", minus(100)},
    Setting{102, "charge_under_temperature_recovery", 0},
    Setting{106, "mos_over_temperature", 800},
    Setting{110, "mos_over_temperature_recovery", 700},
    Setting{118, "charge_switch", 1},
    Setting{122, "discharge_switch", 1},
    Setting{126, "balance_switch", 1},
    Setting{134, "short_circuit_delay", 1500},
    Setting{138, "balance_start", 3440},
    Setting{274, "precharge_time", 0},
};

}  // namespace

Content::Content(Pack& pack, Properties& properties, std::uint8_t address) : pack_(pack), address_(address) {
  static_assert(settings_table.size() == settings_count);
  pack_.temperatures = {24, 25, 26, 27};
  bind_live(properties);
  bind_settings(properties);
  bind_about(properties);
}

Image Content::image(const Kind& kind, std::uint8_t type_shown, std::uint8_t variant, Image::Order order) const {
  Image result(type_shown, variant, order);
  if (kind.type == status_kind.type) fill_status(result);
  if (kind.type == settings_kind.type) fill_settings(result);
  if (kind.type == about_kind.type) fill_about(result);
  return result;
}

bool Content::store(std::uint16_t start, std::uint16_t count, Bytes data) {
  const std::size_t offset = start - 0x1000U + 6U;
  if (offset == 282 && count == 1) {
    control_bits_ = wire::u16be(data, 0);
    return true;
  }
  for (std::size_t i = 0; i < settings_table.size(); ++i) {
    if (settings_table[i].offset != offset || count != 2) continue;
    settings_[i] = wire::u32be(data, 0);
    if (offset == 118) pack_.charge_fet = settings_[i] != 0;
    if (offset == 122) pack_.discharge_fet = settings_[i] != 0;
    return true;
  }
  return false;
}

void Content::bind_live(Properties& properties) {
  properties.bits("alarms", alarms_, alarm_bits);
  properties.number("sensors_present", sensors_present_);
  properties.flag("balancer", balancer_);
  properties.flag("balancer_discharges", balancer_discharges_);
  properties.number("balance_current", balance_current_, {-30, 30});
  properties.flag("heater", heater_);
  properties.number("heater_current", heater_current_, {-32, 32});
  properties.number("throughput", throughput_);
  properties.number("runtime", runtime_);
  properties.number("charge_status", charge_status_);
  properties.automatic("cell_mask", cell_mask_, {0, 4294967295.0});
}

void Content::bind_settings(Properties& properties) {
  for (std::size_t i = 0; i < settings_table.size(); ++i) {
    settings_[i] = settings_table[i].value;
    properties.number(std::string(settings_table[i].name), settings_[i]);
  }
  properties.automatic("cell_count", announced_cells_, {0, 255});
  properties.number("control_bits", control_bits_);
  properties.number("heater_start", heater_start_);
  properties.number("heater_stop", heater_stop_);
}

void Content::bind_about(Properties& properties) {
  properties.text("model", model_, 16);
  properties.text("hardware", hardware_, 8);
  properties.text("software", software_, 8);
  properties.text("name", name_, 16);
  properties.text("serial", serial_, 16);
  properties.text("date", date_, 8);
  properties.text("user_data", user_data_, 16);
}

void Content::fill_status(Image& out) const {
  const std::vector<double>& cells = pack_.cells;
  const std::size_t count = std::min<std::size_t>(cells.size(), 32);
  for (std::size_t i = 0; i < count; ++i) {
    out.u16(6 + 2 * i, raw_u16(cells[i], 1000));
    out.u16(80 + 2 * i, 60);
  }
  const std::uint64_t mask = (std::uint64_t{1} << count) - 1;
  out.u32(70, raw_u32(cell_mask_.value_or(static_cast<double>(mask))));
  if (count > 0) {
    const auto [low, high] = std::minmax_element(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(count));
    out.u16(74, raw_u16(pack_.voltage() / static_cast<double>(count), 1000));
    out.u16(76, raw_u16(*high - *low, 1000));
    out.u8(78, static_cast<unsigned>(high - cells.begin()));
    out.u8(79, static_cast<unsigned>(low - cells.begin()));
  }
  const auto sensor = [this](std::size_t i) {
    return i < pack_.temperatures.size() ? raw_i16(pack_.temperatures[i], 10) : raw_i16(-200, 10);
  };
  out.u16(144, raw_i16(pack_.mos_temperature, 10));
  out.u32(150, raw_u32(pack_.voltage(), 1000));
  out.u32(154, raw_u32(std::abs(pack_.voltage() * pack_.current), 1000));
  out.u32(158, raw_i32(pack_.current, 1000));
  out.u16(162, sensor(0));
  out.u16(164, sensor(1));
  out.u32(166, alarms_);
  out.u16(170, raw_i16(balance_current_, 1000));
  out.u8(172, balancer_ ? (balancer_discharges_ ? 2 : 1) : 0);
  out.u8(173, raw<std::uint8_t>(pack_.soc));
  out.u32(174, raw_i32(pack_.remaining(), 1000));
  out.u32(178, raw_u32(pack_.capacity * pack_.soh / 100, 1000));
  out.u32(182, pack_.cycles);
  out.u32(186, throughput_);
  out.u8(190, raw<std::uint8_t>(pack_.soh));
  out.u32(194, runtime_);
  out.u8(198, pack_.charge_fet ? 1 : 0);
  out.u8(199, pack_.discharge_fet ? 1 : 0);
  out.u8(214, sensors_present_);
  out.u8(215, heater_ ? 1 : 0);
  out.u16(234, raw_u16(pack_.voltage(), 100));
  out.u16(236, raw_i16(heater_current_, 1000));
  out.u32(246, runtime_ * 10);
  out.u16(254, raw_i16(pack_.mos_temperature, 10));  // PB hardware repeats the MOSFET here
  out.u16(256, sensor(2));
  out.u16(258, sensor(3));
  out.u32(270, 86400);
  out.u8(280, charge_status_);
}

void Content::fill_settings(Image& out) const {
  for (std::size_t i = 0; i < settings_table.size(); ++i) out.u32(settings_table[i].offset, settings_[i]);
  out.u32(114, raw_u32(announced_cells_.value_or(static_cast<double>(pack_.cells.size()))));
  out.u32(130, raw_u32(pack_.capacity, 1000));
  out.u32(270, address_);
  out.u16(282, control_bits_);
  out.u8(284, static_cast<std::uint8_t>(heater_start_));
  out.u8(285, static_cast<std::uint8_t>(heater_stop_));
  out.u8(296, 0xFE);
  out.u8(297, 0xFF);
}

void Content::fill_about(Image& out) const {
  out.text(6, model_, 16);
  out.text(22, hardware_, 8);
  out.text(30, software_, 8);
  out.u32(38, runtime_);
  out.u32(42, 22);
  out.text(46, name_, 16);
  out.text(62, "1234", 16);
  out.text(78, date_, 8);
  out.text(86, serial_, 16);
  out.text(102, user_data_, 16);
  out.text(118, "123456", 16);
  out.u8(184, 1);
}

}  // namespace serialbattery::simulator::jkbms_pb
