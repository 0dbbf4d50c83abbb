// Permissions, /State, /DeviceState and /Mode.
#include "control/permissions.hpp"

namespace serialbattery::control {

bool permitted(std::optional<bool> fet, std::optional<double> limit) {
  return fet == true && limit && *limit != 0;
}

ServiceState next_state(ServiceState state, const Permissions& permissions) {
  if (state == ServiceState::initialising) state = ServiceState::running;
  if (state == ServiceState::running && permissions.none()) state = ServiceState::standby;
  if (state == ServiceState::standby && !permissions.none()) state = ServiceState::running;
  return state;
}

int mode_of(ServiceState state, const Permissions& permissions) {
  if (state == ServiceState::standby) return 4;
  return permissions.none() ? 252 : 3;
}

int device_state_of(const Alarms& alarms, const Permissions& permissions) {
  const auto hot = [&alarms](AlarmLevel level) {
    return alarms[Alarm::high_temperature] == level || alarms[Alarm::high_charge_temperature] == level;
  };
  if (alarms[Alarm::internal_failure] == AlarmLevel::alarm) return 0x103;
  if (hot(AlarmLevel::alarm)) return 0x101;
  if (hot(AlarmLevel::warning)) return 0x102;
  if (alarms[Alarm::low_voltage] == AlarmLevel::alarm) return 0x105;
  return permissions.none() ? 0x104 : 0x100;
}

}  // namespace serialbattery::control
