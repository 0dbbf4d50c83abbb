#include "daemon/startup_log.hpp"

#include <fmt/format.h>

#include <fstream>

#include "daemon/service_info.hpp"

namespace serialbattery::daemon {

namespace {

// First line of a small file, without NUL and line end; the device model ends with NUL.
std::string first_line(const char* path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  std::erase(line, '\0');
  std::erase(line, '\r');
  return line;
}

const char* on_off(const std::optional<bool>& value) {
  return !value ? "unknown" : *value ? "on" : "off";
}
const char* enabled(bool value) {
  return value ? "True" : "False";
}

std::string number(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.2f} {}", *value, unit) : "unknown";
}

}  // namespace

std::vector<std::string> banner() {
  std::vector<std::string> lines;
  if (const std::string version = first_line("/opt/victronenergy/version"); !version.empty()) lines.push_back("Venus OS " + version);
  if (const std::string image = first_line("/etc/venus/image-type"); !image.empty()) lines.push_back("Image type " + image);
  if (const std::string model = first_line("/sys/firmware/devicetree/base/model"); !model.empty()) lines.push_back("Device " + model);
  lines.emplace_back("dbus-serialbattery v" SB_VERSION);
  return lines;
}

std::vector<std::string> settings_lines(const Config& c, const Candidate& where, const Battery& b, const std::string& device,
                                        const std::string& identifier) {
  std::vector<std::string> lines;
  const auto add = [&lines](std::string line) { lines.push_back(std::move(line)); };
  add(fmt::format("Battery {} connected to {}", type_text(where, b), connection_text(device, where)));
  add("========== Settings ==========");
  std::string state =
      fmt::format("> Connection voltage: {} | current: {} | SoC: {}", number(b.voltage, "V"), number(b.current, "A"), number(b.soc, "%"));
  if (b.soh) state += fmt::format(" | SoH: {:.0f} %", *b.soh);
  add(std::move(state));
  const auto populated = std::ranges::count_if(b.cells, [](const Cell& cell) { return cell.voltage.has_value(); });
  add(fmt::format("> Cell count: {} | cells populated: {}", b.cell_count.value_or(0), populated));
  std::string block = fmt::format("> BLOCK ON DISCONNECT: {}", enabled(c.block_on_disconnect));
  if (!c.block_on_disconnect) {
    block += fmt::format(" | timeout: {} minutes | cell voltages {:.3f} V to {:.3f} V", c.block_on_disconnect_timeout_minutes,
                         c.block_on_disconnect_voltage_min, c.block_on_disconnect_voltage_max);
  }
  add(std::move(block));
  add(fmt::format("> CHARGE MODE: {}", c.charge_mode == 2 ? "Step" : "Linear"));
  add(fmt::format("> MIN CELL VOLTAGE: {:.3f} V | MAX CELL VOLTAGE: {:.3f} V", c.min_cell_voltage, c.max_cell_voltage));
  std::string float_line = fmt::format("> FLOAT CELL VOLTAGE: {:.3f} V", c.float_cell_voltage);
  if (c.soc_reset_after_days)
    float_line += fmt::format(" | SOC RESET CELL VOLTAGE: {:.3f} V every {} days", c.soc_reset_cell_voltage, *c.soc_reset_after_days);
  add(std::move(float_line));
  std::string currents = fmt::format("> MAX BATTERY CHARGE CURRENT: {:.1f} A | MAX BATTERY DISCHARGE CURRENT: {:.1f} A",
                                     c.max_battery_charge_current, c.max_battery_discharge_current);
  if (b.limits.charge_current) currents += fmt::format(" | BMS charge: {:.1f} A", *b.limits.charge_current);
  if (b.limits.discharge_current) currents += fmt::format(" | BMS discharge: {:.1f} A", *b.limits.discharge_current);
  add(std::move(currents));
  add(fmt::format("> CVCM: {}", enabled(c.cvcm_enable)));
  add(fmt::format("> CCCM CV: {} | DCCM CV: {} | CCCM T: {} | DCCM T: {}", enabled(c.cccm_cv_enable), enabled(c.dccm_cv_enable),
                  enabled(c.cccm_t_enable), enabled(c.dccm_t_enable)));
  add(fmt::format("> CCCM T MOS: {} | DCCM T MOS: {} | CCCM SOC: {} | DCCM SOC: {}", enabled(c.cccm_t_mosfet_enable),
                  enabled(c.dccm_t_mosfet_enable), enabled(c.cccm_soc_enable), enabled(c.dccm_soc_enable)));
  std::string fets = fmt::format("> CHARGE FET: {} | DISCHARGE FET: {}", on_off(b.charge_fet), on_off(b.discharge_fet));
  if (b.balance_fet) fets += fmt::format(" | BALANCE FET: {}", on_off(b.balance_fet));
  if (b.heater.allowed) fets += fmt::format(" | HEATER FET: {}", on_off(b.heater.allowed));
  add(std::move(fets));
  std::string identity = fmt::format("> Unique identifier: {}", b.identity.unique_id.empty() ? identifier : b.identity.unique_id);
  if (c.use_port_as_unique_id) identity += fmt::format(" | in use (port): {}", identifier);
  add(std::move(identity));
  return lines;
}

}  // namespace serialbattery::daemon
